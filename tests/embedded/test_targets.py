"""Targets on the embedded servers."""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from migrations_app.embedded import targets
from migrations_app.embedded.databases import drop_database
from migrations_app.embedded.postgres import Server
from migrations_app.engine.errors import Refused


@pytest.fixture
def shop(pg18: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(targets.variable(18), pg18.dsn)
    yield Path(targets.make_target(folder, "shop").removeprefix("file:"))
    drop_database(pg18.dsn, "shop")


def test_the_reference_leads_to_a_private_file_with_a_working_url(shop: Path) -> None:
    assert stat.S_IMODE(shop.stat().st_mode) == 0o600
    with psycopg.connect(shop.read_text().strip()) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("shop", "shop")


def test_making_it_again_keeps_the_password(shop: Path, folder: Path) -> None:
    before = shop.read_text()
    assert targets.make_target(folder, "shop") == f"file:{shop}"
    assert shop.read_text() == before


def test_a_new_port_reaches_the_file(shop: Path, folder: Path, pg18: Server) -> None:
    before = shop.read_text()
    moved = dataclasses.replace(pg18, port=1)
    targets.refresh(folder, moved)
    assert shop.read_text() == before.replace(f":{pg18.port}/", ":1/")
    targets.refresh(folder, pg18)
    assert shop.read_text() == before


def test_another_majors_targets_stay(shop: Path, folder: Path, pg18: Server) -> None:
    before = shop.read_text()
    targets.refresh(folder, dataclasses.replace(pg18, major=16, port=1))
    assert shop.read_text() == before


def test_without_an_embedded_server_it_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(targets.variable(16), raising=False)
    with pytest.raises(Refused, match="no embedded PostgreSQL 16 here to make the target shop on"):
        targets.make_target(folder, "shop", major=16)
