"""The arithmetic of the chain, on the standard library alone, so that an export can be checked anywhere.

hash = sha256(hash of the entry before || utf8(seq|microseconds since 1970 UTC|body)), from 32 zero bytes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

GENESIS = bytes(32)


@dataclass(frozen=True)
class Link:
    """One entry as it is kept."""

    seq: int
    at_us: int
    body: str
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True)
class Anchor:
    """A head that somebody noted outside the database; only this shows that a tail was cut off."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Anchor:
        seq, _, digest = text.partition(":")
        if not (seq.isascii() and seq.isdigit()) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ValueError(f"{text!r} is not an anchor; it wants SEQ:HASH, such as 18402:9f3c… (64 hex digits).")
        return cls(int(seq), digest)


@dataclass(frozen=True)
class FirstBad:
    """The first entry that is wrong. Codes: missing, reordered, content, forged, cut, anchor."""

    seq: int
    code: str
    sentence: str


@dataclass(frozen=True)
class Verdict:
    ok: bool
    checked: int
    head_seq: int
    head_hash: str
    first_bad: FirstBad | None = None

    @property
    def sentence(self) -> str:
        if self.first_bad:
            return self.first_bad.sentence
        if not self.checked:
            return f"No entries to check after number {self.head_seq}."
        return f"{self.checked} entries verified to number {self.head_seq}, head {self.head_hash}."


def digest(prev_hash: bytes, seq: int, at_us: int, body: str) -> bytes:
    # surrogatepass: an edited export must end as a differing hash, not as a crash.
    return hashlib.sha256(prev_hash + f"{seq}|{at_us}|{body}".encode("utf-8", "surrogatepass")).digest()


def verify_links(
    links: Iterable[Link], *, start_seq: int = 0, start_hash: bytes = GENESIS, anchors: Collection[Anchor] = ()
) -> Verdict:
    """Recompute every hash in order; stop at the first entry that is wrong."""
    wanted: dict[int, set[str]] = {}
    for anchor in anchors:
        wanted.setdefault(anchor.seq, set()).add(anchor.hash)
    bad = _start_fault(start_seq, start_hash, wanted)
    seq, head, checked = start_seq, start_hash, 0
    if bad:
        return Verdict(False, checked, seq, head.hex(), bad)
    for link in links:
        bad = _fault(link, seq, head) or _anchor_fault(link.seq, link.hash, wanted)
        if bad:
            return Verdict(False, checked, seq, head.hex(), bad)
        seq, head, checked = link.seq, link.hash, checked + 1
    cut = _cut(seq, max(wanted, default=0))
    return Verdict(cut is None, checked, seq, head.hex(), cut)


def _start_fault(start_seq: int, start_hash: bytes, wanted: Mapping[int, set[str]]) -> FirstBad | None:
    earlier = min(wanted, default=start_seq)
    if earlier < start_seq:
        sentence = f"Number {earlier} was anchored, which is before the first entry read: start at or before it."
        return FirstBad(earlier, "anchor", sentence)
    return _anchor_fault(start_seq, start_hash, wanted)


def _fault(link: Link, seq: int, head: bytes) -> FirstBad | None:
    if link.seq > seq + 1:
        gone = str(seq + 1) if link.seq == seq + 2 else f"{seq + 1} to {link.seq - 1}"
        return FirstBad(seq + 1, "missing", f"Entry number {gone} is missing: the chain goes on at {link.seq}.")
    if link.seq < seq + 1:
        return FirstBad(link.seq, "reordered", f"Entry number {link.seq} stands after {seq}: the order was changed.")
    if digest(link.prev_hash, link.seq, link.at_us, link.body) != link.hash:
        return FirstBad(link.seq, "content", f"Entry number {link.seq} is not what was written: its hash differs.")
    if link.prev_hash != head:
        return FirstBad(
            link.seq,
            "forged",
            f"Entry number {link.seq} does not follow from number {seq}: one of the two was exchanged.",
        )
    return None


def _anchor_fault(seq: int, found: bytes, wanted: Mapping[int, set[str]]) -> FirstBad | None:
    """Two anchors of one number that differ cannot both be right."""
    if wanted.get(seq, {found.hex()}) == {found.hex()}:
        return None
    return FirstBad(seq, "anchor", f"Entry number {seq} is not the one that was anchored: the chain was rewritten.")


def _cut(seq: int, anchored: int) -> FirstBad | None:
    if anchored <= seq:
        return None
    sentence = f"The chain ends at number {seq}, but number {anchored} was anchored: the tail was cut off."
    return FirstBad(seq + 1, "cut", sentence)
