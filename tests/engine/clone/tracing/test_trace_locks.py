"""Every line of docs/locks.md, measured on each PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.clone.tracing.conftest import TEMPLATE, Place
from tests.engine.clone.tracing.lock_cases import LANES, MAJORS, known_to
from tests.engine.clone.tracing.lock_table import document
from tests.engine.clone.tracing.measuring import in_words, measured

DOCUMENT = Path(__file__).parents[4] / "docs" / "locks.md"


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("name", [name for name in LANES if known_to(LANES[name], MAJORS[0])])
def test_it_measures_what_the_table_says(name: str, major: int, places: Callable[[int], Place]) -> None:
    _compare(name, major, places)


def test_it_measures_what_only_the_newest_version_knows(places: Callable[[int], Place]) -> None:
    _compare("New in PostgreSQL 18", 18, places)


def _compare(name: str, major: int, places: Callable[[int], Place]) -> None:
    lane = known_to(LANES[name], major)
    admin, server = places(major)
    found = [in_words(one) for one in measured(admin, server, TEMPLATE, lane)]
    expected = [in_words(one.on(major)) for one in lane]
    assert dict(zip([one.sql for one in lane], found, strict=True)) == dict(
        zip([one.sql for one in lane], expected, strict=True)
    )


def test_its_document_and_its_data_are_the_same() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), (
        "python -m tests.engine.clone.tracing.lock_table > docs/locks.md"
    )


def test_it_covers_more_than_a_hundred_statements_and_no_statement_twice() -> None:
    statements = [one.sql for lane in LANES.values() for one in lane]
    assert len(statements) == len(set(statements)) > 100
