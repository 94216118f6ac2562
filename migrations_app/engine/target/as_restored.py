"""A definition as PostgreSQL prints it once a dump of it was restored: two expressions come back otherwise.

A list compared with a varchar column, `(ARRAY['a'::character varying])::text[]`, comes back with each element cast,
and `((a AND b) AND c)`, which BETWEEN leaves, as `(a AND b AND c)`. Both ways to print mean the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_HINTS = ("])::", ") AND ", ") OR ")
# What is quoted is one token: no bracket and no word within it counts.
_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | (\$(?:[A-Za-z_]\w*)?\$).*?\1 | [()\[\]] | [^'"$()\[\]]+ | .""",
    re.DOTALL | re.VERBOSE,
)
_ARRAY_TYPE = re.compile(r'::((?:"(?:[^"]|"")*"|[\w .])+(?:\([\d,]+\)[\w ]*)?)')
_JOINT = re.compile(r" (AND|OR) ")
_CLOSES = {")": "(", "]": "["}
# A type's name, its modifier and its qualifier: so many pieces may stand between an array and the brackets of its cast.
_MOST_PIECES = 8


@dataclass
class _Group:
    """What stood between two brackets, as pieces. `joint` is the AND or OR that joins all of them."""

    opened: str
    pieces: list[_Piece] = field(default_factory=list)
    joint: str = ""

    def inner(self) -> str:
        return "".join(str(piece) for piece in self.pieces)

    def __str__(self) -> str:
        return f"{self.opened}{self.inner()}{')' if self.opened == '(' else ']'}"


@dataclass
class _Written:
    """A group that is closed: its text is settled, so that deep nesting costs no recursion."""

    text: str
    inner: str
    joint: str
    elements: list[str] | None

    def __str__(self) -> str:
        return self.text


_Piece = str | _Written


def as_restored(definition: str) -> str:
    """The same definition, so that an original and its restored copy are told alike."""
    if not any(hint in definition for hint in _HINTS):
        return definition
    open_groups = [_Group("")]
    for found in _TOKEN.finditer(definition):
        token = found[0]
        if token in ("(", "["):
            open_groups.append(_Group(token))
        elif token in _CLOSES:
            group = open_groups.pop()
            if group.opened != _CLOSES[token]:
                return definition  # no expression, whatever it is
            _append(open_groups[-1].pieces, _written(group))
        else:
            _note_joint(open_groups[-1], token)
            open_groups[-1].pieces.append(token)
    return open_groups[0].inner() if len(open_groups) == 1 else definition


def _note_joint(group: _Group, token: str) -> None:
    found = _JOINT.search(token) if token[0] not in "'\"$" else None
    if found is not None:
        group.joint = found[1]


def _written(group: _Group) -> _Written:
    """Closed, and flattened where its first operand is joined as it is itself."""
    joint = group.joint if group.opened == "(" else ""
    first = group.pieces[0] if joint else ""
    if isinstance(first, _Written) and first.joint == joint and str(group.pieces[1]).startswith(f" {joint} "):
        group.pieces[0] = first.inner
    return _Written(str(group), group.inner(), joint, _elements(group))


def _elements(group: _Group) -> list[str] | None:
    """Of `[…]` its own; of `(ARRAY[…])` those of the array; else None."""
    if group.opened == "[":
        elements = [""]
        for piece in group.pieces:
            first, *others = piece.split(", ") if isinstance(piece, str) and piece[0] not in "'\"$" else [str(piece)]
            elements[-1] += first
            elements += others
        return elements
    if len(group.pieces) == 2 and group.pieces[0] == "ARRAY" and isinstance(group.pieces[1], _Written):
        return group.pieces[1].elements
    return None


def _append(pieces: list[_Piece], closed: _Written) -> None:
    """One more piece; the brackets that end a cast of an array to `type[]` take the cast to its elements."""
    pieces.append(closed)
    if closed.text != "[]":
        return
    for start in range(len(pieces) - 2, max(len(pieces) - 2 - _MOST_PIECES, -1), -1):
        array = pieces[start]
        if not isinstance(array, _Written) or not array.elements or not array.text.startswith("(ARRAY["):
            continue
        cast = _ARRAY_TYPE.fullmatch("".join(str(piece) for piece in pieces[start + 1 : -1]))
        if cast is not None and not any(element.startswith("ARRAY[") for element in array.elements):
            pieces[start:] = [f"ARRAY[{', '.join(f'({element})::{cast[1]}' for element in array.elements)}]"]
        return
