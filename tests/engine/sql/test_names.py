from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_app.engine.sql.names import RESERVED, dotted, quote


@pytest.mark.parametrize("name", ["orders", "_x1", "name", "größe_x".replace("ö", "o").replace("ß", "s")])
def test_it_leaves_plain_names_alone(name: str) -> None:
    assert quote(name) == name


@pytest.mark.parametrize(
    ("name", "quoted"), [("Orders", '"Orders"'), ('a"b', '"a""b"'), ("user", '"user"'), ("é", '"é"'), ("1a", '"1a"')]
)
def test_it_quotes_the_rest(name: str, quoted: str) -> None:
    assert quote(name) == quoted


def test_it_leaves_missing_parts_out() -> None:
    assert dotted("", "t") == "t"
    assert dotted("S", "t") == '"S".t'


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_nothing_escapes_the_quotes(name: str) -> None:
    quoted = quote(name)
    assert quoted == name or quoted[1:-1].replace('""', '"') == name


def test_it_knows_every_word_postgresql_reserves(target_database: Callable[..., str]) -> None:
    """A newer server may reserve fewer words; quoting one too many does no harm."""
    with psycopg.connect(target_database()) as connection:
        rows = connection.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')").fetchall()
    assert {word for (word,) in rows} <= RESERVED
