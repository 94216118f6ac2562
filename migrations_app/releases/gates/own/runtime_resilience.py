"""Under pressure it answers at once and honestly: a full pool and an open circuit are made, each in its own process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from migrations_app.releases.gates.own import client, schema
from migrations_app.releases.gates.own.installation import Installation
from migrations_app.releases.gates.own.seen import Seen, bad, good, judged, listed

FULL, OPEN = "DB_POOL_EXHAUSTED", "CIRCUIT_BREAKER_OPEN"
FAST_S = 1.0  # a pool alone would be waited for twice as long
# One failure opens it, so that the look is short; on and off is as it is here.
EAGER = {"CIRCUIT_BREAKER_WINDOW_SIZE": "1", "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "1"}
POOLED = {"LOCKSTEP_WEB_POOL": "1", "LOCKSTEP_DEBUG": "", "LOCKSTEP_LOG_LEVEL": "CRITICAL"}


def pool_exhausted(place: Installation) -> Seen:
    said = place.alone("full_pool", **POOLED)
    full, after = said["full"], said["after"]
    broken = list(_refusal("With every connection of a pool in use", full, FULL))
    if after["status"] != 401:
        broken.append(
            f"With the connections handed back, a request got {after['status']} {after['code']}, and not 401."
        )
    return judged(
        broken,
        f"With all {said['connections']} connections of a small pool in use a request got 503 {FULL} after "
        f"{full['seconds']:.1f} s, told to wait {full['retry_after']} s; handed back, the next one was served.",
    )


def breaker(place: Installation) -> Seen:
    said = place.alone("open_breaker", LOCKSTEP_DATABASE_URL_FILE="", **POOLED, **EAGER)
    first, seconds = said["first"], said["seconds"]
    if first["code"] != OPEN:
        return bad(
            f"The database failed {said['calls_before']} times and more, and the circuit never opened: requests got "
            f"{first['status']} {first['code']} after {first['seconds']:.1f} s each. Is CIRCUIT_BREAKER_ENABLED off?"
        )
    broken = list(_refusal("With the circuit open", first, OPEN))
    if said["calls"]:
        broken.append(f"With the circuit open the database was called {said['calls']} times; nobody may.")
    if set(said["refused"]) != {OPEN}:
        broken.append(f"With the circuit open requests got {listed(sorted(set(said['refused'])))}.")
    # The middle one of them: a busy machine may be late with any.
    middle = seconds[len(seconds) // 2]
    if middle > FAST_S:
        broken.append(f"With the circuit open a request waited {middle:.1f} s, which is not failing fast.")
    return judged(
        broken,
        f"With the circuit open {len(said['refused'])} requests got 503 {OPEN}, each in about {middle * 1000:.0f} ms, "
        "and the database was not called once.",
    )


def client_retries(place: Installation) -> Seen:
    return client.look(place)


def way_back(place: Installation) -> Seen:
    """Lockstep's own schema changes can be taken back: the way that its tests go is there."""
    number, stuck = schema.without_way_back()
    if stuck:
        return bad(f"{listed(stuck)} cannot be taken back, so an upgrade of Lockstep could not be either.")
    return good(f"Each of Lockstep's own {number} migrations has a way back.")


def _refusal(when: str, told: Mapping[str, Any], code: str) -> Iterator[str]:
    if (told["status"], told["code"]) != (503, code):
        yield f"{when} a request got {told['status']} {told['code'] or 'without a code'}, and not 503 {code}."
        return
    if not told["retry_after"].isdigit() or int(told["retry_after"]) < 1:
        yield f"{when} the answer has the header Retry-After as {told['retry_after']!r}, and not in whole seconds."
    elif told["wait"] != int(told["retry_after"]):
        yield f"{when} the answer says {told['wait']} s in its body and {told['retry_after']} s in its header."
