from __future__ import annotations

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.header import Header, read_header
from migrations_app.engine.sql.script import read_script


@pytest.mark.parametrize("sql", ["", "-- just a comment", "SELECT 1;", "-- lockstep is a word\nSELECT 1"])
def test_it_finds_nothing_where_nothing_is_said(sql: str) -> None:
    assert read_header(sql) == Header()


def test_it_reads_every_key() -> None:
    sql = """\ufeff-- lockstep: schema_rev sc-21
-- lockstep: phase expand            -- expand | migrate | contract
/* adds the
   e-mail */
--lockstep:parent 0006_add_email\t-- default: the one before
  -- Lockstep : atomic
CREATE TABLE t (id int);
"""
    assert read_header(sql) == Header("sc-21", "expand", "0006_add_email", atomic=True)


def test_it_reads_windows_line_ends() -> None:
    assert read_header("-- lockstep: phase migrate\r\n-- lockstep:atomic\r\nSELECT 1;").phase == "migrate"


@pytest.mark.parametrize("phase", ["expand", "migrate", "contract"])
def test_it_knows_the_three_phases(phase: str) -> None:
    assert read_header(f"-- lockstep: phase {phase}").phase == phase


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-- lockstep: phase shrink", "'shrink' is not a phase"),
        ("-- lockstep: phase", "phase needs a value"),
        ("-- lockstep: phase -- expand", "phase needs a value"),
        ("-- lockstep: owner me", "no lockstep key 'owner'"),
        ("-- lockstep:", "has no key"),
        ("-- lockstep: atomic yes", "atomic takes no value"),
        ("-- lockstep: schema_rev sc 21", "schema_rev takes one word"),
        ("-- lockstep: schema_rev " + "x" * 201, "longer than 200"),
    ],
)
def test_it_names_the_line_it_refuses(line: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as caught:
        read_header(f"-- one\n\n{line}\nSELECT 1;")
    assert caught.value.code == "header"
    assert caught.value.message.startswith("Line 3: ")


def test_it_refuses_a_key_said_twice() -> None:
    with pytest.raises(Refused, match="Line 2: the header says phase twice"):
        read_header("-- lockstep: phase expand\n-- lockstep: phase expand")


def test_it_refuses_a_line_that_would_be_overlooked() -> None:
    with pytest.raises(Refused, match="Line 3: a lockstep line below the first statement"):
        read_header("-- first\nSELECT 1;\n-- lockstep: phase expand\n")


def test_reading_a_script_reads_its_header() -> None:
    assert read_script("-- lockstep:atomic\nSELECT 1;").atomic is True
    with pytest.raises(Refused, match="not a phase"):
        read_script("-- lockstep: phase later\nSELECT 1;")
