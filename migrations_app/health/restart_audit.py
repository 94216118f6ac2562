"""What the watchdog did enters the audit log here: it has no database of its own to write to."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import transaction

from migrations_app.audit.record import record
from migrations_app.health.restarts import OBJECT
from migrations_app.models import AuditEntry
from migrations_app.watchdog.entry import BLOCKED, EXECUTED, FAILED, Entry
from migrations_app.watchdog.files import read_state

ACTIONS = {EXECUTED: "restart_executed", BLOCKED: "restart_blocked", FAILED: "restart_failed"}
_LOOKED_AT = 200  # entries of the audit log; far more than the watchdog keeps


def note_outcomes() -> int:
    """Each outcome once, told apart by the moment it came to; return how many were new. For one caller at a time."""
    history = read_state(Path(settings.RUNTIME_CONTRACT.watchdog_state_file)).history
    if not history:
        return 0
    known = _known()
    new = [entry for entry in history if entry.completed_at.isoformat() not in known]
    for entry in new:
        with transaction.atomic():
            record(actor=None, action=ACTIONS[entry.decision], object=OBJECT, after=_noted(entry))
    return len(new)


def _known() -> set[str]:
    about = AuditEntry.objects.filter(data__object=OBJECT).order_by("-seq").values_list("data__after", flat=True)
    return {str(after.get("completed_at")) for after in about[:_LOOKED_AT] if after}


def _noted(entry: Entry) -> dict[str, object]:
    return {
        "requested_by": entry.requested_by,
        "requested_at": None if entry.requested_at is None else entry.requested_at.isoformat(),
        "requested_ip": entry.requested_ip,
        "completed_at": entry.completed_at.isoformat(),
        "decision_reason": entry.decision_reason,
        "manual_override": entry.manual_override,
    }
