"""The name of a clone: no other database's, and whose it is can be read from it."""

from __future__ import annotations

import uuid

import pytest

from migrations_app.engine.clone.names import clone_name, is_clone_of, require_clone_name
from migrations_app.engine.errors import Refused

OURS, THEIRS = uuid.UUID(int=1), uuid.UUID(int=2)


def test_it_is_of_one_installation() -> None:
    for part in ("", "before", "trace"):
        name = clone_name(OURS, uuid.uuid4(), part)
        assert len(name) < 64
        assert is_clone_of(name, OURS)
        assert not is_clone_of(name, THEIRS)


def test_a_part_that_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no part of a clone"):
        clone_name(OURS, THEIRS, "after")


@pytest.mark.parametrize("name", ["shop", "postgres", "lockstep_reh_", "lockstep_reh_00000001_shop", "LOCKSTEP_REH_X"])
def test_what_is_not_a_clone_is_left_alone(name: str) -> None:
    assert not is_clone_of(name, OURS)
    with pytest.raises(Refused) as refused:
        require_clone_name(name)
    assert refused.value.code == "not_a_clone"
