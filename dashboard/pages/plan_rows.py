"""What a run would do, revision by revision, as markup: dozens of revisions with their statements on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.pages.measured_words import forecast_in_a_line, in_a_line
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import state_of
from dashboard.templatetags.text import counted
from migrations_app.engine.contract.plan import PlannedRevision
from migrations_app.engine.sql.script import Step
from migrations_app.rehearsals.measured import Place, RevisionMeasured

MOST_REVISIONS = 30
MOST_LISTED = 20  # steps of a revision, and statements of a step
NOTHING_MEASURED: Mapping[str, RevisionMeasured] = MappingProxyType({})
PACES = {
    "brief": "brief: holds its locks for seconds; where it cannot get them, nothing is done",
    "validate": "may take long, stops no reader or writer",
    "online_long": "as long as it takes, outside a transaction",
}
_OUTSIDE = ' <span class="tag warn">outside a transaction</span>'


def draw_plan(
    revisions: Sequence[PlannedRevision],
    service: str,
    *,
    with_sql: bool,
    measured: Mapping[str, RevisionMeasured] = NOTHING_MEASURED,
) -> SafeString:
    """The first of them, each with its statements and their locks for those who may read SQL.

    Beside a statement stands what its revision's fresh rehearsal measured of it, where there is one.
    """
    chain = f"/services/{quote(service, safe='')}/revisions/"
    drawn = "".join(
        _revision(revision, chain, with_sql, measured.get(revision.revision_id))
        for revision in revisions[:MOST_REVISIONS]
    )
    left = len(revisions) - MOST_REVISIONS
    more = f'<li class="dim">and {left} more, in chain order</li>' if left > 0 else ""
    return mark_safe(drawn + more)  # noqa: S308  escaped below


def _revision(revision: PlannedRevision, chain: str, with_sql: bool, known: RevisionMeasured | None) -> str:
    steps = counted(len(revision.steps), "step")
    checks = f", {counted(len(revision.verify), 'check')}" if revision.verify else ""
    listed = _steps(revision.steps, known) if with_sql else ""
    name = f'<a href="{chain}{quote(revision.revision_id, safe="")}"><code>{escape(revision.revision_id)}</code></a>'
    return (
        f'<li><div class="head">{name}<span class="tag">{escape(revision.phase)}</span>{_chip(known)}'
        f'<span class="small faint">{steps}{checks}</span></div>{listed}</li>'
    )


def _chip(known: RevisionMeasured | None) -> str:
    """The verdict of the fresh rehearsal, as a link to it."""
    part = known.freshness.part if known and known.freshness.state == "fresh" else None
    if part is None:
        return ""
    url = f"/rehearsals/{part.rehearsal_id}?revision={quote(part.revision_id, safe='')}#revision"
    return f'<a href="{url}">{draw_state(state_of(part.verdict))}</a>'


def _steps(steps: Sequence[Step], known: RevisionMeasured | None) -> str:
    left = f'<li class="faint">{len(steps)} steps in all; see the revision.</li>' if len(steps) > MOST_LISTED else ""
    return f'<ul class="plain small">{"".join(_step(step, known) for step in steps[:MOST_LISTED])}{left}</ul>'


def _seen(known: RevisionMeasured, place: Place) -> str:
    """What was measured, then what that means for the target; over its budget it is told as a warning."""
    found, forecasts = known.statements.get(place), known.forecasts.get(place, ())
    if found is None:
        return ""
    tone = "over" if any(one.over_budget for one in forecasts) else "dim"
    mark = "<br>" if tone == "over" else " · "
    coming = f'{mark}<span class="{tone}">{escape(forecast_in_a_line(forecasts))}</span>' if forecasts else ""
    return f'<br><span class="dim">{escape(in_a_line(found))}</span>{coming}'


def _step(step: Step, known: RevisionMeasured | None) -> str:
    """Its first statement tells how long the step may go on."""
    outside = _OUTSIDE if step.mode == "nontx" else ""
    pace = f' <span class="faint">· {escape(PACES.get(step.timeout_class, step.timeout_class))}</span>'
    drawn: list[str] = []
    for number, statement in enumerate(step.statements[:MOST_LISTED], start=1):
        lock = f' <span class="faint">{escape(statement.lock)}</span>' if statement.lock else ""
        said = "" if drawn else pace
        seen = _seen(known, (step.n, number)) if known else ""
        drawn.append(f'<li class="break"><code>{escape(statement.summary)}</code>{outside}{lock}{said}{seen}</li>')
    return "".join(drawn)
