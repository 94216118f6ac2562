"""Audit entries as rows: what was done to what, before and after, with both hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from dashboard.access import AuditEntry

WINDOW = 50


@dataclass(frozen=True)
class AuditFilter:
    actor: str = ""
    action: str = ""
    object: str = ""
    before: int | None = None

    @property
    def narrows(self) -> bool:
        return bool(self.actor or self.action or self.object)


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


@dataclass(frozen=True)
class AuditWindow:
    rows: tuple[AuditRow, ...]
    older: int | None


@dataclass(frozen=True)
class Head:
    seq: int
    hash: str
    at: datetime

    @property
    def anchor(self) -> str:
        """What to note outside the database, in the form that the verifier takes."""
        return f"{self.seq}:{self.hash}"


def head_of(entries: QuerySet[AuditEntry]) -> Head | None:
    newest = entries.order_by("-seq").first()
    return Head(newest.seq, bytes(newest.hash).hex(), newest.at) if newest else None


def read_audit(entries: QuerySet[AuditEntry], wanted: AuditFilter) -> AuditWindow:
    rows = entries.order_by("-seq")
    if wanted.actor:
        rows = rows.filter(data__actor=wanted.actor)
    if wanted.action:
        rows = rows.filter(data__action__startswith=wanted.action)
    if wanted.object:
        rows = rows.filter(data__object__startswith=wanted.object)
    if wanted.before is not None:
        rows = rows.filter(seq__lt=wanted.before)
    found = list(rows[: WINDOW + 1])
    shown = found[:WINDOW]
    return AuditWindow(tuple(draw_row(entry) for entry in shown), shown[-1].seq if len(found) > WINDOW else None)


def draw_row(entry: AuditEntry) -> AuditRow:
    data = entry.data if isinstance(entry.data, dict) else {}
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
        hash=bytes(entry.hash).hex(),
        prev_hash=bytes(entry.prev_hash).hex(),
    )


def _changes(before: object, after: object) -> tuple[Change, ...]:
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    names = dict.fromkeys([*old, *new])
    return tuple(Change(name, _shown(old, name), _shown(new, name)) for name in names if old.get(name) != new.get(name))


def _shown(values: dict[str, object], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)
