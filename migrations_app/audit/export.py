"""Audit entries as a file of JSON lines, and their check on a machine that has nothing but Python.

`python -m migrations_app.audit.export FILE [--anchor SEQ:HASH]` exits 0 when the chain holds, else 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from migrations_app.audit.chain import GENESIS, Anchor, Link, Verdict, verify_links


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
            entry = json.loads(line)
            yield Link(
                int(entry["seq"]),
                int(entry["at_us"]),
                str(entry["body"]),
                bytes.fromhex(entry["prev_hash"]),
                bytes.fromhex(entry["hash"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"Line {number} is not an audit entry.") from error


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
