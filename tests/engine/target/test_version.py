from __future__ import annotations

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.version import require_version, spoken


@pytest.mark.parametrize("number", [140000, 150018, 160004, 180004])
def test_it_accepts_14_and_newer(number: int) -> None:
    require_version(number)


@pytest.mark.parametrize(("number", "name"), [(139999, "13.9999"), (130011, "13.11"), (90624, "9.6.24")])
def test_it_refuses_older_servers_and_names_the_version_found(number: int, name: str) -> None:
    with pytest.raises(Refused) as caught:
        require_version(number)
    assert caught.value.code == "server_too_old"
    assert caught.value.message == f"The target runs PostgreSQL {name}; Lockstep needs 14 or newer."


def test_it_speaks_versions_as_people_do() -> None:
    assert [spoken(180004), spoken(100000), spoken(90600)] == ["18.4", "10.0", "9.6.0"]
