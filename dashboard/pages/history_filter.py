"""What the address of the history asks for, and the same filter in words."""

from __future__ import annotations

from django.http import HttpRequest

from dashboard.pages.query import InForce, address, moment, one_of, place, word
from dashboard.templatetags.text import utc
from migrations_app.fleet.history import Cursor, HistoryFilter
from migrations_app.statuses import Phase

DIRECTIONS = {"up": "applied", "down": "rolled back"}
YES = ("yes",)


def read_filter(request: HttpRequest) -> HistoryFilter:
    """Raises BadAddress where the address was spoilt: it must not pass for no filter."""
    key = place(request, "after", "history")
    return HistoryFilter(
        service=word(request, "service"),
        environment=word(request, "environment"),
        revision=word(request, "revision"),
        operator=word(request, "operator"),
        direction=one_of(request, "direction", DIRECTIONS),
        phase=one_of(request, "phase", Phase.values),
        since=moment(request, "since"),
        until=moment(request, "until"),
        anomalies=bool(one_of(request, "anomalies", YES)),
        superseded=bool(one_of(request, "superseded", YES)),
        after=Cursor.of(key) if key else None,
    )


def in_force(request: HttpRequest, wanted: HistoryFilter) -> list[InForce]:
    told = {
        "service": f"service {wanted.service}",
        "environment": f"environment {wanted.environment}",
        "revision": f"revision {wanted.revision}…",
        "operator": f"by {wanted.operator}",
        "direction": DIRECTIONS.get(wanted.direction, ""),
        "phase": wanted.phase,
        "since": f"since {utc(wanted.since)}" if wanted.since else "",
        "until": f"before {utc(wanted.until)}" if wanted.until else "",
        "anomalies": "anomalies",
    }
    chosen = [name for name in told if getattr(wanted, name)]
    return [InForce(told[name], address(request, **{name: None, "after": None})) for name in chosen]
