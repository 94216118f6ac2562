"""What the receipts of a target say beside its ledger: one sentence, and where the two part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

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
    counts: Counts


@dataclass(frozen=True)
class Counts:
    """Of a target's receipts: how many, and how many of them should not be as they are."""

    receipts: int
    twice: int
    out_of_order: int
    changed: int


def compare_receipts(
    environment: Environment, receipts: Sequence[Receipt], known: Mapping[int, LedgerEntry]
) -> Comparison:
    out_of_order, twice = _out_of_order(receipts), _twice(receipts)
    other_bytes, changed = _other_bytes(environment, receipts), changed_receipts(receipts, known)
    missing = sorted(set(known) - {receipt.seq for receipt in receipts})
    broken = _broken(out_of_order, twice)
    note = broken or _told_bytes(other_bytes)
    if changed:
        note = note or _told(changed[0], known[changed[0].seq])
    return Comparison(
        note or _restored(missing),
        broken,
        min([*(receipt.seq for receipt in changed[:1]), *missing[:1]], default=None),
        Counts(
            len(receipts), len(twice), len(out_of_order), len({receipt.seq for receipt in (*other_bytes, *changed)})
        ),
    )


def _out_of_order(receipts: Sequence[Receipt]) -> list[Receipt]:
    """The constraints in the target refuse this; it is looked at all the same, because the pages claim it."""
    head, found = "", []
    for number, receipt in enumerate(receipts, start=1):
        before = receipt.parent if receipt.direction == "up" else receipt.revision_id
        if receipt.seq != number or before != head:
            found.append(receipt)
        head = receipt.head_after
    return found


def _twice(receipts: Sequence[Receipt]) -> list[Receipt]:
    """The same revision in the same direction and cycle once more; refused by a constraint as well."""
    seen, found = set(), []
    for receipt in receipts:
        key = (receipt.revision_id, receipt.cycle, receipt.direction)
        if key in seen:
            found.append(receipt)
        seen.add(key)
    return found


def _broken(out_of_order: Sequence[Receipt], twice: Sequence[Receipt]) -> str:
    """What comes first in the target is told."""
    first = min([*out_of_order, *twice], key=lambda receipt: receipt.seq, default=None)
    if first is None:
        return ""
    if first in out_of_order:
        return f"Receipt {first.seq} ({first.revision_id}) is out of order in the target."
    return f"Receipt {first.seq} says a second time that {first.revision_id} went {first.direction}."


def _other_bytes(environment: Environment, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Receipts that stand for revisions whose stored bytes are others now."""
    stored = dict(Revision.objects.filter(service=environment.service_id).values_list("revision_id", "checksum"))
    standing = {receipt.revision_id: receipt for receipt in receipts}
    return [
        receipt
        for receipt in standing.values()
        if receipt.direction == "up" and stored.get(receipt.revision_id, receipt.checksum) != receipt.checksum
    ]


def _told_bytes(receipts: Sequence[Receipt]) -> str:
    if not receipts:
        return ""
    first = receipts[0]
    return f"{first.revision_id} is applied with other bytes ({first.checksum[:22]}…) than the revision has now."


def changed_receipts(receipts: Sequence[Receipt], known: Mapping[int, LedgerEntry]) -> list[Receipt]:
    """Receipts that the ledger has as other ones."""
    return [r for r in receipts if r.seq in known and _key(known[r.seq]) != (r.revision_id, r.checksum, r.run_id)]


def _key(entry: LedgerEntry) -> tuple[str, str, UUID]:
    return entry.revision_id, entry.checksum, entry.run_uid


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
