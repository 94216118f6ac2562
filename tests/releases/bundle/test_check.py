"""A bundle as it was made passes; whatever is changed in it is named in a sentence."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from migrations_app.audit.anchor_file import add_anchor
from migrations_app.audit.chain import Anchor, digest
from migrations_app.audit.record import record
from migrations_app.audit.verify import verify
from migrations_app.models import AuditEntry, Release
from migrations_app.releases.bundle.check import canonical, check, check_file, main, sha256_of
from migrations_app.releases.bundle.kinds import OF_ACTION, Broken
from migrations_app.releases.bundle.make import Bundle
from migrations_app.releases.bundle.unpack import NoBundle, read
from migrations_app.releases.gates.catalogue import canonical as of_catalogues

pytestmark = pytest.mark.django_db

Content = dict[str, Any]
ROOT = Path(__file__).parents[3]


def broken(content: Content, change: Callable[[Content], object]) -> str:
    """The sentence that a changed copy gets."""
    changed = deepcopy(content)
    change(changed["document"])
    with pytest.raises(Broken) as found:
        check(changed)
    return str(found.value)


def put(path: str, value: object) -> Callable[[Content], object]:
    """Change the value at `a.0.b` of the document."""

    def change(document: Any) -> None:
        *way, last = (int(step) if step.lstrip("-").isdigit() else step for step in path.split("."))
        place = document
        for step in way:
            place = place[step]
        place[last] = value

    return change


def test_it_passes_as_it_was_made(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / bundle.name
    path.write_text(bundle.text)
    said = check_file(path)
    assert said.startswith("The bundle of release 2.0 of orders agrees with itself: ")
    assert f"Seal {bundle.seq}:{bundle.hash}, and only an anchor of it that was kept elsewhere, or the chain" in said
    assert "hunter2" not in bundle.text.replace("a log", "")
    path.write_bytes(gzip.compress(bundle.text.encode()))
    assert check_file(path) == said


def test_it_needs_nothing_but_python(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(bundle.text)
    bare = [sys.executable, "-I", "-S", "-c", (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
        "runpy.run_module('migrations_app.releases.bundle.check', run_name='__main__', alter_sys=True)"
    ), str(ROOT)]  # fmt: skip
    done = subprocess.run([*bare, str(path), "--anchor", bundle.anchor], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Release 2.0 of orders is as it was bundled: ")
    assert done.stdout.rstrip().endswith("which was anchored.")
    wrong = subprocess.run([*bare, str(path), "--anchor", f"{bundle.seq}:{'0' * 64}"], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "is not the one that was anchored" in wrong.stderr


def test_each_change_is_named(content: Content) -> None:
    document = content["document"]
    author = document["release"]["by"]
    cases: list[tuple[str, object, str]] = [
        ("release.schema_rev_max", "sc-2", "its values have another hash"),
        ("release.by", author + 1, "The release is not what was registered: its by is another"),
        ("catalogue.content.gates.0.signatures", 0, "The catalogue is not version 1: its hash differs."),
        ("revisions.rows.0.up", "DROP TABLE t", "has a up file that its checksum does not fit"),
        ("revisions.rows.0.down", None, "has a down file that its checksum does not fit"),
        ("revisions.chain", document["revisions"]["chain"][:-1], "is not the one that stands in the chain"),
        ("revisions.chain.0.2", "other", "is not the one that stands in the chain"),
        ("revisions.rows", document["revisions"]["rows"][1:], "The bundle was changed since it was made"),
        ("artefacts.0.content", "YW5vdGhlciBsb2c=", "is not what was attached"),
        ("artefacts", [], "was attached, and the bundle lacks it"),
        ("evidence.0.status", "fail", "Evidence {} is not what was recorded: its status is \"fail\""),
        ("evidence.0.detail", {"a": 1}, "measured is not what was recorded"),
        ("evidence.0.by_name", "mallory", "is by mallory"),
        ("evidence", document["evidence"][1:], "is gone: entry number"),
        ("signatures.0.parts", {}, "was given for is not what its hash is of"),
        ("signatures.0.at", "2020-01-01T00:00:00+00:00", "is not what was recorded: its at is"),
        ("signatures", [], "is gone"),
        ("withdrawals.0.by", 0, "Withdrawal"),
        ("waivers.0.expires_at", "2030-01-01T00:00:00+00:00", "its expires_at is"),
        ("decisions", [], "Decision"),
        ("glass.0.reason", "none", "its reason is"),
        ("answers.0.granted", False, "its granted is false"),
        ("cutovers.0.gates.0.1", "pass", "its gates is"),
        ("cutovers.0.status", "halted", "The bundle was changed since it was made"),
        ("verdict.sentence", "All is well.", "The verdict says 'All is well.', and its gates say 'Not ready for"),
        ("verdict.at", "2030-01-01T00:00:00+00:00", "The bundle was changed since it was made"),
        ("verdict.gates.0.evidence_hash", "0" * 64, "is not that of its parts"),
        ("receipts", [], "The bundle was changed since it was made"),
        ("entries.1.body", "{}", "is not what was written: its hash differs"),
        ("entries", document["entries"][:-1], "has no entry in the audit log"),
        ("entries", [*document["entries"], document["entries"][-1]], "the order was changed"),
    ]  # fmt: skip
    for path, value, said in cases:
        first, _, last = said.partition("{}")
        found = broken(content, put(path, value))
        assert first in found and last in found, (path, found)


def test_rows_of_others_are_not_added(content: Content) -> None:
    def add(document: Content) -> None:
        document["signatures"].append({**document["signatures"][0], "signature": 999})

    assert broken(content, add) == "Signature 999 has no entry in the audit log: somebody put it there by hand."


def test_whose_hands_it_went_through_is_looked_at(content: Content) -> None:
    """Even where every hash was made to fit."""

    def own(document: Content) -> None:
        document["signatures"][0]["by"] = document["release"]["by"]

    def alone(document: Content) -> None:
        document["answers"][0]["by"] = document["glass"][0]["by"]

    def approved(document: Content) -> None:
        document["decisions"][0]["by"] = document["waivers"][0]["by"]

    for change, said in ((own, "is by the author"), (alone, "by one person alone"), (approved, "whoever asked for it")):
        assert said in broken(content, partial(forge, change))


def forge(change: Callable[[Content], object], document: Content) -> None:
    """Change rows, and rewrite their entries with hashes that fit."""
    change(document)
    for entry in document["entries"]:
        body = json.loads(entry["body"])
        kind = OF_ACTION.get(body["action"])
        if kind is not None:
            told = {row[kind.number]: row["by"] for row in document[kind.list]}
            body["after"]["by"] = told[body["after"][kind.number]]
        entry["body"] = canonical(body)
        before = bytes.fromhex(entry["prev_hash"])
        entry["hash"] = digest(before, entry["seq"], entry["at_us"], entry["body"]).hex()


def test_a_seal_or_a_link_that_does_not_fit_is_named(content: Content) -> None:
    seal, links = content["proof"]["seal"], content["proof"]["links"]
    for key, value, said in (
        ("seal", {**seal, "body": "{}"}, "The seal, entry number"),
        ("links", links[:-1], "are missing"),
        ("links", [[*links[0][:2], "0" * 64], *links[1:]], "does not follow from number"),
        ("links_left_out", 1, "says that it leaves 1 links"),
        ("links_left_out", "yes", "says that it leaves 'yes' links"),
    ):
        with pytest.raises(Broken, match=said):
            check({**content, "proof": {**content["proof"], key: value}})


def test_it_is_found_in_the_chain(bundle: Bundle, ann: User, tmp_path: Path) -> None:
    path, chain = tmp_path / "b.json", tmp_path / "chain.jsonl"
    path.write_text(bundle.text)
    record(actor=ann, action="test.done", object="thing")
    head = verify(export=chain)
    anchor = Anchor(head.head_seq, head.head_hash)
    shown = f"which is in the chain, anchored at number {anchor.seq}."
    assert check_file(path, [anchor], chain).endswith(shown)
    assert check_file(path, [], chain, [anchor, Anchor(anchor.seq + 9, "0" * 64)]).endswith(shown)
    earlier = Anchor.parse(f"{bundle.seq - 1}:{AuditEntry.objects.get(seq=bundle.seq - 1).hash.hex()}")
    for anchors in ([], [earlier]):
        assert check_file(path, anchors, chain).endswith(
            "in the chain; only an anchor of it or of a later entry shows that the chain was not rewritten."
        )
    for given, noted, why in (
        ([Anchor(anchor.seq + 9, "0" * 64)], [], "the tail was cut off"),
        ([], [Anchor(anchor.seq, "0" * 64)], f"Entry number {anchor.seq} of the chain is not the one that was"),
    ):
        with pytest.raises(Broken, match=why):
            check_file(path, given, chain, noted)
    lines = chain.read_text().splitlines(keepends=True)
    chain.write_text("".join(lines[: bundle.seq - 1]))
    with pytest.raises(Broken, match="is not in the chain"):
        check_file(path, chain=chain)
    chain.write_text("nothing\n")
    with pytest.raises(Broken, match="The chain cannot be read"):
        check_file(path, chain=chain)


def test_a_forgery_behind_the_genuine_seal_is_refused(
    bundle: Bundle, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The seal that was made becomes an entry of others, and one more stands behind it."""
    genuine, forged = tmp_path / "genuine.json", tmp_path / "forged.json"
    genuine.write_text(bundle.text)
    content = json.loads(bundle.text)
    content["document"]["receipts"] = []
    proof, seal = content["proof"], content["proof"]["seal"]
    body = json.loads(seal["body"])
    body["after"]["sha256"] = sha256_of(content["document"])
    proof["links"].append([seal["seq"], seal["prev_hash"], seal["hash"]])
    proof["seal"] = sealed(seal["seq"] + 1, seal["at_us"], canonical(body), seal["hash"])
    forged.write_text(json.dumps(content))
    none = f"None of the anchors is of the seal, number {bundle.seq + 1}: "
    for anchor in (bundle.anchor, f"{bundle.seq - 1}:{seal['prev_hash']}", f"{bundle.seq + 9}:{'0' * 64}"):
        assert main([str(forged), "--anchor", anchor]) == 1
        assert capsys.readouterr().err.startswith(none)
        with pytest.raises(CommandError, match=none):
            call_command("verify_audit", "--bundle", str(forged), "--anchor", anchor)
    file = Path(settings.LOCKSTEP_ANCHOR_FILE)
    add_anchor(file, Anchor(bundle.seq - 1, seal["prev_hash"]), "2026-01-01T00:00:00+00:00")
    for path in (genuine, forged):
        assert "agrees with itself" in checked(path)
    add_anchor(file, Anchor(bundle.seq, bundle.hash), "2026-01-02T00:00:00+00:00")
    assert checked(genuine).endswith("which was anchored.\n")
    assert "agrees with itself" in checked(forged)
    add_anchor(file, Anchor(bundle.seq + 1, "0" * 64), "2026-01-03T00:00:00+00:00")
    with pytest.raises(CommandError, match="is not the one that was anchored: the bundle is of another chain"):
        checked(forged)


def sealed(seq: int, at_us: int, body: str, before: str) -> Content:
    itself = digest(bytes.fromhex(before), seq, at_us, body).hex()
    return {"seq": seq, "at_us": at_us, "body": body, "prev_hash": before, "hash": itself}


def checked(path: Path) -> str:
    out = StringIO()
    call_command("verify_audit", "--bundle", str(path), stdout=out)
    return out.getvalue()


def test_what_is_no_bundle_is_no_crash(content: Content, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twice = b'{"format": 1, ' + json.dumps(content).encode()[1:]
    infinite = b'{"x": NaN, ' + json.dumps(content).encode()[1:]
    for data in (b"", b"[]", b"{}", b"\x1f\x8bnothing", b"\xff", b"[" * 100_000, twice, infinite):
        with pytest.raises(NoBundle):
            read(data)
    for key in content["document"]:
        lacking = deepcopy(content)
        lacking["document"][key] = 7
        path = tmp_path / "b.json"
        path.write_text(json.dumps(lacking))
        with pytest.raises((NoBundle, Broken)):
            check_file(path)
    assert main([str(tmp_path / "none")]) == 1
    assert "cannot be checked" in capsys.readouterr().err


def test_both_canonical_forms_are_one(content: Content) -> None:
    assert canonical(content) == of_catalogues(content)
    assert len(sha256_of(content)) == 64


def test_the_making_is_told(bundle: Bundle, release: Release) -> None:
    entry = AuditEntry.objects.get(seq=bundle.seq)
    assert (entry.data["action"], entry.data["object"]) == ("release.bundle", "release:orders/2.0")
    assert entry.data["after"]["sha256"] == sha256_of(json.loads(bundle.text)["document"])


def test_the_commands_write_and_check_it(release: Release, ann: User, tmp_path: Path) -> None:
    call_command("bundle", "orders", "2.0", "--to", str(tmp_path), "--as", "ann")
    path = tmp_path / "orders-2.0.bundle.json"
    call_command("verify_audit", "--bundle", str(path))
    path.write_text(path.read_text().replace("sc-10", "sc-11"))
    with pytest.raises(CommandError):
        call_command("verify_audit", "--bundle", str(path))
    with pytest.raises(CommandError, match="has no release '9'"):
        call_command("bundle", "orders", "9", "--as", "ann")
