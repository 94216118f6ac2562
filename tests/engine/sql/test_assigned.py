"""What an UPDATE assigns is read off its text, and what cannot be told is said to be unknown."""

from __future__ import annotations

import pytest

from migrations_app.engine.sql.assigned import assigned_columns, changes_inside


@pytest.mark.parametrize(
    ("update", "names"),
    [
        ("UPDATE t SET a = 1", {"a"}),
        ("update t as x set A = 1, b=coalesce(c, 'from, where') where d = 2", {"a", "b"}),
        ("UPDATE t SET a = (SELECT b FROM u WHERE u.id = t.id), c = d FROM v WHERE e = 1", {"a", "c"}),
        ("UPDATE t SET a[1] = 5, t.b = 2 -- , c = 3\nRETURNING x = 1", {"a", "b"}),
        ("UPDATE t SET fromage = 1, a = E'\\', b = 1'", {"fromage", "a"}),
    ],
)
def test_it_names_the_columns(update: str, names: set[str]) -> None:
    assert set(assigned_columns(update) or ()) == names


@pytest.mark.parametrize("update", ['UPDATE t SET "A b" = 1', "UPDATE t SET (a, b) = (1, 2)", "UPDATE t"])
def test_it_says_when_it_cannot_tell(update: str) -> None:
    assert assigned_columns(update) is None


def test_it_looks_into_blocks() -> None:
    assert changes_inside("DO $$ BEGIN delete  from t; END $$")
    assert not changes_inside("DO $$ BEGIN PERFORM updated FROM t; END $$")
