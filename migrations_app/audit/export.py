"""Audit entries as a file of JSON lines, and their check on a machine that has nothing but Python.

`python -m migrations_app.audit.export FILE [--anchor SEQ:HASH]` exits 0 when the chain holds, else 1.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from migrations_app.audit.chain import GENESIS, Anchor, Link, Verdict, verify_links

_NAMES = frozenset({"seq", "at_us", "body", "prev_hash", "hash"})
_HASH = re.compile("[0-9a-f]{64}")
_LARGEST = 2**63 - 1  # of a bigint, in which both numbers are kept


class Unreadable(ValueError):
    """A line of the file is not an audit entry."""


def line_of(link: Link) -> str:
    entry = {
        "seq": link.seq,
        "at_us": link.at_us,
        "body": link.body,
        "prev_hash": link.prev_hash.hex(),
        "hash": link.hash.hex(),
    }
    return json.dumps(entry, ensure_ascii=True, separators=(",", ":")) + "\n"


def links_of(lines: Iterable[str]) -> Iterator[Link]:
    for number, line in enumerate(lines, start=1):
        try:
            link = link_from(json.loads(line, object_pairs_hook=once))
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"Line {number} is not an audit entry.") from error
        yield link


def link_from(entry: object) -> Link:
    """Of what line_of writes, and of nothing that only looks like it. Raises ValueError."""
    if not isinstance(entry, dict) or set(entry) != _NAMES:
        raise ValueError("it does not have exactly seq, at_us, body, prev_hash and hash")
    for name in ("seq", "at_us"):
        if not is_whole(entry[name]):
            raise ValueError(f"its {name} is no whole number")
    for name in ("prev_hash", "hash"):
        if not is_hash(entry[name]):
            raise ValueError(f"its {name} is not 64 hex digits")
    if not isinstance(entry["body"], str):
        raise ValueError("its body is no text")
    before, itself = bytes.fromhex(entry["prev_hash"]), bytes.fromhex(entry["hash"])
    return Link(entry["seq"], entry["at_us"], entry["body"], before, itself)


def is_whole(value: object) -> bool:
    """Neither 1.0 nor true, which Python takes for 1."""
    return type(value) is int and abs(value) <= _LARGEST


def is_hash(value: object) -> bool:
    """As it is written here, in small letters; fromhex takes capitals and blanks as well."""
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """For JSON: of two values under one name another reader may take the first."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def verify_file(path: Path, anchors: Collection[Anchor] = ()) -> Verdict:
    """A file that begins in the middle of the chain is checked from its first entry on."""
    with path.open(encoding="utf-8") as file:
        links = links_of(file)
        first = next(links, None)
        if first is None:
            return verify_links((), anchors=anchors)
        if first.seq == 1:
            return verify_links(chain([first], links), start_hash=GENESIS, anchors=anchors)
        return verify_links(chain([first], links), start_seq=first.seq - 1, start_hash=first.prev_hash, anchors=anchors)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check an exported audit chain.")
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--anchor", type=Anchor.parse, action="append", default=[], help="SEQ:HASH noted outside the database"
    )
    options = parser.parse_args(arguments)
    try:
        verdict = verify_file(options.file, options.anchor)
    except (OSError, UnicodeDecodeError, Unreadable) as error:
        print(f"The file cannot be checked: {error}", file=sys.stderr)
        return 1
    print(verdict.sentence, file=sys.stdout if verdict.ok else sys.stderr)
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    sys.exit(main())
