"""What a run would do, revision by revision, as markup: dozens of revisions with their statements on a page."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.templatetags.text import counted
from migrations_app.engine.contract.plan import PlannedRevision
from migrations_app.engine.sql.script import Step

MOST_REVISIONS = 30
MOST_LISTED = 20  # steps of a revision, and statements of a step
PACES = {
    "brief": "brief: holds its locks for seconds; where it cannot get them, nothing is done",
    "validate": "may take long, stops no reader or writer",
    "online_long": "as long as it takes, outside a transaction",
}
_OUTSIDE = ' <span class="tag warn">outside a transaction</span>'


def draw_plan(revisions: Sequence[PlannedRevision], service: str, *, with_sql: bool) -> SafeString:
    """The first of them, each with its statements and their locks for those who may read SQL."""
    chain = f"/services/{quote(service, safe='')}/revisions/"
    drawn = "".join(_revision(revision, chain, with_sql) for revision in revisions[:MOST_REVISIONS])
    left = len(revisions) - MOST_REVISIONS
    more = f'<li class="dim">and {left} more, in chain order</li>' if left > 0 else ""
    return mark_safe(drawn + more)  # noqa: S308  escaped below


def _revision(revision: PlannedRevision, chain: str, with_sql: bool) -> str:
    steps = counted(len(revision.steps), "step")
    checks = f", {counted(len(revision.verify), 'check')}" if revision.verify else ""
    return (
        f'<li><div class="head"><a href="{chain}{quote(revision.revision_id, safe="")}">'
        f'<code>{escape(revision.revision_id)}</code></a><span class="tag">{escape(revision.phase)}</span>'
        f'<span class="small faint">{steps}{checks}</span></div>{_steps(revision.steps) if with_sql else ""}</li>'
    )


def _steps(steps: Sequence[Step]) -> str:
    left = f'<li class="faint">{len(steps)} steps in all; see the revision.</li>' if len(steps) > MOST_LISTED else ""
    return f'<ul class="plain small">{"".join(_step(step) for step in steps[:MOST_LISTED])}{left}</ul>'


def _step(step: Step) -> str:
    """Its first statement tells how long the step may go on."""
    outside = _OUTSIDE if step.mode == "nontx" else ""
    pace = f' <span class="faint">· {escape(PACES.get(step.timeout_class, step.timeout_class))}</span>'
    drawn: list[str] = []
    for statement in step.statements[:MOST_LISTED]:
        lock = f' <span class="faint">{escape(statement.lock)}</span>' if statement.lock else ""
        said = "" if drawn else pace
        drawn.append(f'<li class="break"><code>{escape(statement.summary)}</code>{outside}{lock}{said}</li>')
    return "".join(drawn)
