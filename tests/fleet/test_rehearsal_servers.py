"""Which rehearsal server a major version gets."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from migrations_app.checks import rehearsal_servers as check
from migrations_app.embedded.places import free_port
from migrations_app.embedded.postgres import Server
from migrations_app.engine.errors import Refused
from migrations_app.fleet import rehearsal_servers
from migrations_app.fleet.rehearsal_servers import programs_for, rehearsal_server


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal_servers, "_majors", {})


def test_it_is_found_by_asking(settings: LazySettings, pg18: Server, pg16: Server) -> None:
    silent = f"postgresql://postgres:p@127.0.0.1:{free_port()}/postgres"
    settings.LOCKSTEP_REHEARSAL_SERVERS = [silent, pg18.dsn, pg16.dsn]
    for server in (pg16, pg18):
        found = rehearsal_server(server.major)
        assert (found.major, found.dsn.port, found.programs) == (server.major, server.port, server.bin_dir)
    assert [one.major for one in rehearsal_servers.rehearsal_servers()] == [18, 16]


def test_a_missing_one_is_told_with_what_is_there(settings: LazySettings, pg18: Server) -> None:
    settings.LOCKSTEP_REHEARSAL_SERVERS = [pg18.dsn]
    with pytest.raises(Refused) as refused:
        rehearsal_server(15)
    assert refused.value.code == "no_rehearsal_server"
    assert refused.value.message == (
        f"There is no rehearsal server of PostgreSQL 15. postgres@127.0.0.1:{pg18.port}/postgres runs 18."
    )
    assert "LOCKSTEP_REHEARSAL_SERVERS" in refused.value.next_step
    settings.LOCKSTEP_REHEARSAL_SERVERS = []
    with pytest.raises(Refused, match="LOCKSTEP_REHEARSAL_SERVERS names none"):
        rehearsal_server(18)


def test_one_that_comes_back_is_found(settings: LazySettings, pg18: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOCKSTEP_REHEARSAL_SERVERS = [pg18.dsn.replace(f":{pg18.port}", f":{free_port()}")]
    with pytest.raises(Refused, match="Nothing listens at this address"):
        rehearsal_server(18)
    settings.LOCKSTEP_REHEARSAL_SERVERS = [pg18.dsn]
    assert rehearsal_server(18).major == 18


@pytest.mark.parametrize(("major", "fits"), [(14, 16), (15, 16), (16, 16), (17, 18), (18, 18)])
def test_programs_are_no_newer_than_they_must_be(major: int, fits: int) -> None:
    assert programs_for(major) == programs_for(fits)
    assert programs_for(14) != programs_for(18)


def test_programs_of_the_future_are_not_guessed() -> None:
    with pytest.raises(Refused, match="The newest pg_dump here is of PostgreSQL 18; it cannot read 19"):
        programs_for(19)


def test_an_address_that_cannot_be_read_is_told_without_its_password(settings: LazySettings, pg18: Server) -> None:
    settings.LOCKSTEP_REHEARSAL_SERVERS = [pg18.dsn]
    assert check(None) == []
    settings.LOCKSTEP_REHEARSAL_SERVERS = [pg18.dsn, "postgresql://u:hidden-word@h"]
    (error,) = check(None)
    assert error.id == "lockstep.E002"
    assert error.msg.startswith("LOCKSTEP_REHEARSAL_SERVERS, address 2: The connection string names no dbname")
    assert "hidden-word" not in str(error)
