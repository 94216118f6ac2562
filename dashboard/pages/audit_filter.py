"""What the address of the audit log asks for, its rows, and the same filter in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpRequest

from dashboard.access import AuditEntry
from dashboard.pages.query import InForce, address, moment, numbered_place, word
from dashboard.templatetags.text import utc


@dataclass(frozen=True)
class AuditFilter:
    actor: str = ""
    action: str = ""
    object: str = ""
    request: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None

    @property
    def narrows(self) -> bool:
        return any((self.actor, self.action, self.object, self.request, self.since, self.until))

    def narrow(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        asked = {
            "data__actor": self.actor,
            "data__action__startswith": self.action,
            "data__object__startswith": self.object,
            "data__request_id": self.request,
            "at__gte": self.since,
            "at__lt": self.until,
            "seq__lt": self.before,
        }
        return entries.filter(**{name: value for name, value in asked.items() if value not in (None, "")})


def read_filter(request: HttpRequest) -> AuditFilter:
    """Raises BadAddress where the address was spoilt: it must not pass for no filter."""
    return AuditFilter(
        actor=word(request, "actor"),
        action=word(request, "action"),
        object=word(request, "object"),
        request=word(request, "request"),
        since=moment(request, "since"),
        until=moment(request, "until"),
        before=numbered_place(request, "before", "audit"),
    )


def in_force(request: HttpRequest, wanted: AuditFilter) -> list[InForce]:
    told = {
        "actor": f"by {wanted.actor}",
        "action": f"action begins with {wanted.action}",
        "object": f"object begins with {wanted.object}",
        "request": f"request {wanted.request}",
        "since": f"since {utc(wanted.since)}" if wanted.since else "",
        "until": f"before {utc(wanted.until)}" if wanted.until else "",
    }
    chosen = [name for name in told if getattr(wanted, name)]
    return [InForce(told[name], address(request, **{name: None, "before": None})) for name in chosen]
