from __future__ import annotations

import hashlib

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.checksum import checksum


def test_it_names_the_algorithm_and_its_version() -> None:
    assert checksum(b"SELECT 1;\n") == "sha256:v1:" + hashlib.sha256(b"SELECT 1;\n").hexdigest()


def test_it_reads_text_as_utf_8() -> None:
    assert checksum("SELECT 'ü'") == checksum("SELECT 'ü'".encode())


def test_a_windows_checkout_has_the_same_checksum() -> None:
    assert checksum("SELECT 1;\r\nSELECT 2;\r\n") == checksum("SELECT 1;\nSELECT 2;\n")


def test_every_other_byte_counts() -> None:
    assert checksum("SELECT 1;") != checksum("SELECT 1; ")
    assert checksum("a\rb") != checksum("a\nb")
    assert checksum("\ufeffSELECT 1") != checksum("SELECT 1")


def test_bytes_need_not_be_text() -> None:
    assert checksum(b"\xff\xfe\x00").startswith("sha256:v1:")


def test_it_refuses_half_a_surrogate_pair() -> None:
    with pytest.raises(Refused, match="at character 4") as caught:
        checksum("abc\ud800")
    assert caught.value.code == "not_unicode"
