from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings

from migrations_app.embedded import targets
from migrations_app.engine.errors import Refused
from migrations_app.fleet.references import EMBEDDED_TARGETS, read_reference
from migrations_app.models.environment import DsnKind

URL = "postgresql://ann:s3cret@db.example/orders"
SOCKET = "host=/run/postgresql user=ann dbname=orders"


def refusal(text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        read_reference(text).resolve()
    assert "s3cret" not in caught.value.sentence
    return caught.value


def test_an_address_is_kept_out_of_sight() -> None:
    reference = read_reference(f"  {URL}\n")
    assert (reference.kind, reference.name, reference.address) == (DsnKind.STORED, "", URL)
    assert "s3cret" not in repr(reference)
    assert reference.resolve().safe == "ann@db.example:5432/orders"


def test_a_typed_address_is_not_trusted() -> None:
    assert refusal(SOCKET).code == "dsn_parameter"


def test_it_reads_a_variable_when_asked_and_trusts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = read_reference("env:ORDERS_DSN")
    assert (reference.kind, reference.name) == (DsnKind.ENV, "ORDERS_DSN")
    assert refusal("env:ORDERS_DSN").message == "The environment variable ORDERS_DSN is not set for this process."
    monkeypatch.setenv("ORDERS_DSN", SOCKET)
    assert reference.resolve().host == "/run/postgresql"


@pytest.mark.parametrize("name", ["", "orders", "ORDERS-DSN", "1X", "ÄX", "A B", "PATH=x", "A" * 201])
def test_it_refuses_what_is_no_variable(name: str) -> None:
    assert refusal(f"env:{name}").code == "dsn_reference"


@pytest.mark.parametrize("name", ["LOCKSTEP_DATABASE_URL", "LOCKSTEP_SECRET_KEY", "LOCKSTEP_"])
def test_it_keeps_locksteps_own_settings_to_itself(name: str) -> None:
    assert refusal(f"env:{name}").message == f"{name} is one of Lockstep's own settings."


def test_it_reads_a_file_when_asked_and_trusts_it(tmp_path: Path) -> None:
    file = tmp_path / "orders.dsn"
    assert refusal(f"file:{file}").message == f"The file {file} cannot be used: no such file or directory."
    file.write_text(f"\n{SOCKET}\n")
    assert read_reference(f"file:{file}").resolve().trusted
    file.write_text(f"{URL}\n")
    assert read_reference(f"file:{file}").resolve().safe == "ann@db.example:5432/orders"


def test_it_follows_a_link_as_administrators_make_them(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(URL)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert read_reference(f"file:{tmp_path / 'link'}").resolve().dbname == "orders"


def test_a_bad_address_behind_a_reference_names_the_reference_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad").write_text("s3cret")
    error = refusal(f"file:{tmp_path / 'bad'}")
    assert error.code == "dsn_unreadable" and str(tmp_path / "bad") in error.message
    monkeypatch.setenv("BAD_DSN", "s3cret=")
    assert refusal("env:BAD_DSN").message.startswith("env:BAD_DSN: ")


@pytest.mark.parametrize("path", ["", "relative", "~/x", "../x", "/a\x00b", "/" + "x" * 600])
def test_it_refuses_what_is_no_absolute_path(path: str) -> None:
    assert refusal(f"file:{path}").code == "dsn_reference"


@pytest.mark.parametrize("path", ["/proc/self/environ", "/dev/stdin", "/sys/x", "/etc/../proc/1/environ", "//proc/1"])
def test_it_refuses_system_folders(path: str) -> None:
    assert refusal(f"file:{path}").code == "dsn_reference"


def test_it_refuses_locksteps_own_data_but_for_the_embedded_targets() -> None:
    data = Path(settings.LOCKSTEP_DATA_DIR)
    assert EMBEDDED_TARGETS == targets.FOLDER
    assert refusal(f"file:{data / 'credentials-key'}").code == "dsn_reference"
    assert refusal(f"file:{data / 'targets' / '..' / 'control-password'}").code == "dsn_reference"
    assert refusal(f"file:{data / 'targets' / '18' / 'none.url'}").code == "dsn_reference_missing"


def test_a_link_does_not_open_what_is_closed(tmp_path: Path) -> None:
    for name, where in {"a": Path("/proc/self/environ"), "b": Path(settings.LOCKSTEP_DATA_DIR) / "key"}.items():
        (tmp_path / name).symlink_to(where)
        assert refusal(f"file:{tmp_path / name}").code == "dsn_reference"


def test_it_refuses_folders_pipes_and_large_or_binary_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_text("x" * 8193)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, why in {
        "pipe": "it is not a regular file",
        "large": "it is larger than 8192 bytes",
        "binary": "it is not text",
        ".": "is a directory",
    }.items():
        error = refusal(f"file:{tmp_path / name}")
        assert error.code == "dsn_reference_missing"
        assert why in error.message or name == "."
