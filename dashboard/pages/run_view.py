"""The context of a run's page and of its live fragment: the same for both, so that they cannot differ."""

from __future__ import annotations

from typing import TypedDict

from django.http import HttpRequest

from dashboard import access
from dashboard.templatetags import text
from dashboard.templatetags.states import state_of
from migrations_app.permissions import may, who_may
from migrations_app.runs.detail import Bar, StepWindow, Waiting, bars, is_over, waiting, waiting_ms
from migrations_app.runs.offers import Offer, drawn_key, offers
from migrations_app.runs.verdict import elapsed, revision_ids, verdict
from migrations_app.statuses import SENTENCES

LOG_LEVELS = {"warning": ("warning", "error"), "error": ("error",)}


class RunContext(TypedDict, total=False):
    run: access.Run
    sentence: str
    meaning: str
    title: str
    over: bool
    took: str
    waited: int
    error: dict[str, object] | None
    waiting: Waiting | None
    bars: tuple[Bar, ...]
    steps: StepWindow
    offers: tuple[Offer, ...]
    closed_why: str
    drawn: str
    redraw_actions: bool
    revision_ids: list[str]
    may_sql: bool
    may_resolve: bool
    resolvers: str
    log_readers: str


def run_context(request: HttpRequest, run: access.Run, steps: StepWindow) -> RunContext:
    lasted = elapsed(run)
    took = text.duration(lasted.total_seconds() * 1000) if lasted else ""
    offered = offers(run, request.user)
    return RunContext(
        run=run,
        sentence=verdict(run, took),
        meaning=SENTENCES[run.status],
        title=f"{state_of(run.status).word}: run {run.pk} on {run.environment.name}",
        over=is_over(run),
        took=took,
        waited=waiting_ms(run),
        error=run.error,
        waiting=waiting(run),
        bars=bars(run),
        steps=steps,
        offers=offered,
        closed_why=offered[0].why if offered and len({offer.why for offer in offered}) == 1 else "",
        drawn=drawn_key(run),
        revision_ids=revision_ids(run),
        may_sql=may(request.user, "view_sql"),
        may_resolve=may(request.user, "resolve_run"),
        resolvers=who_may("resolve_run"),
        log_readers=who_may("view_log"),
    )
