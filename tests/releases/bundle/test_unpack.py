"""Whatever file is given instead of a bundle or a chain, the answer is a sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from migrations_app.audit.export import main as of_chains
from migrations_app.releases.bundle import unpack
from migrations_app.releases.bundle.check import check, check_file, main
from migrations_app.releases.bundle.kinds import Broken
from migrations_app.releases.bundle.unpack import NoBundle, read

pytestmark = pytest.mark.django_db

Content = dict[str, Any]


def test_every_encoding_and_packing_is_read_or_refused(content: Content) -> None:
    raw = json.dumps(content).encode()
    half = len(raw) // 2
    for data in (
        raw,
        b"\xef\xbb\xbf" + raw,
        raw.decode().encode("utf-16"),
        gzip.compress(raw),
        gzip.compress(raw[:half]) + gzip.compress(raw[half:]),
        gzip.compress(raw) + bytes(50),
    ):
        assert check(read(data)) == check(content)
    packed = gzip.compress(raw)
    for data in (packed[:-20], packed[:2], packed + b"more", gzip.compress(raw + b"{}"), b"\0" + raw, raw + b"{}"):
        with pytest.raises(NoBundle):
            read(data)


def test_a_damaged_archive_is_a_sentence(content: Content) -> None:
    packed = gzip.compress(json.dumps(content).encode(), mtime=0)
    said = set()
    for at in range(10, len(packed), len(packed) // 40):
        damaged = bytearray(packed)
        damaged[at] ^= 0xFF
        with pytest.raises(NoBundle) as found:
            read(damaged)
        said.add(str(found.value))
    assert said == {"It is no bundle: it is packed with gzip, and cannot be unpacked."}


def test_more_than_a_bundle_can_have_is_not_read(
    content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.json"
    blanks = json.dumps(content).encode() + b" " * 3_000_000
    for data, it_has in ((blanks, "it has"), (gzip.compress(blanks), "unpacked it has")):
        path.write_bytes(data)
        assert "agrees with itself" in check_file(path)
        with monkeypatch.context() as patch:
            patch.setattr(unpack, "LARGEST", 2_000_000)
            with pytest.raises(NoBundle, match=f"{it_has} more than 2,000,000 bytes, and the rest was not read"):
                check_file(path)
    monkeypatch.setattr(unpack, "LARGEST", 2_000_000)
    with pytest.raises(NoBundle, match="it has more than 2,000,000 bytes"):
        check_file(Path("/dev/zero"))


def test_what_is_nested_or_written_to_mislead_is_a_sentence(
    content: Content, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "b.json"
    raw = json.dumps(content)
    seq = f'"seq": {content["proof"]["seal"]["seq"]}}}'
    for text in (
        *(
            raw.replace('"content": {', '"content": {"x": ' + "[" * deep + "]" * deep + ",", 1)
            for deep in (900, 985, 5000)
        ),
        *(raw.replace(seq, f'"seq": {number}}}') for number in ("1e999", "-1", "1.0", "1" * 4000, "1" * 5000, "[]")),
        raw.replace('"entries":', '"extra":', 1),
    ):
        assert text != raw
        path.write_text(text)
        assert main([str(path)]) == 1
        assert capsys.readouterr().err.count("\n") == 1
        with pytest.raises(CommandError):
            call_command("verify_audit", "--bundle", str(path))
    path.write_text(json.dumps({**content, "\x1b[2J\ud800": 1}))
    assert main([str(path)]) == 1
    assert capsys.readouterr().err == "The bundle has something that no bundle has: \ufffd[2J\ufffd.\n"


def test_a_chain_that_cannot_be_read_is_a_sentence(
    content: Content, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, chain = tmp_path / "b.json", tmp_path / "chain.jsonl"
    path.write_text(json.dumps(content))
    entry = content["document"]["entries"][0]
    line: Callable[[str, object], str] = lambda name, value: json.dumps({**entry, name: value})  # noqa: E731
    for text in (
        "[" * 100_000,
        json.dumps(entry).replace(f'"seq": {entry["seq"]}', '"seq": 1e999'),
        json.dumps(entry).replace('"seq"', '"seq": 1, "seq"'),
        line("seq", float(entry["seq"])),
        line("seq", str(entry["seq"])),
        line("at_us", True),
        line("seq", 10**4000),
        line("hash", entry["hash"].upper() + " "),
        line("body", {}),
        line("note", "x"),
        "[]",
    ):
        chain.write_text(text + "\n")
        with pytest.raises(Broken, match=r"The chain cannot be read: Line 1 is not an audit entry\."):
            check_file(path, (), chain)
        assert of_chains([str(chain)]) == 1
        assert capsys.readouterr().err == "The file cannot be checked: Line 1 is not an audit entry.\n"
    chain.write_bytes(b"\xff\xfe\n")
    with pytest.raises(Broken, match="The chain cannot be read"):
        check_file(path, (), chain)
    assert of_chains([str(chain)]) == 1
