"""What is cached, derived or pooled shows its state: each field that is promised is in the answers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from migrations_app.releases.gates.own import fields
from migrations_app.releases.gates.own.installation import Answer, Installation, NotSeen, NotThere, part
from migrations_app.releases.gates.own.seen import Seen, bad, good, judged, listed, unknown
from migrations_app.releases.gates.own.visitors import ADMIN

HEALTH, DEEP = "/health", "/health/deep"
# A process publishes its pool every 5 s, and another tells what it read up to 5 s ago.
PATIENCE_S = 11.0


def health(place: Installation) -> Seen:
    answer = _answer(place, HEALTH)
    told = answer.object()
    broken = [*_headers(answer), *_lacking(answer, fields.HEALTH)] or list(_contradictions(told))
    if broken:
        return judged(broken, "")
    return good(f"/health tells all of it, among it the route cache ({_mode(told)}) and {_reason(told)}.")


def health_deep(place: Installation) -> Seen:
    """Told to admins, and refused to strangers in a form that a program understands."""
    answer = _answer(place, DEEP)
    stranger = place.ask(DEEP)
    broken = [*_headers(answer), *_lacking(answer, fields.DEEP)]
    if stranger.status not in (401, 403):
        broken.append(f"/health/deep answers {stranger.status} to somebody who is not signed in, and not 401 or 403.")
    return judged(broken, "/health/deep tells the route cache in full to admins, and answers 401 or 403 to others.")


def pool_telemetry(place: Installation) -> Seen:
    until = time.monotonic() + PATIENCE_S
    answer = _answer(place, HEALTH)
    while _is_silent(answer) and time.monotonic() < until:
        time.sleep(0.5)
        answer = _answer(place, HEALTH)
    if _is_silent(answer):
        return unknown("/health tells no state of the pools: no web process has published one lately.")
    told = answer.object()
    broken = _lacking(answer, fields.POOL)
    if broken:
        return bad(" ".join(broken))
    state = told["database_pool"]["state"]
    return judged(
        list(_contradictions(told)),
        f"The fullest pool has {state['checked_out']} of {state['max_capacity']} connections in use; /health tells "
        f"{_reason(told)}.",
    )


def derived_indexes(place: Installation) -> Seen:
    answer = _answer(place, HEALTH)
    broken = _lacking(answer, fields.DERIVED_DATA)
    if broken:
        return bad(" ".join(broken))
    found = part(answer.json(), "cache.derived_search_index", HEALTH, "an object")
    if not found:
        return bad("/health lists no derived index under cache.derived_search_index.")
    told = [f"{name} ({one['row_count']} rows)" for name, one in sorted(found.items())]
    return good(f"Version, age and size are told of {listed(told)}.")


def _answer(place: Installation, path: str) -> Answer:
    answer = place.ask(path, ADMIN)
    if answer.status == 404:
        raise NotThere(f"{path} answers 404: this installation has no such address.")
    if answer.status not in (200, 503):
        raise NotSeen(f"{path} answered {answer.status}, so what it tells could not be read.")
    return answer


def _is_silent(answer: Answer) -> bool:
    """Null, as in the first seconds of a web process."""
    pool = answer.object().get("database_pool")
    return isinstance(pool, dict) and pool.get("state", pool) is None


def _headers(answer: Answer) -> list[str]:
    return [
        f"{answer.path} has the header {name} as {answer.headers.get(name, '')!r} and not {value!r}: "
        "something between may keep an old answer and show it as new."
        for name, value in fields.HEADERS.items()
        if answer.headers.get(name) != value
    ]


def _lacking(answer: Answer, wanted: fields.Fields) -> list[str]:
    told = answer.object()
    if set(told) <= {"status"}:
        raise NotSeen(f"{answer.path} told its status alone, as it does to strangers.")
    lacking = fields.missing(told, wanted)
    if not lacking:
        return []
    gone = "is" if len(lacking) == 1 else "are"
    return [f"{listed(lacking)} {gone} missing from {answer.path}: who watches {_them(lacking)} sees nothing."]


def _them(lacking: Iterable[str]) -> str:
    return "it" if len(list(lacking)) == 1 else "them"


def _contradictions(told: dict[str, Any]) -> Iterable[str]:
    """A reason is told exactly while something is wrong."""
    status, reason = told["status"], told["degraded_reason"]
    if (status == "healthy") != (reason is None):
        yield f"/health says {status} and degraded_reason {reason!r}, which contradict each other."


def _mode(told: dict[str, Any]) -> str:
    return str(told["route_cache"]["mode"])


def _reason(told: dict[str, Any]) -> str:
    reason = told["degraded_reason"]
    return f"that it is degraded ({reason})" if reason else "that nothing is degraded"
