"""What the plan of a cutover shows: its stops, what is in the way of each, and the form that starts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from dashboard import access, access_cutovers, stepup
from dashboard.pages.forms import utc_moment
from dashboard.pages.query import reason, sent
from dashboard.templatetags import text
from migrations_app.admission.conditions import Condition
from migrations_app.admission.door import Preview
from migrations_app.engine.errors import Refused
from migrations_app.fleet.production import production_ids
from migrations_app.permissions import may, needed_for
from migrations_app.reasons import SHORTEST_REASON
from migrations_app.rehearsals.measured import measured
from migrations_app.releases.gates.judging import GateVerdict
from migrations_app.rollouts import planning
from migrations_app.statuses import CUTOVER_OPEN


class PlanForm(forms.Form):
    environments = forms.MultipleChoiceField(
        error_messages={"required": "Choose one environment at least."}, widget=forms.CheckboxSelectMultiple
    )
    begins = utc_moment("Planned from", "It does not start before this.")
    ends = utc_moment("Planned until", "It does not start after this, and is held against it when it is done.")
    reason = forms.CharField(max_length=500, required=False, help_text="It is kept in the audit chain with your name.")
    typed = forms.CharField(max_length=200, required=False)

    def __init__(self, data: object = None, *, places: Sequence[access.Environment]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.places = places
        self.fields["environments"].choices = [(one.name, one.name) for one in places]  # type: ignore[attr-defined]

    @classmethod
    def fresh(cls, places: Sequence[access.Environment]) -> PlanForm:
        form = cls(places=places)
        form.initial["environments"] = [one.name for one in places]
        return form

    def chosen(self) -> list[access.Environment]:
        return [one for one in self.places if one.name in self.cleaned_data["environments"]]

    def window(self) -> planning.Window:
        begins: datetime | None = self.cleaned_data["begins"]
        return planning.Window(begins, self.cleaned_data["ends"])


@dataclass(frozen=True)
class Way:
    """One thing that is in the way, and where it is looked at in full."""

    word: str
    url: str
    sentence: str
    clears: str


@dataclass(frozen=True)
class StopRow:
    """`forecast` is empty where no fresh rehearsal tells of every revision."""

    stop: planning.Stop
    production: bool
    chosen: bool
    url: str
    forecast: str
    ways: tuple[Way, ...]

    @property
    def revisions(self) -> int:
        return len(self.stop.preview.revisions) if self.stop.preview else 0


def plan_context(request: HttpRequest, release: access.Release, form: PlanForm) -> dict[str, object]:
    reader = access.require(request.user, "view")
    plan: planning.CutoverPlan | None = None
    blocked_by: tuple[Way, ...] = ()
    stops: tuple[StopRow, ...] = ()
    try:
        plan = planning.cutover_plan(release, by=reader)
    except Refused as refusal:
        blocked_by = (Way("Environments", reverse("service", args=[release.service.name]), refusal.message, ""),)
    if plan is not None:
        blocked_by = tuple(_ways_of_all(request, release, plan))
        chosen = form["environments"].value() or ()
        stops = tuple(_stops(release, plan, chosen))
    return {
        "release": release,
        "service": release.service.name,
        "plan": plan,
        "stops": stops,
        "ways": blocked_by,
        "headline": _headline(release, blocked_by, stops),
        "form": form,
        "production": [row.stop.environment.name for row in stops if row.production],
        "why_not": "" if may(request.user, "cut_over") else needed_for("cut_over"),
        "password_wanted": stepup.wanted(request),
        **_glass_context(request, release, plan),
    }


def _glass_context(
    request: HttpRequest, release: access.Release, plan: planning.CutoverPlan | None
) -> dict[str, object]:
    asked = access_cutovers.glasses_for(request.user, release).filter(answer=None, expires_at__gt=timezone.now())
    blocks = plan is not None and bool(plan.verdict.blocking) and not plan.remark
    return {
        "glass_blocks": blocks,
        "glass_asked": asked.first() if blocks else None,
        "glass_why_not": "" if may(request.user, "break_glass") else needed_for("break_glass"),
        "glass_reason": reason(request),
        "glass_typed": sent(request, "typed"),
        "shortest_reason": SHORTEST_REASON,
    }


def _headline(release: access.Release, ways: Sequence[Way], stops: Sequence[StopRow]) -> str:
    """`Two things are in the way of cutting over 2.0.`, counted over the gates, the cutover and its stops."""
    count = len(ways) + sum(len(row.ways) for row in stops)
    if count:
        told = text.counted(count, "thing").capitalize()
        return f"{told} {'is' if count == 1 else 'are'} in the way of cutting over {release.release_id}."
    return f"{release.release_id} can be cut over to {text.counted(len(stops), 'environment')}."


def _ways_of_all(request: HttpRequest, release: access.Release, plan: planning.CutoverPlan) -> Iterable[Way]:
    """The gates come first, one condition for each that blocks."""
    page = reverse("release", args=[release.service.name, release.release_id])
    blocking = plan.verdict.blocking
    for gate in blocking:
        yield Way(gate.gate.title, f"{page}#gate-{gate.gate.key}", _short(gate), "")
    for condition in plan.conditions[len(blocking) :]:
        yield _way_of_cutover(request, release, condition, page)


def _short(gate: GateVerdict) -> str:
    """The first thing that blocks it; the release's page tells all of them."""
    blocking = [check for check in gate.checks if check.blocks]
    if not blocking:
        return " ".join(gate.wants)
    more = f" {text.counted(len(blocking) - 1, 'more check').capitalize()} of it too." if len(blocking) > 1 else ""
    return f"{blocking[0].check.title}: {blocking[0].sentence}{more}"


def _way_of_cutover(request: HttpRequest, release: access.Release, condition: Condition, page: str) -> Way:
    word, url = "Release", page
    if condition.code == "cutover_open":
        mine = access_cutovers.cutovers_for(request.user).filter(release__service=release.service)
        other = mine.filter(status__in=sorted(CUTOVER_OPEN)).first()
        word, url = (f"Cutover {other.pk}", reverse("cutover", args=[other.pk])) if other else (word, url)
    return Way(word, url, condition.sentence, condition.clears)


def _stops(release: access.Release, plan: planning.CutoverPlan, chosen: Sequence[str]) -> Iterable[StopRow]:
    production = production_ids()
    for stop in plan.stops:
        place = stop.environment
        page = reverse("environment", args=[release.service.name, place.name])
        url = f"{page}?{urlencode({'direction': 'up', 'to': plan.head})}#plan" if plan.head else page
        yield StopRow(
            stop=stop,
            production=place.pk in production,
            chosen=place.name in chosen,
            url=url,
            forecast=_forecast(place, stop.preview),
            ways=tuple(Way(place.name, url, one.sentence, one.clears) for one in stop.conditions),
        )


def _forecast(environment: access.Environment, preview: Preview | None) -> str:
    """The work of all statements on this target, as rehearsals of these revisions let one expect."""
    if preview is None or not preview.revisions:
        return ""
    told = measured(preview.rehearsals, "up", environment.lock_budget_seconds).values()
    if not told or not all(one.forecasts for one in told):
        return ""
    return text.duration(sum(found[0].work_ms for one in told for found in one.forecasts.values()))
