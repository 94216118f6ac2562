"""The calendar of freezes: times in which nothing is applied to production, for one service or for all."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import Freeze, Service
from migrations_app.moments import in_utc
from migrations_app.reasons import require_reason

LONGEST = timedelta(days=366)
NOT_DONE = "The calendar was not changed."


def freeze_of(service_id: int) -> Freeze | None:
    """The one that holds now and ends last."""
    holding = standing_freezes().filter(starts_at__lte=Now())
    return holding.filter(Q(service=None) | Q(service_id=service_id)).order_by("-ends_at").first()


def standing_freezes() -> QuerySet[Freeze]:
    """Those that hold or are to come."""
    return Freeze.objects.filter(lifted_at=None, ends_at__gt=Now()).order_by("starts_at")


def add_freeze(*, service: Service | None, starts_at: datetime, ends_at: datetime, reason: str, by: User) -> Freeze:
    """Raises Refused("bad_freeze"), Refused("reason_missing")."""
    require_reason(reason, "A freeze", not_done=NOT_DONE, next_step="Say what it is for.")
    try:
        starts_at, ends_at = in_utc(starts_at), in_utc(ends_at)
    except ValueError as wrong:
        told = str(wrong)
        raise _refused("bad_freeze", f"{told[0].upper()}{told[1:]}.", "Correct the two moments.") from None
    if not starts_at < ends_at <= starts_at + LONGEST:
        raise _refused("bad_freeze", "A freeze ends after it begins, and within a year.", "Correct the two moments.")
    with transaction.atomic():
        row = Freeze.objects.create(
            service=service, starts_at=starts_at, ends_at=ends_at, reason=reason.strip(), created_by=by
        )
        after = {"freeze": row.pk, "starts_at": starts_at, "ends_at": ends_at, "reason": reason}
        record(actor=by, action="freeze.add", object=_object(row), after=after)
    return row


def lift_freeze(freeze: Freeze, *, reason: str, by: User) -> Freeze:
    """End it before its time. Raises Refused("freeze_is_over"), Refused("reason_missing")."""
    require_reason(reason, "Lifting a freeze", not_done=NOT_DONE, next_step="Say why.")
    with transaction.atomic():
        standing = Freeze.objects.filter(pk=freeze.pk, lifted_at=None, ends_at__gt=Now())
        if not standing.update(lifted_at=Now(), lifted_by=by):
            raise _refused("freeze_is_over", "This freeze is over already.", "Nothing is left to do.")
        record(actor=by, action="freeze.lift", object=_object(freeze), after={"freeze": freeze.pk, "reason": reason})
    freeze.refresh_from_db()
    return freeze


def _object(freeze: Freeze) -> str:
    return f"service:{freeze.service.name}" if freeze.service else "freezes"


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done=NOT_DONE, next_step=next_step)
