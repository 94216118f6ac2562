"""Where servers listen."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from migrations_app.embedded import places
from migrations_app.engine.errors import Refused


def test_a_short_plain_path_keeps_its_sockets_inside(folder: Path) -> None:
    assert places.socket_folder(folder, None) == folder / "run"


@pytest.mark.parametrize("name", ["with space", "comma,", "x" * 100])
def test_any_other_path_gets_a_short_folder_and_the_same_one_again(folder: Path, name: str) -> None:
    home = folder / name
    home.mkdir()
    first = places.socket_folder(home, None)
    assert first.name.startswith(places.SHORT_PREFIX)
    assert places.socket_folder(home, None) == first
    places.remove_short_folder(first)
    assert not first.exists()


def test_a_folder_inside_a_home_is_never_removed(folder: Path) -> None:
    inside = places.socket_folder(folder, None)
    places.remove_short_folder(inside)
    assert inside.exists()


def test_a_squatted_short_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user could have made the well-known name first; here a link stands in for it."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(folder))
    home = folder / "with space"
    home.mkdir()
    expected = places.socket_folder(home, None)
    expected.rmdir()
    (folder / "elsewhere").mkdir()
    expected.symlink_to(folder / "elsewhere")
    with pytest.raises(Refused, match="belongs to another user"):
        places.socket_folder(home, None)


def test_a_taken_port_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not places.is_free(server.getsockname()[1])
    assert places.is_free(places.free_port())


def test_the_longest_folder_leaves_room_for_the_sockets_name() -> None:
    assert places.LONGEST_FOLDER + len(os.fsencode("/.s.PGSQL.65535.lock")) <= 107
