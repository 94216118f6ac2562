"""What happened last, merged: runs as they stand, and what people changed, from the audit log.

A run is told once, by the newest thing known about it, so that its request, start and end do not fill the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from migrations_app.models import Run
from migrations_app.runs.verdict import TOLD_FIELDS, elapsed, verdict

SHOWN = 20
READ = 200  # audit entries: one upload writes many
LOOKED_BACK = 2_000  # numbers: what lies further back is not among the last twenty of anything

# action: the shape, and the words between who did it and what it was done to. What is not here is not told.
TOLD: dict[str, tuple[str, str]] = {
    "service.create": ("info", "added service"),
    "environment.create": ("info", "added environment"),
    "environment.edit": ("info", "changed environment"),
    "environment.change_dsn": ("info", "changed the address of"),
    "environment.prove": ("info", "proved the target of"),
    "environment.name_backup": ("info", "named a backup to rehearse on for"),
    "environment.forget_backup": ("info", "took away the backup of"),
    "environment.accept_target": ("warning", "accepted the target of"),
    "environment.remove": ("info", "removed environment"),
    "revision.create": ("info", "put"),
    "revision.change": ("info", "replaced"),
    "revision.change_refused": ("warning", "was refused other bytes for"),
    "credentials.rotate": ("info", "encrypted the stored addresses anew"),
    "run.pause": ("info", "asked for a pause of"),
    "run.resume": ("info", "resumed"),
    "run.cancel": ("info", "asked to cancel"),
    "run.resolve.done": ("person", "decided that it was done:"),
    "run.resolve.not_done": ("person", "decided that it was not done:"),
    "run.resolve.abandon": ("person", "gave up"),
}


@dataclass(frozen=True)
class RunEvent:
    """The newest thing known about a run."""

    at: datetime
    run: Run
    sentence: str

    @property
    def took_ms(self) -> float | None:
        lasted = elapsed(self.run)
        return lasted.total_seconds() * 1000 if lasted else None


@dataclass(frozen=True)
class AuditEvent:
    """Entries of one request that did the same are one event; `count` is then more than 1."""

    at: datetime
    shape: str
    actor: str
    words: str
    kind: str  # service, environment, revision, run
    service: str
    name: str
    count: int
    least: bool  # there may have been more than were read
    gone: bool = False  # what it was done to is there no longer


Event = RunEvent | AuditEvent


def last_events(open_runs: Iterable[Run], *, audit: bool) -> tuple[Event, ...]:
    """Newest first; two queries at most. Without the right to read the audit log, only runs are told."""
    told: list[Event] = [
        RunEvent(run.started_at or run.created_at, run, verdict(run)) for run in open_runs if run.finished_at is None
    ]
    told.extend(RunEvent(run.finished_at, run, verdict(run)) for run in _ended() if run.finished_at)
    if audit:
        told.extend(_changes())
    return tuple(sorted(told, key=lambda event: event.at, reverse=True)[:SHOWN])


_CHANGES = """
SELECT at, data ->> 'actor', data ->> 'action', data ->> 'object', data ->> 'request_id'
  FROM migrations_app_auditentry
 WHERE seq > (SELECT max(seq) FROM migrations_app_auditentry) - %s AND data ->> 'action' = ANY(%s)
 ORDER BY seq DESC LIMIT %s
"""


def _ended() -> Iterable[Run]:
    return (
        Run.objects.filter(finished_at__isnull=False)
        .select_related("environment", "requested_by")
        .only(*TOLD_FIELDS)
        .order_by("-finished_at")[:SHOWN]
    )


def _changes() -> list[AuditEvent]:
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, [LOOKED_BACK, list(TOLD), READ])
        return _grouped(cursor.fetchall())


def _grouped(rows: Iterable[tuple[datetime, str, str, str, str]]) -> list[AuditEvent]:
    """Neighbours of one request with the same action on things of one service become one."""
    groups: list[tuple[tuple[str, ...], list[tuple[datetime, str]]]] = []
    read = 0
    for at, actor, action, object, request_id in rows:
        read += 1
        kind, _, name = object.partition(":")
        key = (actor, action, kind, name.partition("/")[0] if "/" in name else name, request_id)
        if groups and groups[-1][0] == key and request_id:
            groups[-1][1].append((at, name))
        else:
            groups.append((key, [(at, name)]))
    last = len(groups) - 1
    return [_event(key, things, read == READ and place == last) for place, (key, things) in enumerate(groups)]


def _event(key: tuple[str, ...], things: list[tuple[datetime, str]], least: bool) -> AuditEvent:
    actor, action, kind, service, _ = key
    shape, words = TOLD[action]
    at, name = things[0]
    return AuditEvent(
        at=at,
        shape=shape,
        actor=actor,
        words=words,
        kind=kind,
        service=service,
        name=name.partition("/")[2] or name,
        count=len(things),
        least=least and len(things) > 1,
        gone=action == "environment.remove",
    )
