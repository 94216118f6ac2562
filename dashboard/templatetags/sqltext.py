"""SQL in lines and pieces, so that a listing can set words, texts and remarks apart; it never changes a character."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Above this the listing stays plain: what is that long is searched, not read.
LONGEST = 100_000
_WORDS = (
    "add alter analyze and as asc begin between by cascade case check column comment commit concurrently constraint "
    "create cross database default delete desc distinct do domain drop else end exists explain extension for foreign "
    "from full function grant group having if in index inherits inner insert into is join key language left like limit "
    "lock materialized not nothing null on only or order outer owner partition policy primary procedure recursive "
    "references reindex rename replace restrict return returning returns revoke right role rollback row rows schema "
    "select sequence set table temporary then to transaction trigger truncate type union unique update using vacuum "
    "valid validate values view when where window with without"
)
# What is never closed runs to the end of the source, so that the expression reads every character once.
_TOKEN = re.compile(
    r"(?P<note>--[^\n]*|/\*(?:.*?\*/|.*))"
    r"|(?P<text>'[^']*'?|(?<![\w$])\$(?P<tag>[A-Za-z_]*)\$(?:.*?\$(?P=tag)\$|.*))"
    r'|(?P<name>"[^"]*"?)'
    rf"|(?P<word>\b(?:{'|'.join(_WORDS.split())})\b)",
    re.DOTALL | re.IGNORECASE,
)

Piece = tuple[str, str]  # what it is (note, text, name, word or nothing), and its characters


def lines_of(source: str) -> list[list[Piece]]:
    """Each line as its pieces; an empty source is one empty line."""
    lines: list[list[Piece]] = [[]]
    for kind, characters in _pieces(source) if len(source) <= LONGEST else [("", source)]:
        first, *others = re.split(r"\r\n|\r|\n", characters)
        lines[-1].append((kind, first))
        lines.extend([(kind, other)] for other in others)
    if len(lines) > 1 and not any(characters for _, characters in lines[-1]):
        lines.pop()
    return lines


def _pieces(source: str) -> Iterator[Piece]:
    at = 0
    for token in _TOKEN.finditer(source):
        if token.start() > at:
            yield "", source[at : token.start()]
        yield token.lastgroup if token.lastgroup != "tag" and token.lastgroup else "text", token.group()
        at = token.end()
    if at < len(source):
        yield "", source[at:]
