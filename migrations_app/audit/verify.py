"""Read the kept rows in chunks and recompute the chain; optionally write them to a file on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import starmap
from pathlib import Path

from migrations_app.audit.chain import GENESIS, Anchor, FirstBad, Link, Verdict, verify_links
from migrations_app.audit.export import line_of
from migrations_app.models import AuditEntry

CHUNK = 2_000
Buffer = bytes | memoryview
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def verify(from_seq: int = 0, anchors: Collection[Anchor] = (), export: Path | None = None) -> Verdict:
    """Check every entry after `from_seq`, whose own hash is trusted as the start."""
    start = _start(from_seq)
    if start is None:
        return Verdict(False, 0, 0, "", FirstBad(from_seq, "missing", f"There is no entry number {from_seq}."))
    links = stored_links(from_seq)
    if export is None:
        return verify_links(links, start_seq=from_seq, start_hash=start, anchors=anchors)
    return _verify_and_export(links, from_seq, start, anchors, export)


def stored_links(after_seq: int = 0) -> Iterator[Link]:
    """All rows after a number, in chunks: memory stays flat however long the chain is."""
    while True:
        rows = list(
            AuditEntry.objects.filter(seq__gt=after_seq)
            .order_by("seq")
            .values_list("seq", "at", "body", "prev_hash", "hash")[:CHUNK]
        )
        yield from starmap(link_of, rows)
        if len(rows) < CHUNK:
            return
        after_seq = rows[-1][0]


def link_of(seq: int, at: datetime, body: str, prev_hash: Buffer, own_hash: Buffer) -> Link:
    """Of a row as it is kept."""
    return Link(seq, (at - _EPOCH) // _MICROSECOND, body, bytes(prev_hash), bytes(own_hash))


def _start(from_seq: int) -> bytes | None:
    if from_seq == 0:
        return GENESIS
    kept = AuditEntry.objects.filter(seq=from_seq).values_list("hash", flat=True).first()
    return None if kept is None else bytes(kept)


def _verify_and_export(
    links: Iterator[Link], from_seq: int, start: bytes, anchors: Collection[Anchor], path: Path
) -> Verdict:
    with path.open("w", encoding="utf-8") as file:

        def written() -> Iterator[Link]:
            for link in links:
                file.write(line_of(link))
                yield link

        verdict = verify_links(written(), start_seq=from_seq, start_hash=start, anchors=anchors)
        # What stands after a bad entry is evidence too.
        file.writelines(line_of(link) for link in links)
    return verdict
