"""From a build to a release that may be cut over: three people's tokens and nothing but the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_app.models import AuditEntry, Service
from migrations_app.permissions import OPERATOR, RELEASE_MANAGER
from migrations_app.releases.gates.catalogues import edit_catalogue
from tests.edge.caller import Caller, read, refusal
from tests.edge.people import person
from tests.releases.gates.shapes import SMALL

pytestmark = pytest.mark.django_db


@dataclass
class Script:
    """One person's, which knows the release by the name that the build gave it."""

    caller: Caller
    release_id: str = "2026.11.3"

    @cached_property
    def number(self) -> int:
        wanted = {"service": "orders", "release_id": self.release_id}
        (found,) = read(self.caller.get("/releases", wanted))["releases"]
        return int(found["id"])

    def look(self) -> Any:
        return read(self.caller.get(f"/releases/{self.number}"))

    def gate(self, key: str) -> Any:
        return next(gate for gate in self.look()["gates"] if gate["key"] == key)

    def report(self, gate: str, check: str, status: str = "pass") -> Any:
        body = {"gate": gate, "check": check, "status": status, "summary": f"{check}: {status}",
                "producer": f"ci/{check}", "commit": "c0ffee"}  # fmt: skip
        return read(self.caller.post(f"/releases/{self.number}/evidence", body), 201)

    def sign(self, gate: str, seen: str) -> Any:
        return self.caller.post(f"/releases/{self.number}/gates/{gate}/signoff", {"evidence_hash": seen})


@pytest.fixture
def service(service: Service, ada: User) -> Service:
    edit_catalogue(service=service, content=SMALL, note="small enough to read", by=ada)
    return service


def test_three_people_make_a_release_ready(service: Service, olga: User) -> None:
    build = Script(Caller(olga))
    ann, otto = (Script(Caller(person(name, role))) for name, role in (("ann", RELEASE_MANAGER), ("otto", OPERATOR)))
    body = {"service": "orders", "release_id": build.release_id, "schema_rev": "sc-10", "commit": "c0ffee",
            "artefacts": [{"name": "wheel", "sha256": "ab" * 32}]}  # fmt: skip
    assert read(build.caller.post("/releases", body), 201)["status"] == "draft"

    # The build reports; one job was renamed, and hears how its check is called.
    build.report("build", "assets")
    assert build.report("tests", "units")["hint"].endswith("Is tests/unit meant?")
    build.report("tests", "unit", "fail")
    build.report("tests", "unit")
    assert build.look()["status"] == "collecting"

    # Nothing shows the manifest: somebody asks to go without, and somebody else agrees.
    wanted = {"gate": "build", "check": "manifest", "reason": "the list comes tomorrow", "hours": 24}
    asked = read(build.caller.post(f"/releases/{build.number}/waivers", wanted), 201)["id"]
    assert refusal(build.caller.post(f"/waivers/{asked}/approve"), 403)
    read(ann.caller.post(f"/waivers/{asked}/approve"))
    assert ann.gate("build")["state"] == "waived"

    # Nobody signs their own.
    assert refusal(build.sign("build", build.gate("build")["evidence_hash"]), 403)["code"] == "own_release"

    # A signature falls with new evidence, and what was on the screen before is not signed.
    seen = ann.gate("tests")["evidence_hash"]
    signed = read(ann.sign("tests", seen), 201)["id"]
    build.report("tests", "unit")
    assert refusal(otto.sign("tests", seen), 409)["code"] == "evidence_changed"
    fallen = next(one for one in ann.gate("tests")["signatures"] if one["id"] == signed)
    assert fallen["void"] == "Superseded: there is other evidence of “The tests pass”."

    for script, gates in ((ann, ("build", "tests")), (otto, ("tests",))):
        assert not script.look()["verdict"]["ready"]
        for gate in gates:
            read(script.sign(gate, script.gate(gate)["evidence_hash"]), 201)
    found = build.look()
    assert (found["status"], found["verdict"]["sentence"]) == ("ready", "Ready for cutover: both gates pass.")
    assert _told() == [
        "release.register", *["evidence.record"] * 4, "waiver.ask", "denied", "waiver.approve", "gate.sign",
        "evidence.record", *["gate.sign"] * 3,
    ]  # fmt: skip


def _told() -> list[str]:
    aside = ("catalogue.edit", "token.create")
    return [one.data["action"] for one in AuditEntry.objects.order_by("seq") if one.data["action"] not in aside]
