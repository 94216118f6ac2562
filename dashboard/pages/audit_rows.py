"""Audit entries as rows: what was done to what, before and after, with both hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from dashboard.access import AuditEntry
from dashboard.pages.audit_filter import AuditFilter
from migrations_app.audit.chain import digest
from migrations_app.audit.verify import link_of

WINDOW = 50


@dataclass(frozen=True)
class Change:
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class AuditRow:
    seq: int
    at: datetime
    actor: str
    roles: str
    via: str
    action: str
    object: str
    denied: bool
    request_id: str
    changes: tuple[Change, ...]
    hash: str
    prev_hash: str
    recomputed: str
    drawn_at: datetime


@dataclass(frozen=True)
class AuditWindow:
    rows: tuple[AuditRow, ...]
    older: int | None


def read_audit(entries: QuerySet[AuditEntry], wanted: AuditFilter) -> AuditWindow:
    rows = wanted.narrow(entries).order_by("-seq")
    found = list(rows[: WINDOW + 1])
    shown = found[:WINDOW]
    return AuditWindow(tuple(draw_row(entry) for entry in shown), shown[-1].seq if len(found) > WINDOW else None)


def draw_row(entry: AuditEntry) -> AuditRow:
    data = entry.data if isinstance(entry.data, dict) else {}
    link = link_of(entry.seq, entry.at, entry.body, entry.prev_hash, entry.hash)
    return AuditRow(
        seq=entry.seq,
        at=entry.at,
        actor=str(data.get("actor") or ""),
        roles=", ".join(str(role) for role in data.get("roles") or ()),
        via=str(data.get("via_token") or ""),
        action=str(data.get("action") or ""),
        object=str(data.get("object") or ""),
        denied=data.get("action") == "denied",
        request_id=str(data.get("request_id") or ""),
        changes=_changes(data.get("before"), data.get("after")),
        hash=link.hash.hex(),
        prev_hash=link.prev_hash.hex(),
        recomputed=digest(link.prev_hash, link.seq, link.at_us, link.body).hex(),
        drawn_at=timezone.now(),
    )


def _changes(before: object, after: object) -> tuple[Change, ...]:
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    names = dict.fromkeys([*old, *new])
    shown = (Change(name, _shown(old, name), _shown(new, name)) for name in names if old.get(name) != new.get(name))
    return tuple(change for change in shown if change.before or change.after)


def _shown(values: dict[str, object], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)
