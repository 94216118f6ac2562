"""Once a day the head of the chain is noted outside the database: in a file, and at an address if there is one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from migrations_app.audit.anchor_file import BadAnchors, add_anchor, read_anchors
from migrations_app.audit.chain import Anchor
from migrations_app.audit.webhook import NotSent, send
from migrations_app.models import AuditAnchor, AuditEntry, Installation

RETRY_AFTER = timedelta(minutes=15)


def anchor_now(*, new_file: bool = False) -> AuditAnchor | None:
    """Note the head of this moment, and keep what became of it. None: the log is empty.

    A file that is lost is begun anew only where somebody says so: a new one would hide that the old one is gone.
    """
    head = AuditEntry.objects.order_by("-seq").values_list("seq", "hash").first()
    if head is None:
        return None
    anchor, at = Anchor(head[0], bytes(head[1]).hex()), datetime.now(UTC)
    no_file, no_webhook = _in_file(anchor, at, new_file), _by_webhook(anchor, at)
    row = AuditAnchor.objects.create(
        seq=anchor.seq,
        hash=anchor.hash,
        file_ok=not no_file,
        webhook_ok=not no_webhook if _webhook() else None,
        note=f"{no_file} {no_webhook}".strip()[:500],
    )
    row.refresh_from_db()
    return row


def anchor_when_due() -> AuditAnchor | None:
    """The first one of a day (UTC); one that did not come through is tried again after a while."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    done = Q(file_ok=True) & ~Q(webhook_ok=False) & Q(at__gte=today)
    if AuditAnchor.objects.filter(done | Q(at__gt=Now() - RETRY_AFTER)).exists():
        return None
    return anchor_now()


def forged_anchor(in_file: Callable[[], Collection[Anchor] | None]) -> str:
    """A sentence about a row that tells of an anchor that was none or is lost, or nothing.

    A line is written before its row, so the file is read after the rows; None: it is not looked at. What came before
    its first line was noted in another file.
    """
    entries = AuditEntry.objects.filter(seq=OuterRef("seq")).values("hash")
    rows = list(AuditAnchor.objects.annotate(there=Subquery(entries)).order_by("id"))
    found = in_file()
    noted = {one.seq for one in found or ()}
    for row in rows:
        if row.there is None or bytes(row.there).hex() != row.hash:
            return f"The log says that entry number {row.seq} was anchored with a hash that it does not have."
        if row.file_ok and found is not None and not noted:
            return f"The log says that entry number {row.seq} was anchored. {_lost()}"
        if row.file_ok and noted and row.seq >= min(noted) and row.seq not in noted:
            return f"The log says that entry number {row.seq} was anchored, and the file of the anchors does not."
    return ""


@dataclass(frozen=True)
class LastAnchor:
    """The newest attempt; `note` says what did not come through."""

    at: datetime
    seq: int
    in_file: bool
    note: str


def last_anchor() -> LastAnchor | None:
    row = AuditAnchor.objects.order_by("-id").first()
    return LastAnchor(row.at, row.seq, row.file_ok, row.note) if row else None


def _lost() -> str:
    return (
        f"The file of the anchors, {settings.LOCKSTEP_ANCHOR_FILE}, is missing or empty. Bring it or a copy back; "
        "where it was moved on purpose, `manage.py verify_audit --new-anchor-file` begins a new one."
    )


def _is_lost(path: Path) -> bool:
    """Whether earlier anchors were noted in it, and it has none. One that may be written and not read is not lost."""
    try:
        return not read_anchors(path) and AuditAnchor.objects.filter(file_ok=True).exists()
    except (BadAnchors, OSError):
        return False


def _in_file(anchor: Anchor, at: datetime, new_file: bool) -> str:
    path = Path(settings.LOCKSTEP_ANCHOR_FILE)
    if not new_file and _is_lost(path):
        return _lost()
    try:
        add_anchor(path, anchor, at.isoformat(timespec="seconds"))
    except OSError as error:
        return f"The file {path.name} cannot be written ({error.strerror})."
    return ""


def _by_webhook(anchor: Anchor, at: datetime) -> str:
    if not _webhook():
        return ""
    content = {
        "installation": str(Installation.current().uid),
        "seq": anchor.seq,
        "hash": anchor.hash,
        "anchor": f"{anchor.seq}:{anchor.hash}",
        "at": at.isoformat(timespec="seconds"),
    }
    try:
        send(_webhook(), content)
    except NotSent as failure:
        return f"The webhook did not take it: {failure}."
    return ""


def _webhook() -> str:
    return str(settings.LOCKSTEP_ANCHOR_WEBHOOK)
