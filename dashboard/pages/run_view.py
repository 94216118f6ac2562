"""The context of a run's page and of its live fragment: the same for both, so that they cannot differ."""

from __future__ import annotations

from typing import TypedDict

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from dashboard import access
from dashboard.glance import glance_of
from dashboard.pages.audit_rows import AuditRow, draw_row
from dashboard.pages.choices import Choice
from dashboard.pages.query import BadAddress, number
from dashboard.templatetags import text
from dashboard.templatetags.states import state_of
from migrations_app.permissions import may, who_may
from migrations_app.rehearsals.ahead import Ahead, no_return_ahead
from migrations_app.runs.comparison import Comparison, compare, earlier_runs
from migrations_app.runs.detail import (
    LEFT_SHOWN,
    Bar,
    Left,
    StepWindow,
    Waiting,
    attempts_of,
    audit_of,
    bars,
    is_over,
    left_behind,
    queued_ms,
    told_key,
    waiting,
    waiting_ms,
)
from migrations_app.runs.lease import Lease, lease_of
from migrations_app.runs.offers import Offer, Onward, drawn_key, offers, onward, undoing
from migrations_app.runs.queueing import Place, place_of
from migrations_app.runs.verdict import elapsed, left_half_made, may_be_judged, meaning, verdict

NEWS_S = 10.0


class RunContext(TypedDict, total=False):
    run: access.Run
    sentence: str
    meaning: str
    title: str
    over: bool
    took: str
    waited: int
    error: dict[str, object] | None
    left_half_made: bool
    waiting: Waiting | None
    bars: tuple[Bar, ...]
    steps: StepWindow
    attempts: list[Choice]
    attempt: int | None
    offers: tuple[Offer, ...]
    onward: Onward | None
    undoing: Onward | None
    closed_why: str
    drawn: str
    redraw_actions: bool
    told: str
    redraw_told: bool
    beside: int | None
    lease: Lease
    place: Place | None
    queued: int
    may_sql: bool
    may_resolve: bool
    judged: bool
    resolvers: str
    log_readers: str


class PageContext(TypedDict):
    """What changes with a step or a decision, not by the second: a poll draws it only when told_key() is another."""

    ahead: Ahead | None
    left: tuple[Left, ...]
    left_out: int
    comparison: Comparison | None
    others: list[Choice]
    audit: tuple[AuditRow, ...] | None
    audit_readers: str
    consent: access.RollbackConsent | None


def count_anew(request: HttpRequest, run: access.Run) -> None:
    """The page of a run that is over asks no more: a count of open runs read before its end would stay beside it."""
    if is_over(run) and run.finished_at and (timezone.now() - run.finished_at).total_seconds() < NEWS_S:
        glance_of(request)


def run_context(request: HttpRequest, run: access.Run, steps: StepWindow, attempt: int | None) -> RunContext:
    """`place` and `queued` are what the log's empty panel tells as well."""
    now = timezone.now()
    lasted = elapsed(run)
    took = text.duration(lasted.total_seconds() * 1000) if lasted else ""
    offered = offers(run, request.user)
    lease = lease_of(run, now)
    return RunContext(
        run=run,
        sentence=_sentence(run, lease, took),
        meaning=meaning(run),
        title=f"{_state_word(run, lease)}: run {run.pk} on {run.environment.name}",
        over=is_over(run),
        took=took,
        waited=waiting_ms(run) + queued_ms(run, now),
        error=run.error,
        left_half_made=left_half_made(run),
        waiting=waiting(run),
        bars=bars(run),
        steps=steps,
        attempts=_attempts(request, run, attempt),
        attempt=attempt,
        offers=offered,
        onward=onward(run, request.user),
        undoing=undoing(run, request.user),
        closed_why=offered[0].why if offered and len({offer.why for offer in offered}) == 1 else "",
        drawn=drawn_key(run),
        told=told_key(run),
        beside=number(request, "with", "the number of a run"),
        lease=lease,
        place=place_of(run),
        queued=queued_ms(run, now),
        may_sql=may(request.user, "view_sql"),
        may_resolve=may(request.user, "resolve_run"),
        judged=may_be_judged(run),
        resolvers=who_may("resolve_run"),
        log_readers=who_may("view_log"),
    )


def page_context(request: HttpRequest, run: access.Run, *, polled: bool = False) -> PageContext:
    """For a poll, an address that was right when the page was opened must not become wrong under its reader."""
    reads = may(request.user, "view_audit")
    others = earlier_runs(run)
    chosen = _chosen(request, others, strict=not polled)
    return PageContext(
        ahead=no_return_ahead(run),
        left=left_behind(run),
        left_out=max(len(run.revisions) - LEFT_SHOWN, 0),
        comparison=compare(run, chosen) if chosen else None,
        others=[
            Choice(
                f"run {other.pk} on {other.environment.name}",
                _beside(request, run, other),
                other == chosen,
            )
            for other in others
        ],
        audit=tuple(draw_row(entry) for entry in audit_of(run)) if reads else None,
        audit_readers=who_may("view_audit"),
        consent=access.consents_for(request.user).filter(run=run).first() if run.direction == "down" else None,
    )


def chosen_attempt(request: HttpRequest, run: access.Run) -> int | None:
    """Raises BadAddress for an attempt that never was."""
    chosen = number(request, "attempt", "the number of a try")
    if chosen is not None and not 1 <= chosen <= max(run.attempt, 1):
        raise BadAddress("attempt", f"one of the {run.attempt} attempts of run {run.pk}")
    return chosen


def _attempts(request: HttpRequest, run: access.Run, chosen: int | None) -> list[Choice]:
    found = attempts_of(run)
    if not found:
        return []
    named = [(f"{attempt.number} by {attempt.worker}", attempt.number) for attempt in found]
    path = f"/runs/{run.pk}"
    return [
        Choice("all", f"{path}#statements", chosen is None),
        *(Choice(label, f"{path}?attempt={number}#statements", chosen == number) for label, number in named),
    ]


def _beside(request: HttpRequest, run: access.Run, other: access.Run) -> str:
    """The page's address, also where a poll asks, whose own words are left out."""
    query = request.GET.copy()
    for name in ("drawn", "told"):
        query.pop(name, None)
    query["with"] = str(other.pk)
    return f"{reverse('run', args=[run.pk])}?{query.urlencode()}#compared"


def _chosen(request: HttpRequest, others: tuple[access.Run, ...], *, strict: bool) -> access.Run | None:
    """The run that the address names, the first by itself."""
    wanted = number(request, "with", "the number of a run")
    named = next((other for other in others if other.pk == wanted), None)
    if named is None and wanted is not None and strict:
        raise BadAddress("with", "an earlier run of the same revision")
    return named or (others[0] if others else None)


def _state_word(run: access.Run, lease: Lease) -> str:
    return "Lost heartbeat" if lease.lost else state_of(run.status).word


def _sentence(run: access.Run, lease: Lease, took: str) -> str:
    """A worker that is not heard any more comes before what it was doing."""
    if not lease.lost:
        return verdict(run, took)
    now = min(run.steps_done + 1, run.steps_total)
    words = f"{lease.words[0].upper()}{lease.words[1:]}"
    return f"{words}: {run.environment.name} at step {now} of {run.steps_total}."
