"""One difference between two readings of a schema as a sentence that names the object and says what is other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# More than this is read in the diff.
MOST_PHRASES = 4
MOST_CHARACTERS = 160

_KEYED = re.compile(r"([a-z][a-z ]*): (.*)", re.DOTALL)
_PLURAL = frozenset({"statistics", "internal triggers", "default privileges", "toast options", "foreign table options"})


def sentence(kind: str, name: str, sign: str, before: str, after: str) -> str:
    """`kind`, `name` and `sign` as a Difference has them, and both definitions."""
    if kind == "column order":
        return f"Columns of {name} stand in another order: {_bare(after, name)} instead of {_bare(before, name)}."
    if kind == "privileges":
        subject = _capital(name) if name.startswith("default privileges ") else f"Privileges on {name}"
        return f"{subject} are other: {_rights(before, after)}."
    if kind == "owner":
        return _owner(name, sign, before, after)
    if kind in ("comment", "security label"):
        return _remark(kind, name, sign, before, after)
    if kind == "depends on extension":
        return f"{_capital(name)} {_dependence(sign, before, after)}."
    return _object(kind, name, sign, before, after)


def _object(kind: str, name: str, sign: str, before: str, after: str) -> str:
    subject = f"{_capital(kind)} {name}"
    are = "are" if kind in _PLURAL else "is"
    if sign == "-":
        return f"{subject} {are} gone."
    if sign == "+":
        told = _cut(", ".join(after.splitlines())) if after and after.count("\n") < MOST_PHRASES else ""
        return f"{subject} {are} new{f': {told}' if told else ''}."
    return f"{subject} {are} other: {_changes(before, after)}."


def _changes(before: str, after: str) -> str:
    """Line by line: what became something else, what came, what went."""
    lost, gained = _only_in(before, after), _only_in(after, before)
    if not lost and not gained:
        return "the same lines in another order"
    if _squeezed(lost) == _squeezed(gained):
        return "the same but for its blanks and line ends"
    if len(lost) == len(gained) == 1 and not _KEYED.fullmatch(lost[0]):
        return f"it was {_cut(lost[0])}, it is {_cut(gained[0])}"
    phrases = list(_phrases(lost, gained))
    more = len(phrases) - MOST_PHRASES
    return "; ".join(phrases[:MOST_PHRASES]) + (f"; and {more} more" if more > 0 else "")


def _squeezed(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines if line.strip()]


def _phrases(lost: list[str], gained: list[str]) -> Iterable[str]:
    was = {found[1]: found[2] for line in lost if (found := _KEYED.fullmatch(line))}
    becomes = {found[1]: found[2] for line in gained if (found := _KEYED.fullmatch(line))}
    paired = was.keys() & becomes.keys()
    for key in sorted(paired):
        yield f"{key} was {_cut(was[key])}, is {_cut(becomes[key])}"
    for word, lines in (("no longer", lost), ("now", gained)):
        for line in lines:
            found = _KEYED.fullmatch(line)
            if not (found and found[1] in paired):
                yield f"{word} {_cut(line.strip())}"


def _only_in(text: str, other: str) -> list[str]:
    spare = Counter(other.splitlines())
    only = []
    for line in text.splitlines():
        if spare[line]:
            spare[line] -= 1
        else:
            only.append(line)
    return only


def _rights(before: str, after: str) -> str:
    old, new = _held(before), _held(after)
    phrases = []
    for who in sorted(old.keys() | new.keys()):
        was, has = old.get(who, set()), new.get(who, set())
        gained = {right for right in has - was if not right.startswith("not ")}
        gained |= {right[4:] for right in was - has if right.startswith("not ")}
        lost = {right for right in was - has if not right.startswith("not ")}
        lost |= {right[4:] for right in has - was if right.startswith("not ")}
        for word, rights in (("lost", lost), ("gained", gained)):
            if rights:
                phrases.append(f"{who} {word} {', '.join(sorted(rights))}")
    return "; ".join(phrases)


def _held(lines: str) -> dict[str, set[str]]:
    """What each role has beyond the default, or has not."""
    pairs = (line.rpartition(": ") for line in lines.splitlines())
    return {who: {token for right in rights.split(", ") for token in _tokens(right)} for who, _, rights in pairs}


def _tokens(right: str) -> tuple[str, ...]:
    plain = right.removesuffix(" (grantable)")
    return (plain,) if plain == right else (plain, f"the right to grant {plain}")


def _owner(name: str, sign: str, before: str, after: str) -> str:
    if sign == "~":
        return f"{_capital(name)} belongs to {after}, no longer to {before}."
    return f"{_capital(name)} {f'belongs to {after}' if sign == '+' else f'belonged to {before}'}."


def _remark(kind: str, name: str, sign: str, before: str, after: str) -> str:
    if sign == "+":
        return f"The {kind} on {name} is new: {_cut(after)}."
    if sign == "-":
        return f"The {kind} on {name} is gone: {_cut(before)}."
    return f"The {kind} on {name} is other: it was {_cut(before)}, it is {_cut(after)}."


def _dependence(sign: str, before: str, after: str) -> str:
    if sign == "+":
        return f"now goes with the extension {_cut(after)}"
    if sign == "-":
        return f"no longer goes with the extension {_cut(before)}"
    return f"goes with the extension {_cut(after)}, no longer with {_cut(before)}"


def _bare(columns: str, table: str) -> str:
    return ", ".join(column.removeprefix(f"{table}.") for column in columns.splitlines())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cut(text: str) -> str:
    """On one line and of a bearable length, without the full stop that the sentence brings."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1] + "…"
