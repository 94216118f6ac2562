"""SQL listings and differences: every character stays, nothing becomes markup, and the signs are text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.templatetags.diffs import MOST_LINES, compare
from dashboard.templatetags.look import diff, sql
from dashboard.templatetags.sqltext import LONGEST, lines_of


def said(source: str) -> list[str]:
    return ["".join(characters for _, characters in line) for line in lines_of(source)]


def kinds(source: str) -> dict[str, str]:
    return {characters: kind for line in lines_of(source) for kind, characters in line if kind}


@given(st.text(alphabet="a'-/*$ \nSELECTx\"é", max_size=60))
def test_no_character_is_lost_or_changed(source: str) -> None:
    expected = source.split("\n")
    assert said(source) == (expected[:-1] if len(expected) > 1 and not expected[-1] else expected)


@pytest.mark.parametrize("source", ["", "\n", "SELECT 1;\n", "a\r\nb", "x" * (LONGEST + 1)])
def test_a_listing_has_as_many_lines_as_its_source(source: str) -> None:
    assert len(lines_of(source)) == max(len(source.splitlines()), 1)


def test_a_quoted_name_is_a_piece_of_its_own() -> None:
    assert kinds('SELECT "from ""it\'s" -- x') == {
        "SELECT": "word",
        '"from "': "name",
        '"it\'s"': "name",
        "-- x": "note",
    }


def test_it_sets_words_texts_and_remarks_apart() -> None:
    found = kinds("SELECT 'it', $x$ from $x$ -- from here\n/* to\nthere */ AS selected")
    assert found == {
        "SELECT": "word",
        "'it'": "text",
        "$x$ from $x$": "text",
        "-- from here": "note",
        "/* to": "note",
        "there */": "note",
        "AS": "word",
    }


@pytest.mark.parametrize("source", ["'", "/*" * 20_000, "$a$" * 20_000, "'" * 40_001])
def test_what_is_never_closed_takes_no_longer(source: str) -> None:
    assert "".join(said(source)) == source


def test_markup_in_sql_stays_text() -> None:
    drawn = sql("SELECT '<script>' -- </span>", 'a "label"')
    assert "<script>" not in drawn
    assert '<span class="sql-text">&#x27;&lt;script&gt;&#x27;</span>' in drawn
    assert 'aria-label="a &quot;label&quot;"' in drawn


def test_equal_texts_have_no_difference() -> None:
    assert compare("a\nb", "a\nb").same
    assert compare("", "").same


def test_it_shows_what_went_what_came_and_a_little_around() -> None:
    before = "\n".join(f"line {n}" for n in range(20))
    found = compare(before, before.replace("line 10", "line ten"))
    assert [(line.sign, line.text) for line in found.lines] == [
        ("…", ""),
        ("", "line 7"),
        ("", "line 8"),
        ("", "line 9"),
        ("−", "line 10"),
        ("+", "line ten"),
        ("", "line 11"),
        ("", "line 12"),
        ("", "line 13"),
    ]
    assert (found.added, found.removed) == (1, 1)
    assert [line.word for line in found.lines if line.word] == ["removed: ", "added: "]


def test_texts_that_are_too_long_are_not_compared() -> None:
    found = compare("a\n" * (MOST_LINES + 1), "b")
    assert found.too_long
    assert not found.same
    assert diff("a", "b", "x")["label"] == "x"
