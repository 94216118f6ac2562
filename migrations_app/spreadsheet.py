"""Rows as files: CSV that no spreadsheet computes, and JSON, a line at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

# A spreadsheet takes a cell that begins with one of these for a formula, also after a separator or a blank.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = Mapping[str, object]


def safe(value: object) -> object:
    """A cell that no spreadsheet computes: what looks like a formula gets an apostrophe in front."""
    text = value if isinstance(value, str) else ""
    return f"'{text}" if text.lstrip(" ,;").startswith(FORMULA) else value


class _Line:
    """What csv.writer writes to: it hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([safe(row[name]) for name in columns])


def json_lines(rows: Iterable[Row]) -> Iterator[str]:
    """One array, each row on a line of its own."""
    yield "["
    for number, row in enumerate(rows):
        yield f"{',' if number else ''}\n{json.dumps(row, ensure_ascii=False)}"
    yield "\n]\n"
