"""The rows of a list of runs as markup, without a template loop: fifty rows on every page and every poll.

User text is escaped here; each cell has a name, so that a poll can change it and leave the others alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import quote

from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.pages.cells import cell, head, when
from dashboard.templatetags import text
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import State, state_of
from migrations_app.runs.lease import Lease, lease_of
from migrations_app.runs.listing import RunRow
from migrations_app.statuses import ACTIVE, TERMINAL, RunStatus

COLUMNS = ("State", "Run", "Kind", "Environment", "Revisions", "Progress", "Started", "Took", "Try", "Worker", "By")
_KINDS = {"up": "apply", "down": "roll back"}
_STATES = {name: draw_state(state_of(name)) for name in RunStatus.values}
_LOST = State("Lost heartbeat", "warn", "interrupted", live=True)


def draw_rows(rows: Iterable[RunRow], *, pick: bool = False, hide_environment: bool = False) -> SafeString:
    """`pick` puts a box before runs that are queued and may be cancelled together."""
    now = timezone.now()
    return mark_safe("".join(_row(run, now, pick, hide_environment) for run in rows))  # noqa: S308  escaped below


def _row(run: RunRow, now: datetime, pick: bool, hide_environment: bool) -> str:
    lease = lease_of(run, now)
    problem = " data-problem" if run.status in (RunStatus.FAILED, RunStatus.NEEDS_OPERATOR) or lease.lost else ""
    cells = [
        f'<td class="pickbox">{_box(run)}</td>' if pick else "",
        cell("State", draw_state(_LOST) if lease.lost else _STATES[run.status]),
        head("Run", f'<a href="/runs/{run.id}">{run.id}</a>'),
        cell("Kind", _KINDS[run.direction], "nowrap"),
        "" if hide_environment else cell("Environment", _place(run), "break"),
        cell("Revisions", f"<code>{escape(run.revisions)}</code>", "break"),
        cell("Progress", _progress(run), "fit"),
        cell("Started", _started(run)),
        cell("Took", _took(run, lease, now), "num nowrap"),
        cell("Try", str(run.attempt) if run.attempt else "", "num"),
        cell("Worker", _worker(run, lease), "break small"),
        cell("By", escape(run.requested_by), "break"),
    ]
    return f'<tr id="run-{run.id}"{problem}>{"".join(cells)}</tr>'


def _box(run: RunRow) -> str:
    if run.status != RunStatus.QUEUED:
        return ""
    return (
        f'<label class="box"><input type="checkbox" name="run" value="{run.id}" form="pick" data-pick>'
        f'<span class="hush">Select queued run {run.id}</span></label>'
    )


def _place(run: RunRow) -> str:
    url = f"/services/{quote(run.service, safe='')}/environments/{quote(run.environment, safe='')}"
    service = f'<span class="small faint">{escape(run.service)}</span>'
    return f'<span><a href="{url}">{escape(run.environment)}</a> {service}</span>'


def _progress(run: RunRow) -> str:
    done, total = run.steps_done, max(run.steps_total, 1)
    share = done * 100 // total
    words = f"{done}/{run.steps_total} · {share} %"
    if run.status in TERMINAL:
        return f'<span class="nowrap">{words}</span>'
    spoken = f'aria-label="Steps done of run {run.id}" aria-valuetext="{done} of {run.steps_total} steps"'
    bar = f'<progress max="{total}" value="{min(done, total)}" {spoken}>{share} %</progress>'
    return f'<span><span class="nowrap">{words}</span>{bar}</span>'


def _started(run: RunRow) -> str:
    if run.started_at is not None:
        return when(run.started_at)
    return f'<span class="faint">{"never" if run.status in TERMINAL else "not yet"}</span>'


def _took(run: RunRow, lease: Lease, now: datetime) -> str:
    """Of a run at work: so far. Nothing of one whose worker is silent, for its row is not drawn again by the second."""
    if run.started_at is None or lease.lost or (run.finished_at is None and run.status not in ACTIVE):
        return ""
    lasted: timedelta = (run.finished_at or now) - run.started_at
    return text.duration(lasted.total_seconds() * 1000)


def _worker(run: RunRow, lease: Lease) -> str:
    if not run.worker:
        return ""
    name = f'<span class="mono">{escape(run.worker)}</span>'
    if run.status in ACTIVE and run.beat_at:
        return f'<span>{name} <span class="faint">lease {when(run.beat_at)}</span></span>'
    return f'<span class="faint">{name}</span>'
