"""Rights are widened only where the servers' user could not get through."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from migrations_app.embedded.account import Account, open_tree, open_way, server_account

STRANGER = Account("stranger", 54321, 54321)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_ordinary_user_needs_no_other() -> None:
    assert (server_account() is None) == (os.geteuid() != 0)


def test_without_another_user_nothing_is_opened(folder: Path) -> None:
    open_way(folder, None)
    assert mode(folder) == 0o700


def test_it_adds_only_the_right_to_pass_and_names_the_folder_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    closed, opened = folder / "closed", folder / "opened"
    closed.mkdir(mode=0o700)
    opened.mkdir()
    opened.chmod(0o755)
    open_way(closed, STRANGER)
    open_way(opened, STRANGER)
    open_way(closed, STRANGER)
    assert mode(closed) == 0o701
    assert mode(opened) == 0o755
    assert [record.message.count(str(closed)) for record in caplog.records] == [1]


def test_it_leaves_the_users_own_folder_alone(folder: Path) -> None:
    status = folder.stat()
    open_way(folder, Account("owner", status.st_uid, status.st_gid))
    assert mode(folder) == 0o700


def test_a_tree_becomes_readable_and_programs_runnable(folder: Path) -> None:
    program, text, link = folder / "program", folder / "text", folder / "link"
    for path, rights in ((program, 0o700), (text, 0o600)):
        path.touch()
        path.chmod(rights)
    link.symlink_to("/nowhere")
    open_tree(folder)
    assert (mode(folder), mode(program), mode(text)) == (0o705, 0o705, 0o604)
