"""That a bundle has the names and kinds of values that it is made with, and no others.

The seal holds the hash of the document alone; what else somebody writes into the file would pass for part of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from migrations_app.audit.export import is_hash, is_whole, link_from
from migrations_app.releases.bundle.kinds import Broken, Json

# Beyond so many entries of others between the first one and the seal their hashes are left out.
MOST_LINKS = 100_000


def look_at_shape(bundle: Json) -> None:
    """Raises Broken."""
    _named(bundle, ("format", "document", "proof"), "The bundle")
    document, proof = bundle["document"], bundle["proof"]
    _named(proof, ("seal", "links", "links_left_out"), "The proof of the bundle")
    _entry(proof["seal"], "The seal of the bundle")
    for number, entry in enumerate(_rows(document, "entries"), start=1):
        _entry(entry, f"Audit entry {number} of the bundle")
    for number, row in enumerate(_rows(document, "artefacts"), start=1):
        if not is_whole(row["size"]) or not is_hash(row["sha256"]):
            raise Broken(f"Artefact {number} of the bundle has no size, or no hash of 64 hex digits.")
    for row in _rows(document, "evidence"):
        if row["artefact_size"] is not None and not is_whole(row["artefact_size"]):
            raise Broken(f"The artefact of evidence {row['evidence']} has a size that is no whole number.")
    _links(document, proof)


def _links(document: Json, proof: Json) -> None:
    """Each is number, hash before and own hash of an entry of others after the first own one; they stand in order."""
    if not is_whole(proof["links_left_out"]):
        raise Broken(f"The bundle says that it leaves {proof['links_left_out']!r:.20} links of the audit log out.")
    own = {entry["seq"] for entry in document["entries"]} | {proof["seal"]["seq"]}
    last = min(own)
    for number, row in enumerate(_rows(proof, "links"), start=1):
        if not _is_link(row):
            raise Broken(f"Link {number} of the bundle is not a number with two hashes of 64 hex digits.")
        if row[0] <= last or row[0] in own:
            raise Broken(f"Link {number} of the bundle, of entry number {row[0]}, is there twice or not in order.")
        last = row[0]


def _is_link(row: object) -> bool:
    return isinstance(row, list) and len(row) == 3 and is_whole(row[0]) and is_hash(row[1]) and is_hash(row[2])


def _entry(entry: object, what: str) -> None:
    try:
        link_from(entry)
    except ValueError as error:
        raise Broken(f"{what} is no entry of the audit log: {error}.") from None


def _named(part: object, names: Collection[str], what: str) -> None:
    if not isinstance(part, dict):
        raise Broken(f"{what} is not made of names and values.")
    for name in sorted(set(part) ^ set(names)):
        raise Broken(f"{what} {'lacks' if name in names else 'has something that no bundle has'}: {name[:40]}.")


def _rows(part: Json, name: str) -> list[Any]:
    if not isinstance(part[name], list):
        raise Broken(f"The bundle has no list of {name}.")
    rows: list[Any] = part[name]
    return rows
