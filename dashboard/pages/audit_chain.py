"""What the audit page says of the chain as a whole, and the chain as a file that is checked elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.access import AuditEntry
from dashboard.templatetags.text import utc
from migrations_app.audit.anchoring import LastAnchor
from migrations_app.audit.checking import LastCheck
from migrations_app.audit.export import line_of
from migrations_app.audit.verify import stored_links


@dataclass(frozen=True)
class Head:
    seq: int
    hash: str
    written: str

    @property
    def anchor(self) -> str:
        """What to note outside the database, in the form that the verifier takes."""
        return f"{self.seq}:{self.hash}"

    @property
    def file(self) -> str:
        return f"audit-to-{self.seq}.jsonl"


@dataclass(frozen=True)
class ChainLine:
    """The first sentence of the page, and what it rests on."""

    sentence: str
    evidence: str


def head_of(entries: QuerySet[AuditEntry]) -> Head | None:
    newest = entries.order_by("-seq").first()
    return Head(newest.seq, bytes(newest.hash).hex(), utc(newest.at)) if newest else None


def chain_line(check: LastCheck | None, head: Head | None, entries: QuerySet[AuditEntry]) -> ChainLine:
    """From the last check, which has to be read before the head: the page itself recomputes only the rows it shows."""
    bad = _broken(check, head, entries) if check else ""
    if check and bad:
        return ChainLine("The audit log is not what was written.", f"{bad} Checked {utc(check.at)}.")
    if head is None:
        return ChainLine("The audit log is empty.", "Every change is written here in the transaction that makes it.")
    kept = f"{head.seq} audit {'entry' if head.seq == 1 else 'entries'}"
    if check is None:
        return ChainLine(f"{kept}, not verified yet.", "The scheduler verifies all of them every few minutes.")
    if check.late:
        return ChainLine(
            f"{kept}, not verified since {utc(check.at)}.",
            f"Then they held to number {check.head_seq}. The scheduler should have verified them again: is it running?",
        )
    return ChainLine(f"{kept}, verified to number {check.head_seq}.", f"Checked {utc(check.at)}.")


def anchor_line(anchor: LastAnchor | None) -> str:
    """When the head was last noted where a change of the database does not reach."""
    if anchor is None:
        return "Its head was not noted outside the database yet."
    if not anchor.in_file:
        return f"Not anchored {utc(anchor.at)}: {anchor.note}"
    return f"Anchored {utc(anchor.at)} at number {anchor.seq}. {anchor.note}".rstrip()


def _broken(check: LastCheck, head: Head | None, entries: QuerySet[AuditEntry]) -> str:
    """What the check found, or what became since of the head that it verified."""
    last = head.seq if head else 0
    if not check.ok:
        return check.sentence
    if check.head_seq > last:
        return f"It ends at number {last}, but number {check.head_seq} was verified: the tail was cut off."
    if check.head_seq and check.head_hash != _hash_of(check.head_seq, head, entries):
        return f"Number {check.head_seq} is not the entry that was verified: the tail was exchanged."
    return ""


def _hash_of(seq: int, head: Head | None, entries: QuerySet[AuditEntry]) -> str:
    if head and seq == head.seq:
        return head.hash
    found = entries.filter(seq=seq).values_list("hash", flat=True).first()
    return bytes(found).hex() if found else ""


@require_safe
def audit_export(request: HttpRequest) -> StreamingHttpResponse:
    """All entries up to the head of this moment, whatever the page was narrowed to: gaps would prove nothing."""
    head = head_of(access.audit_for(request.user, "verify_audit"))
    if head is None:
        raise Http404("The audit log is empty.")
    links = takewhile(lambda link: link.seq <= head.seq, stored_links())
    answer = StreamingHttpResponse(map(line_of, links), content_type="application/x-ndjson")
    answer["Content-Disposition"] = f'attachment; filename="{head.file}"'
    return answer
