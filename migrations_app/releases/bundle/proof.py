"""Where the seal of a bundle stands: behind its entries, in the chain, and under an anchor that was kept elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from migrations_app.audit.chain import Anchor, Link
from migrations_app.audit.export import Unreadable, links_of, verify_file
from migrations_app.releases.bundle import shape
from migrations_app.releases.bundle.kinds import Broken, Json


def look_at_order(document: Json, proof: Json, seal: Link) -> None:
    """From the first entry to the seal every number is there, and names the hash before it. Raises Broken.

    A bundle with very many entries of others between leaves all of their links out, and says how many.
    """
    stand = _standing(document, proof, seal)
    first, left_out = min(stand), proof["links_left_out"]
    between = seal.seq - first - len(document["entries"])
    if left_out and (left_out != between or between <= shape.MOST_LINKS or proof["links"]):
        why = f"a bundle does so only beyond {shape.MOST_LINKS:,} of them, and then with all"
        raise Broken(f"The bundle says that it leaves {left_out} links of the audit log out; {why}.")
    if len(stand) + left_out != seal.seq - first + 1 or max(stand) != seal.seq:
        raise Broken(f"Links of the audit log between number {first} and {seal.seq} are missing.")
    for seq, (before, _) in sorted(stand.items()):
        if seq - 1 in stand and stand[seq - 1][1] != before:
            raise Broken(f"Entry number {seq} of the audit log does not follow from number {seq - 1}.")


def _standing(document: Json, proof: Json, seal: Link) -> dict[int, tuple[str, str]]:
    """The two hashes of every entry that the bundle knows, its own and those of others."""
    stand = {seq: (before, itself) for seq, before, itself in proof["links"]}
    stand |= {one["seq"]: (one["prev_hash"], one["hash"]) for one in document["entries"]}
    return stand | {seal.seq: (seal.prev_hash.hex(), seal.hash.hex())}


def seal_anchored(
    document: Json, proof: Json, seal: Link, anchors: Collection[Anchor], noted: Collection[Anchor], *, alone: bool
) -> bool:
    """Whether an anchor is of the seal. One of an earlier entry fits every seal that somebody makes up after it, so
    where anchors were given `alone`, without a chain, one has to be. Raises Broken.
    """
    known = {seq: itself for seq, (_, itself) in _standing(document, proof, seal).items()}
    for anchor in [*anchors, *noted]:
        if known.get(anchor.seq, anchor.hash) != anchor.hash:
            raise Broken(f"Entry number {anchor.seq} is not the one that was anchored: the bundle is of another chain.")
    anchored = any(anchor.seq == seal.seq for anchor in [*anchors, *noted])
    if anchors and alone and not anchored:
        raise Broken(
            f"None of the anchors is of the seal, number {seal.seq}: whoever made up this bundle could leave them as "
            "they are. Give the anchor that was kept when it was made, or the chain as well."
        )
    return anchored


def in_chain(
    document: Json, proof: Json, seal: Link, chain: Path, anchors: Collection[Anchor], noted: Collection[Anchor]
) -> str:
    """The chain itself, as the audit page gives it: it holds, and has these very entries, those of others too.

    Anchors that were given are of its entries; those that are noted may be of later ones. What that shows of the seal,
    as a clause. Raises Broken, OSError.
    """
    wanted = {seq: itself for seq, (_, itself) in _standing(document, proof, seal).items()}
    kept: dict[int, set[str]] = {}
    for anchor in [*anchors, *noted]:
        kept.setdefault(anchor.seq, set()).add(anchor.hash)
    last = 0
    try:
        verdict = verify_file(chain, anchors)
        if not verdict.ok:
            raise Broken(f"The chain does not hold: {verdict.sentence}")
        with chain.open(encoding="utf-8") as lines:
            for link in links_of(lines):
                itself = link.hash.hex()
                if wanted.pop(link.seq, itself) != itself:
                    raise Broken(f"Entry number {link.seq} of the bundle is another one than in the chain.")
                if kept.get(link.seq, {itself}) != {itself}:
                    raise Broken(f"Entry number {link.seq} of the chain is not the one that was anchored.")
                last = link.seq if link.seq in kept else last
    except (Unreadable, UnicodeDecodeError) as error:
        raise Broken(f"The chain cannot be read: {error}") from None
    if wanted:
        raise Broken(f"Entry number {min(wanted)} of the bundle is not in the chain: it ends before, or begins later.")
    if last >= seal.seq:
        return f"which is in the chain, anchored at number {last}."
    return "which is in the chain; only an anchor of it or of a later entry shows that the chain was not rewritten."
