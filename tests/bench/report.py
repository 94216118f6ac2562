"""Tables, and how they read on a terminal and in docs/benchmarks.md: the same Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]
        rule = "| " + " | ".join("-" * width for width in widths) + " |"
        head, *body = (_line(line, widths) for line in lines)
        parts = [f"## {self.title}", "\n".join([head, rule, *body]), *self.notes]
        return "\n\n".join(parts)


@dataclass(frozen=True)
class Failure:
    """A section that did not run to its end; it stands in the report in place of its table."""

    title: str
    what: str

    def __str__(self) -> str:
        return f"## {self.title}\n\nNot measured: {self.what}"


Section = Table | Failure


def place(section: Section) -> tuple[int, str]:
    """By number; a part that could not be measured has none and comes last."""
    number = section.title.partition(".")[0]
    return (int(number) if number.isdigit() else 99, section.title)


def against(target: float, ratio: float) -> str:
    return "within" if ratio <= target else "over"


def document(facts: Table, sections: Sequence[Section]) -> str:
    intro = (
        "# Benchmarks\n\n"
        "Written by `make bench`, which measures everything below in one go. Nothing here is a promise for "
        "another machine: compare the ratios, not the seconds."
    )
    return "\n\n".join([intro, *(str(part) for part in (facts, *sections))]) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
