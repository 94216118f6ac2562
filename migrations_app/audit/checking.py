"""The chain is checked by the clock, and what was found is kept for every page to tell."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db.models.functions import Now

from migrations_app.audit.chain import Verdict
from migrations_app.audit.verify import verify
from migrations_app.models import AuditCheck

CHECK_EVERY = timedelta(minutes=5)
# A chain of years takes long to read: no more than a twentieth of one core goes into it.
REST = 20


def check_and_keep() -> Verdict:
    """Recompute every hash now. A chain that holds again takes back what an earlier check found."""
    began = time.monotonic()
    verdict = verify()
    AuditCheck.objects.update_or_create(
        id=1,
        defaults={
            "checked_at": Now(),
            "took_ms": round((time.monotonic() - began) * 1000),
            "ok": verdict.ok,
            "checked": verdict.checked,
            "head_seq": verdict.head_seq,
            "head_hash": verdict.head_hash,
            "sentence": verdict.sentence[:500],
        },
    )
    return verdict


def check_when_due() -> Verdict | None:
    """What a check found, or None while the last one is young enough."""
    last = AuditCheck.objects.values_list("took_ms", flat=True).filter(id=1).first() or 0
    rest = max(CHECK_EVERY, timedelta(milliseconds=last * REST))
    if AuditCheck.objects.filter(id=1, checked_at__gt=Now() - rest).exists():
        return None
    return check_and_keep()
