"""Rolling back what a run applied: to the plan on its environment's page, or why there is none and what there is."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.query import BadAddress, number
from dashboard.pages.start import Asked
from migrations_app.runs.undo import CannotUndo, Undo, undo_of


@dataclass(frozen=True)
class OfRun:
    """What the plan on an environment's page has to do with the run whose page led there."""

    run: access.Run
    undo: Undo | None
    why: str  # it is not what the run applied any more

    @property
    def exact(self) -> bool:
        return not self.why


def of_run(request: HttpRequest, environment: access.Environment, direction: str, to: str) -> OfRun | None:
    """Raises BadAddress for a run of another environment."""
    pk = number(request, "run", "the number of a run")
    if pk is None:
        return None
    run = access.run_for(request.user, pk)
    if run.environment_id != environment.pk:
        raise BadAddress("run", f"a run on {environment.name}")
    try:
        undo = undo_of(run)
    except CannotUndo as refusal:
        return OfRun(run, None, refusal.message)
    same = direction == "down" and to == undo.to
    return OfRun(run, undo, "" if same else "The plan that is shown is another one.")


@require_safe
def run_rollback(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.run_for(request.user, pk)
    try:
        undo = undo_of(found)
    except CannotUndo as refusal:
        context = {
            "run": found,
            "refusal": refusal,
            "further_url": Asked("down", refusal.to).url("environment", found.environment, "#plan"),
        }
        return render(request, "runs/rollback.html", context)
    return redirect(Asked("down", undo.to).url("environment", found.environment, "#plan", run=found.pk))
