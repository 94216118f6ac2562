"""`manage.py gates` and what `release register` takes for them: the same verbs, roles and refusals as elsewhere."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from migrations_app.models import EvidenceArtefact, GateEvidence, GateSignature, GateWaiver, Release, Service
from migrations_app.releases.gates.catalogues import newest_catalogue
from tests.releases.gates.shapes import SMALL, gate, make_ready, report_all

pytestmark = pytest.mark.django_db

OF = ("orders", "2.0")


def gates(*arguments: object, by: str = "olga") -> str:
    out = StringIO()
    call_command("gates", *map(str, arguments), "--as", by, stdout=out, stderr=out)
    return out.getvalue()


def test_it_shows_what_blocks_and_fails(release: Release, olga: User) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="Not ready for cutover: two of two gates block"):
        call_command("gates", "show", *OF, "--as", "olga", stdout=out)
    assert "error   build/assets: missing. Nothing has reported it; expected from ci/assets" in out.getvalue()
    assert f"1 build: missing, evidence {gate(release, 'build').evidence_hash}" in out.getvalue()


def test_it_shows_what_passes(release: Release, olga: User, ann: User, omar: User) -> None:
    make_ready(release, olga, ann, omar)
    told = gates("show", *OF)
    assert "2.0 is ready. Ready for cutover: both gates pass." in told
    assert f"signed by ann (signature {GateSignature.objects.filter(by=ann).latest('id').pk}), omar" in told


def test_it_shows_a_report_for_a_program(release: Release) -> None:
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("gates", "show", *OF, "--json", "--as", "olga", stdout=out)
    told = json.loads(out.getvalue())
    assert set(told) == {"mode", "errors", "warnings", "info", "passed"}
    assert (told["mode"], told["passed"], told["errors"][0]["check"]) == ("block", False, "assets")


def test_it_reports_with_a_file(release: Release, olga: User, tmp_path: Path) -> None:
    file = tmp_path / "units.xml"
    file.write_bytes(b"<ok/>")
    told = gates("report", *OF, "tests", "unit", "pass", "412 passed", "--producer", "ci/unit", "--file", file)
    row = GateEvidence.objects.get()
    assert told == f"evidence {row.pk}: tests/unit passes\n"
    assert (row.artefact_name, row.artefact_sha256) == ("units.xml", hashlib.sha256(b"<ok/>").hexdigest())
    assert "Is tests/unit meant?" in gates("report", *OF, "tests", "units", "pass", "412 passed")


def test_it_says_why_a_file_is_not_attached(release: Release, olga: User, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(10 * 1024 * 1024 + 1)
    for path, says in ((tmp_path / "none", "cannot be read: No such file"), (large, "the limit is 10,485,760")):
        with pytest.raises(CommandError, match=says):
            gates("report", *OF, "tests", "unit", "pass", "412 passed", "--file", path)
    with pytest.raises(CommandError, match="The commit has 201 characters"):
        gates("report", *OF, "tests", "unit", "pass", "412 passed", "--commit", "c" * 201)
    assert not EvidenceArtefact.objects.exists()


def test_it_signs_what_was_seen_and_takes_it_back(release: Release, olga: User, ann: User) -> None:
    report_all(release, olga)
    with pytest.raises(CommandError, match="is not what was shown"):
        gates("sign", *OF, "build", "--evidence-hash", "0" * 64, by="ann")
    with pytest.raises(CommandError, match="nobody signs their own"):
        gates("sign", *OF, "build", "--evidence-hash", gate(release, "build").evidence_hash)
    gates("sign", *OF, "build", "--evidence-hash", gate(release, "build").evidence_hash, by="ann")
    signed = GateSignature.objects.get()
    with pytest.raises(CommandError, match="The reason has 600 characters"):
        gates("withdraw", signed.pk, "--reason", "x" * 600, by="ann")
    assert "is withdrawn" in gates("withdraw", signed.pk, "--reason", "the wrong build", by="ann")
    with pytest.raises(CommandError, match="There is no signature 99999"):
        gates("withdraw", 99999, "--reason", "the wrong build", by="ann")


def test_it_asks_for_an_exemption_that_another_one_grants(release: Release, ann: User) -> None:
    asking = ("waive", *OF, "build", "manifest", "--hours", "24", "--reason", "the list comes tomorrow")
    assert "waits for a second person" in gates(*asking)
    waiver = GateWaiver.objects.get()
    with pytest.raises(CommandError, match="olga may not do this"):
        gates("decide", waiver.pk, "approve")
    with pytest.raises(CommandError, match="The reason has 501 characters"):
        gates("decide", waiver.pk, "approve", "--reason", "x" * 501, by="ann")
    assert gates("decide", waiver.pk, "approve", by="ann") == f"exemption {waiver.pk} is approved\n"
    taken = gates("decide", waiver.pk, "withdraw", "--reason", "the list is here")
    assert taken == f"exemption {waiver.pk} is withdrawn\n"
    with pytest.raises(CommandError, match="There is no exemption 99999"):
        gates("decide", 99999, "approve", by="ann")


def test_it_reads_and_changes_the_catalogue(release: Release, olga: User, ada: User, tmp_path: Path) -> None:
    assert json.loads(gates("catalogue", "--service", "orders")) == SMALL
    assert len(json.loads(gates("catalogue"))["gates"]) == 8
    content: dict[str, Any] = deepcopy(SMALL)
    content["gates"].pop()
    file = tmp_path / "gates.json"
    file.write_text(json.dumps(content))
    change = ("catalogue", "--service", "orders", "--set", file, "--note", "fewer of them", "--version", 1)
    with pytest.raises(CommandError, match="olga may not do this"):
        gates(*change)
    assert gates(*change, by="ada") == "version 2 of the catalogue for orders\n"
    with pytest.raises(CommandError, match="Version 2 was saved while version 1 was being edited"):
        gates(*change, by="ada")
    file.write_text("{")
    with pytest.raises(CommandError, match="The catalogue is no JSON"):
        gates(*change, by="ada")
    assert newest_catalogue(release.service).content == content


def test_it_names_what_is_not_there(service: Service, olga: User) -> None:
    with pytest.raises(CommandError, match="orders has no release '9"):
        gates("show", "orders", "9.9")
    with pytest.raises(CommandError, match="There is no service 'none'"):
        gates("show", "none", "9.9")


def test_a_release_is_registered_with_what_was_built(service: Service, olga: User) -> None:
    built = ("--commit", "c0ffee", "--artefact", f"a=b={'ab' * 32}")
    call_command("release", "register", *OF, "--schema-rev", "sc-10", *built, "--as", "olga", stdout=StringIO())
    kept = Release.objects.get()
    assert (kept.commit, kept.artefacts) == ("c0ffee", [["a=b", "ab" * 32]])
    for wrong, says in ((("--artefact", "a"), "has no SHA-256"), (built[2:] * 2, "was given twice")):
        with pytest.raises(CommandError, match=says):
            call_command("release", "register", "orders", "2.1", "--schema-rev", "sc-10", *wrong, "--as", "olga")
