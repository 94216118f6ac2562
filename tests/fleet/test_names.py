from __future__ import annotations

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.fleet.names import check_name


@pytest.mark.parametrize("name", ["a", "0", "orders-eu", "prod-", "a" * 63])
def test_it_accepts_small_letters_digits_and_dashes(name: str) -> None:
    assert check_name("stage", name) == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a b", "a/b", "é", "a\n", "a" * 64, "٣"])
def test_it_refuses_everything_else_and_names_it(name: str) -> None:
    with pytest.raises(Refused) as caught:
        check_name("stage", name)
    assert caught.value.code == "bad_name"
    assert caught.value.message.endswith("cannot be the stage.")
