"""Two texts side by side in one column: what went, what came, and a little of what stayed."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

# Comparing takes time with the square of the length, so more than this is not compared here.
MOST_LINES = 2_000
AROUND = 3


@dataclass(frozen=True)
class DiffLine:
    sign: str  # "+", "−", "" for what stayed, "…" for what is left out
    before: int | None
    after: int | None
    text: str

    @property
    def word(self) -> str:
        """The sign as it is read aloud."""
        return {"+": "added: ", "−": "removed: "}.get(self.sign, "")


@dataclass(frozen=True)
class Diff:
    lines: tuple[DiffLine, ...]
    added: int
    removed: int
    too_long: bool = False

    @property
    def same(self) -> bool:
        return not (self.added or self.removed or self.too_long)


def compare(before: str, after: str) -> Diff:
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > MOST_LINES:
        return Diff((), 0, 0, too_long=before != after)
    lines: list[DiffLine] = []
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(AROUND):
        if lines or group[0][1] or group[0][3]:
            lines.append(DiffLine("…", None, None, ""))
        for kind, old_from, old_to, new_from, new_to in group:
            if kind == "equal":
                lines += [
                    DiffLine("", old_from + i + 1, new_from + i + 1, old[old_from + i])
                    for i in range(old_to - old_from)
                ]
                continue
            lines += [DiffLine("−", i + 1, None, old[i]) for i in range(old_from, old_to)]
            lines += [DiffLine("+", None, i + 1, new[i]) for i in range(new_from, new_to)]
    return Diff(tuple(lines), sum(line.sign == "+" for line in lines), sum(line.sign == "−" for line in lines))
