"""Text that would turn round what stands beside it."""

from __future__ import annotations

import unicodedata
from itertools import product

from migrations_app.engine.signs import contained, turning_in
from migrations_app.engine.sql.summary import summarise

SIGNS = "\u202e\u202c\u2066\u2069\u2068"
TURNED = (
    "\u202eEVIL",
    "a\u2066b\u202ec",
    *("".join(signs) for n in (1, 2, 3, 4) for signs in product(SIGNS, repeat=n)),
)
_OPEN = {"LRE": "PDF", "RLE": "PDF", "LRO": "PDF", "RLO": "PDF", "LRI": "PDI", "RLI": "PDI", "FSI": "PDI"}


def left_open(text: str) -> list[str]:
    """What is still open at the end of a text, by the rules of UAX 9: X5a to X7."""
    stack: list[str] = []
    for sign in text:
        kind = unicodedata.bidirectional(sign)
        if kind in _OPEN:
            stack.append(_OPEN[kind])
        elif kind == "PDF" and stack and stack[-1] == "PDF":
            stack.pop()
        elif kind == "PDI" and "PDI" in stack:
            while stack.pop() != "PDI":
                pass
    return stack


def test_nothing_it_opens_is_open_behind_it() -> None:
    assert [text for text in TURNED if left_open(contained(text)) or text not in contained(text)] == []


def test_what_turns_nothing_stays_as_it_is() -> None:
    for text in ("plain", "größer · 表", "עברית"):
        assert contained(text) == text


def test_its_signs_are_named() -> None:
    assert turning_in("a\u2066b\u202ec\u202e") == ("U+202E", "U+2066")


def test_the_summary_of_a_statement_turns_no_line_round() -> None:
    summary = summarise('CREATE TABLE "\u202esredro" (i int)', "CREATE TABLE")
    assert "\u202esredro" in summary
    assert left_open(summary) == []
