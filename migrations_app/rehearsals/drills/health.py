"""One look at an environment's health address, which an administrator stored: bounded, and never led elsewhere.

No redirect is followed and no proxy asked; of the answer only its status and its reason are kept, for whoever may run
a drill need not be one who may read that page.
"""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.models import User

from migrations_app.models import Drill, DrillCheck
from migrations_app.models.drill import CheckKind, Side
from migrations_app.outbound.limit import within
from migrations_app.rehearsals.drills import refusals
from migrations_app.rehearsals.drills.remarks import Seen, add_check

TIMEOUT_S = 5.0
MOST_BYTES = 64 * 1024
NAME = "health address"
# Better comes later; what another application calls it counts as unknown, which is below all of them.
RANKS = {"unhealthy": 1, "degraded": 2, "ok": 3, "healthy": 3}


@dataclass(frozen=True)
class Answer:
    """`code` 0: nobody answered, and `status` says why."""

    code: int
    status: str
    reason: str = ""

    @property
    def words(self) -> str:
        told = f"{self.code} {self.status}".strip() if self.code else self.status
        return f"{told}: {self.reason}" if self.reason else told


def ask(url: str, timeout_s: float = TIMEOUT_S) -> Answer:
    """GET it, once. Whatever goes wrong on the way is an answer too; only http and https are asked."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Answer(0, "no http or https address")
    try:
        port = parts.port
    except ValueError:
        return Answer(0, "no http or https address")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, port, timeout=timeout_s)
    asked = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    with closing(connection), within(timeout_s) as limit:
        try:
            connection.connect()
            limit.guard(connection.sock)
            connection.request("GET", asked, headers={"Accept": "application/json", "User-Agent": "lockstep-drill"})
            response = connection.getresponse()
            answer = _told(response.status, response.read(MOST_BYTES))
        except TimeoutError:
            answer = Answer(0, f"no answer within {timeout_s:g} s")
        except (OSError, http.client.HTTPException, ValueError) as error:
            answer = Answer(0, f"no answer: {type(error).__name__}")
    return Answer(0, f"no answer within {timeout_s:g} s") if limit.over else answer


def _told(code: int, raw: bytes) -> Answer:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return Answer(code, "")
    return Answer(code, _word(body.get("status"), 40), _word(body.get("degraded_reason"), 300))


def _word(value: object, most: int) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable())[:most].strip()


def take_health(drill: Drill, *, side: str, by: User, timeout_s: float = TIMEOUT_S) -> DrillCheck:
    """Ask, then record what was heard. After the recovery it has to be at least what it was before."""
    url = drill.environment.health_url
    if not url:
        raise refusals.refuse(
            "no_health_url",
            f"{drill.environment.name} has no health address.",
            "An administrator can give it one; until then note a health check by hand.",
        )
    answer = ask(url, timeout_s)
    base = _baseline(drill) if side == Side.AFTER else ""
    seen = Seen(
        side=side,
        kind=CheckKind.HEALTH,
        name=NAME,
        passed=passes(answer, base) if side == Side.AFTER else answer.code == 200,
        expected=(base or "200 healthy") if side == Side.AFTER else "200",
        got=answer.words,
    )
    return add_check(drill, seen=seen, by=by, measured=True)


def passes(answer: Answer, baseline: str) -> bool:
    """200, not worse than before, and no reason of degradation that was not there before."""
    if answer.code != 200:
        return False
    words, _, reason = baseline.partition(": ")
    wanted = RANKS.get(words.rpartition(" ")[2], 0) if baseline else RANKS["healthy"]
    known = answer.reason in ("", reason)
    return known and RANKS.get(answer.status, 3 if not answer.status else 0) >= wanted


def _baseline(drill: Drill) -> str:
    """What the address said before the failure; empty when nobody asked it then, or nobody answered."""
    taken = drill.checks.filter(side=Side.BEFORE, kind=CheckKind.HEALTH, measured=True, passed=True).last()
    return taken.got if taken else ""
