from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrations_app.engine.contract.chain import Declared, resolve
from migrations_app.engine.contract.folder import check_revision_id, read_folder
from migrations_app.engine.errors import Refused


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)


def refused(folder: Path) -> Refused:
    with pytest.raises(Refused) as caught:
        read_folder(folder)
    assert caught.value.not_done == "No revision was read."
    assert caught.value.next_step
    return caught.value


def test_an_empty_folder_has_no_revisions(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("not sql")
    (tmp_path / ".hidden.sql").write_text("editor's")
    assert read_folder(tmp_path) == ()


def test_it_reads_what_lies_beside_an_up_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "0002_b.up.sql": "-- lockstep: phase expand\nSELECT 2",
            "0002_b.down.sql": "SELECT -2",
            "0002_b.verify.sql": "SELECT true",
            "0001_a.up.sql": "SELECT 1",
        },
    )
    first, second = read_folder(str(tmp_path))
    assert (first.revision_id, first.up, first.down, first.verify) == ("0001_a", "SELECT 1", None, None)
    assert (second.down, second.verify, second.header.phase) == ("SELECT -2", "SELECT true", "expand")
    assert first.declared == Declared("0001_a", None)


@pytest.mark.parametrize(
    "names",
    [
        ["1_init", "2_users", "10_orders"],
        ["20230101120000_add_x", "20230102090000_add_y"],
        ["000001_create-users", "000002_v1.2"],
    ],
)
def test_it_takes_other_tools_folders_as_they_are(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        write(tmp_path, **{f"{name}.up.sql": "BEGIN; SELECT 1; COMMIT;", f"{name}.down.sql": ""})
    revisions = read_folder(tmp_path)
    assert [one.revision_id for one in revisions] == names
    assert [link.revision_id for link in resolve(one.declared for one in revisions)] == names


def test_it_keeps_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "1_a.up.sql").write_bytes("\ufeffSELECT 'ü';\r\n".encode())
    assert read_folder(tmp_path)[0].up == "\ufeffSELECT 'ü';\r\n"


def test_it_refuses_what_is_no_folder(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere").code == "no_folder"


@pytest.mark.parametrize("part", ["down", "verify"])
def test_it_refuses_an_orphan(tmp_path: Path, part: str) -> None:
    write(tmp_path, **{f"0001_a.{part}.sql": "SELECT 1"})
    error = refused(tmp_path)
    assert (error.code, error.message) == (
        "orphan_file",
        f"There is 0001_a.{part}.sql but no 0001_a.up.sql.",
    )


@pytest.mark.parametrize(
    "name",
    ["V1__init.sql", "init.up.sql", "0001_a.sql", "0001.up.sql", "0001_a b.up.sql", "0001_ä.up.sql", "1_a.UP.sql"],
)
def test_it_refuses_a_bad_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, **{name: "SELECT 1"})
    error = refused(tmp_path)
    assert error.code == "bad_name"
    assert name in error.message


def test_it_refuses_what_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "1_a.up.sql").write_bytes("SELECT 'ü'".encode("latin-1"))
    error = refused(tmp_path)
    assert (error.code, error.message) == ("not_unicode", "1_a.up.sql is not UTF-8 at byte 9.")


def test_it_refuses_a_huge_file_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "1_a.up.sql").open("wb") as file:
        file.truncate(1 << 40)
    assert refused(tmp_path).code == "too_large"


def test_it_refuses_a_pipe_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1_a.up.sql")
    assert refused(tmp_path).code == "bad_file"


def test_it_refuses_a_bad_header_with_the_files_name(tmp_path: Path) -> None:
    write(tmp_path, **{"1_a.up.sql": "\n-- lockstep: phase later"})
    with pytest.raises(Refused, match=r"1_a\.up\.sql: Line 2: 'later' is not a phase") as caught:
        read_folder(tmp_path)
    assert caught.value.code == "header"


def test_two_of_one_number_must_name_their_parents(tmp_path: Path) -> None:
    write(tmp_path, **{"1_a.up.sql": "", "01_b.up.sql": "-- lockstep: parent 1_a\n"})
    error = refused(tmp_path)
    assert error.code == "same_number"
    assert error.message.startswith("1_a shares its number")


def test_two_of_one_number_with_parents_are_fine(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "1_a.up.sql": "",
            "2_c.up.sql": "-- lockstep: parent 1_a",
            "2_b.up.sql": "-- lockstep: parent 2_c",
        },
    )
    chain = resolve(one.declared for one in read_folder(tmp_path))
    assert [link.revision_id for link in chain] == ["1_a", "2_c", "2_b"]


def test_an_id_can_be_checked_alone() -> None:
    check_revision_id("0001_add_orders")
    with pytest.raises(Refused, match="is not a revision id"):
        check_revision_id("../0001_x")
