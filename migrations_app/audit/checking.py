"""The chain is checked by the clock, and what was found is kept for every page to tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from migrations_app.audit.anchor_file import BadAnchors, read_anchors
from migrations_app.audit.anchoring import forged_anchor
from migrations_app.audit.chain import Anchor, FirstBad, Verdict
from migrations_app.audit.verify import verify
from migrations_app.models import AuditCheck

CHECK_EVERY = timedelta(minutes=5)
# A chain of years takes long to read: no more than a twentieth of one core goes into it.
REST = 20


def check_and_keep(beside: Callable[[], str] = lambda: "") -> Verdict:
    """Recompute every hash now. A chain that holds again takes back what an earlier check found.

    The head that was last verified must still be there: it stays the anchor until a check finds it; so must those of
    the file. Where the chain holds, `beside` says what else does not: what rows elsewhere were changed to.
    """
    began = time.monotonic()
    kept = AuditCheck.objects.filter(id=1, head_seq__gt=0).first()
    anchor = Anchor(kept.head_seq, kept.head_hash) if kept else None
    verdict = _verified([anchor] if anchor else [])
    head = Anchor(verdict.head_seq, verdict.head_hash) if verdict.ok or anchor is None else anchor
    if verdict.ok and (found_beside := beside()):
        verdict = replace(verdict, ok=False, first_bad=FirstBad(verdict.head_seq, "beside", found_beside))
    found = {
        "checked_at": Now(),
        "took_ms": round((time.monotonic() - began) * 1000),
        "ok": verdict.ok,
        "checked": verdict.checked,
        "head_seq": head.seq,
        "head_hash": head.hash,
        "sentence": verdict.sentence[:500],
    }
    # What another check kept in the meantime may be newer: that all is well does not overwrite it.
    since = AuditCheck.objects.filter(id=1, checked_at__gt=kept.checked_at) if kept and verdict.ok else None
    if since is None or not since.exists():
        AuditCheck.objects.update_or_create(id=1, defaults=found)
    return verdict


def _verified(anchors: list[Anchor]) -> Verdict:
    try:
        verdict = verify(anchors=[*anchors, *(_in_file() or ())])
        forged = forged_anchor(_in_file) if verdict.ok else ""
    except BadAnchors as bad:
        verdict, forged = verify(anchors=anchors), str(bad)
    bad_one = verdict.first_bad or (FirstBad(verdict.head_seq, "anchor", forged) if forged else None)
    return replace(verdict, ok=bad_one is None, first_bad=bad_one)


def _in_file() -> tuple[Anchor, ...] | None:
    """None: a file that this process may not read is checked by the process that writes it. Raises BadAnchors."""
    try:
        return read_anchors(Path(settings.LOCKSTEP_ANCHOR_FILE))
    except OSError:
        return None


@dataclass(frozen=True)
class LastCheck:
    at: datetime
    ok: bool
    head_seq: int
    head_hash: str
    sentence: str
    rest: timedelta  # how long the next one may wait

    @property
    def late(self) -> bool:
        """The next one should have been made long ago."""
        return timezone.now() - self.at > 2 * self.rest


def last_check() -> LastCheck | None:
    kept = AuditCheck.objects.filter(id=1).first()
    if kept is None:
        return None
    rest = max(CHECK_EVERY, timedelta(milliseconds=kept.took_ms * REST))
    return LastCheck(kept.checked_at, kept.ok, kept.head_seq, kept.head_hash, kept.sentence, rest)


def check_when_due(beside: Callable[[], str] = lambda: "") -> Verdict | None:
    """What a check found, or None while the last one is young enough."""
    last = last_check()
    if last and AuditCheck.objects.filter(id=1, checked_at__gt=Now() - last.rest).exists():
        return None
    return check_and_keep(beside)
