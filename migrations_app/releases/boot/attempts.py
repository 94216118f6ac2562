"""How services started: recorded by whoever starts them, counted for a page and for metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from migrations_app.engine.errors import Refused
from migrations_app.models import BootAttempt, Environment
from migrations_app.releases.boot.known import Asked
from migrations_app.releases.boot.nodes import check_asked
from migrations_app.releases.boot.phases import default_graph
from migrations_app.statuses import BootOutcome

COUNTED_FOR = timedelta(days=30)
KEPT_FOR = timedelta(days=90)
MOST_REASONS, LONGEST_REASON, LONGEST_S, MOST_TRIES = 20, 500, 7 * 24 * 3600, 100_000
LISTED = 50
MOST_CODES, NO_REASON = 100, "none"
_BOOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}\Z")

# A later word about the same start completes it; what happened first stays.
_KEEP = """
INSERT INTO migrations_app_bootattempt AS b
       (environment_id, boot, node, release_id, started_at, ended_at, phase, outcome, reasons, tries, first_request_ok)
VALUES (%(environment)s, %(boot)s, %(node)s, %(release_id)s, statement_timestamp() - %(seconds)s * interval '1 s',
        statement_timestamp(), %(phase)s, %(outcome)s, %(reasons)s::jsonb, %(tries)s, %(first_request_ok)s)
ON CONFLICT (environment_id, boot) DO UPDATE
   SET first_request_ok = COALESCE(b.first_request_ok, EXCLUDED.first_request_ok)
RETURNING id, xmax = 0
"""
# The first reason is that of the earliest phase. Codes come from outside: past so many, another one is `other`.
_COUNT = """
INSERT INTO migrations_app_bootfailure AS f (phase, reason, count)
SELECT %(phase)s, CASE WHEN EXISTS (SELECT FROM migrations_app_bootfailure WHERE reason = %(reason)s)
                         OR (SELECT count(DISTINCT reason) FROM migrations_app_bootfailure) < %(most)s
                       THEN %(reason)s ELSE 'other' END, 1
ON CONFLICT (phase, reason) DO UPDATE SET count = f.count + 1
"""


@dataclass(frozen=True)
class Attempt:
    """`seconds` it took; `tries` questions to the gate; `first_request_ok` once somebody knows."""

    boot: str
    outcome: str
    node: str = ""
    release_id: str = ""
    phase: str = ""  # empty: the last one
    reasons: tuple[tuple[str, str], ...] = ()  # code and sentence
    tries: int = 1
    seconds: float = 0.0
    first_request_ok: bool | None = None


@dataclass(frozen=True)
class BootTally:
    """Of the last 30 days. A share is None where nothing can be counted."""

    total: int
    allowed: int
    without_retry: int  # allowed at the first question
    failures: tuple[tuple[str, int], ...]  # by phase, the most first
    first_requests: int  # of which somebody told
    first_request_errors: int

    @property
    def without_retry_rate(self) -> float | None:
        """Of all starts; None where none of them was allowed."""
        return self.without_retry / self.total if self.allowed else None

    @property
    def without_retry_percent(self) -> int | None:
        """Rounded, but never to all or nothing where that is not so."""
        if not self.allowed:
            return None
        rounded = round(100 * self.without_retry / self.total)
        most = 100 if self.without_retry == self.total else 99
        return min(max(rounded, 1 if self.without_retry else 0), most)


def record_attempt(*, environment: Environment, attempt: Attempt) -> BootAttempt:
    """Keep one start. The same `boot` again only adds how its first request went. Without an audit entry."""
    _check(attempt)
    phase = attempt.phase or default_graph().last.key
    given = {
        **vars(attempt),
        "environment": environment.pk,
        "phase": phase,
        "reasons": json.dumps([[code[:63], sentence[:LONGEST_REASON]] for code, sentence in attempt.reasons]),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_KEEP, given)
        pk, new = cursor.fetchone()
        if new and attempt.outcome != BootOutcome.ALLOW:
            reason = attempt.reasons[0][0][:63] if attempt.reasons else NO_REASON
            cursor.execute(_COUNT, {"phase": phase, "reason": reason, "most": MOST_CODES})
    return BootAttempt.objects.get(pk=pk)


def tally(environment: Environment) -> BootTally:
    """Two queries."""
    rows = BootAttempt.objects.filter(environment=environment, ended_at__gt=Now() - COUNTED_FOR)
    allowed = Q(outcome=BootOutcome.ALLOW)
    counted = rows.aggregate(
        total=Count("pk"),
        allowed=Count("pk", filter=allowed),
        without_retry=Count("pk", filter=allowed & Q(tries__lte=1)),
        first_requests=Count("first_request_ok"),
        first_request_errors=Count("pk", filter=Q(first_request_ok=False)),
    )
    failed = rows.exclude(outcome=BootOutcome.ALLOW).values_list("phase").annotate(n=Count("pk"))
    return BootTally(failures=tuple(failed.order_by("-n", "phase")), **counted)


def list_attempts(environment: Environment, most: int = LISTED) -> Sequence[BootAttempt]:
    """The newest first."""
    return tuple(BootAttempt.objects.filter(environment=environment).order_by("-id")[:most])


def sweep() -> None:
    BootAttempt.objects.filter(ended_at__lt=Now() - KEPT_FOR).delete()


def _check(attempt: Attempt) -> None:
    check_asked(Asked(release_id=attempt.release_id, node=attempt.node))
    if not _BOOT.match(attempt.boot):
        raise _bad("The id of the start is not 1 to 100 letters, digits and . _ : -.")
    if attempt.outcome not in BootOutcome.values:
        raise _bad(f"{attempt.outcome[:80]!r} is no outcome; there are {', '.join(BootOutcome.values)}.")
    if attempt.phase and attempt.phase not in default_graph():
        known = ", ".join(phase.key for phase in default_graph().phases)
        raise _bad(f"{attempt.phase[:80]!r} is no phase; there are {known}.")
    if len(attempt.reasons) > MOST_REASONS:
        raise _bad(f"{len(attempt.reasons)} reasons are too many; the most is {MOST_REASONS}.")
    if not (1 <= attempt.tries <= MOST_TRIES and 0 <= attempt.seconds <= LONGEST_S):
        raise _bad(f"A start takes 1 to {MOST_TRIES} tries and at most {LONGEST_S} seconds.")


def _bad(message: str) -> Refused:
    return Refused("bad_report", message, not_done="Nothing was kept.", next_step="See docs/boot-gate.md.")
