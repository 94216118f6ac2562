"""Short ways to ask in tests."""

from __future__ import annotations

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.script import Statement, read_script


def refused(sql: str) -> Refused:
    with pytest.raises(Refused) as caught:
        read_script(sql)
    return caught.value


def shape(sql: str) -> list[list[str]]:
    """The tags of each step's statements."""
    return [[statement.tag for statement in step.statements] for step in read_script(sql).steps]


def only(sql: str) -> Statement:
    (step,) = read_script(sql).steps
    (statement,) = step.statements
    return statement
