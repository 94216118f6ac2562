"""Secrets in files."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

from migrations_app.embedded import secret


def test_it_is_made_once(folder: Path) -> None:
    path = folder / "password"
    first = secret.kept(path, secret.password)
    assert secret.kept(path, secret.password) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_file_counts_as_missing(folder: Path) -> None:
    path = folder / "password"
    path.write_text("\n")
    assert secret.read(path) is None
    assert secret.kept(path, lambda: "new") == "new"


def test_writing_leaves_no_draft(folder: Path) -> None:
    secret.write(folder / "password", "one")
    secret.write(folder / "password", "two")
    assert [path.name for path in folder.iterdir()] == ["password"]
    assert secret.read(folder / "password") == "two"


def test_a_credentials_key_is_an_id_and_32_bytes() -> None:
    key_id, _, encoded = secret.credentials_key().partition(":")
    assert key_id == "k1"
    assert len(base64.b64decode(encoded, validate=True)) == 32


def test_passwords_need_no_quoting_in_a_url() -> None:
    assert all(letter.isalnum() or letter in "-_" for letter in secret.password())
