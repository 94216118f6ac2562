"""What the receipts of a target say beside its ledger: one sentence, and where the two part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from migrations_app.engine.contract.receipts import Receipt
from migrations_app.models import Environment, LedgerEntry, Revision


@dataclass(frozen=True)
class Comparison:
    """`note` is the page's sentence, empty when everything agrees; `broken` what is wrong with the receipts themselves.

    `differs_from` is the first receipt that the ledger has otherwise, or alone; lacking receipts is no difference.
    """

    note: str
    broken: str
    differs_from: int | None


def compare_receipts(
    environment: Environment, receipts: Sequence[Receipt], known: Mapping[int, LedgerEntry]
) -> Comparison:
    broken = _broken_chain(receipts)
    changed, missing = _changed(receipts, known), sorted(set(known) - {receipt.seq for receipt in receipts})
    places = [changed.seq] if changed else []
    note = broken or _other_bytes(environment, receipts)
    if changed:
        note = note or _told(changed, known[changed.seq])
    return Comparison(note or _restored(missing), broken, min(places + missing[:1], default=None))


def _broken_chain(receipts: Sequence[Receipt]) -> str:
    """The constraints in the target refuse this; it is looked at all the same, because the page claims it."""
    head, seen = "", set()
    for number, receipt in enumerate(receipts, start=1):
        before = receipt.parent if receipt.direction == "up" else receipt.revision_id
        if receipt.seq != number or before != head:
            return f"Receipt {receipt.seq} ({receipt.revision_id}) is out of order in the target."
        key = (receipt.revision_id, receipt.cycle, receipt.direction)
        if key in seen:
            return f"Receipt {receipt.seq} says a second time that {receipt.revision_id} went {receipt.direction}."
        seen.add(key)
        head = receipt.head_after
    return ""


def _other_bytes(environment: Environment, receipts: Sequence[Receipt]) -> str:
    """An applied revision whose stored bytes are no longer those of its receipt."""
    stored = dict(Revision.objects.filter(service=environment.service_id).values_list("revision_id", "checksum"))
    standing = {r.revision_id: r.checksum if r.direction == "up" else None for r in receipts}
    for revision_id, checksum in standing.items():
        if checksum is not None and stored.get(revision_id, checksum) != checksum:
            return f"{revision_id} is applied with other bytes ({checksum[:22]}…) than the revision has now."
    return ""


def _changed(receipts: Sequence[Receipt], known: Mapping[int, LedgerEntry]) -> Receipt | None:
    """The first receipt that the ledger has as another one."""
    for receipt in receipts:
        entry = known.get(receipt.seq)
        if entry is not None and (entry.revision_id, entry.checksum, entry.run_uid) != (
            receipt.revision_id,
            receipt.checksum,
            receipt.run_id,
        ):
            return receipt
    return None


def _told(receipt: Receipt, entry: LedgerEntry) -> str:
    return (
        f"Receipt {receipt.seq} in the target is {receipt.revision_id} ({receipt.checksum[:22]}…), "
        f"the ledger has {entry.revision_id} ({entry.checksum[:22]}…)."
    )


def _restored(missing: Sequence[int]) -> str:
    if not missing:
        return ""
    return (
        f"{len(missing)} ledger rows from receipt {missing[0]} on have no receipt in the target; "
        "it may have been restored to an older point."
    )
