"""What was done about a release, in words: every action that its audit entries can hold."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from dashboard.pages.release_history import _TOLD, tell
from migrations_app import rollouts
from migrations_app.releases import gates

HASH = "0123456789ab" + "cd" * 26
# As the log keeps them, with all that nobody reads here.
ROW = {"release": 7, "at": "2026-11-28T10:00:00.123456+00:00", "by": 3}
UNTIL = {"expires_at": "2026-11-29T10:00:00.123456+00:00"}
CHECK = {**ROW, "gate": "tests", "check": "unit", "reason": "the mirror <b>"}
STEP = {"cutover": 5, "environment": "prod-eu", "run": 12}
EVIDENCE = {
    **CHECK, "evidence": 41, "status": "fail", "summary": "2 of 9", "producer": "ci", "detail_sha256": HASH,
    "identity": "f" * 32, "artefact": "log.txt", "artefact_sha256": HASH,
}  # fmt: skip
SIGNED = {**ROW, **UNTIL, "gate": "tests", "evidence_hash": HASH, "roles": ["release-manager"], "comment": "read it"}
GLASS = {**ROW, **UNTIL, "reason": "customers wait", "blockers": [["tests", "Unit fails."], ["build", "Missing."]]}
BEGUN = {
    **ROW, "cutover": 5, "environments": ["test-eu", "prod-eu"], "planned_from": None, "planned_until": None,
    "gates": [["tests", "pass", HASH, ["ann"]]], "verdict": "Ready for cutover.", "reason": "the autumn release",
}  # fmt: skip
REGISTERED = {**ROW, "schema_rev": "sc-10", "commit": HASH[:40], "artefacts": [["shop.tar.gz", HASH], ["image", HASH]]}
EXEMPTION = "tests/unit · the mirror <b>"
CASES: dict[str, tuple[dict[str, object], str]] = {
    "release.register": (REGISTERED, "Registered it: schema sc-10 · commit 0123456789ab · built: shop.tar.gz, image"),
    "release.bundle": ({"sha256": HASH, "entries": 9}, "Took its evidence as a file: hash 0123456789ab"),
    "evidence.record": (EVIDENCE, "Reported evidence: tests/unit fails · 2 of 9 · by ci · file log.txt"),
    "gate.look": (CHECK, "Asked a worker to look: tests/unit"),
    "gate.sign": (
        SIGNED, "Signed a gate: tests · read it · evidence 0123456789ab · until 2026-11-29 10:00:00 UTC"
    ),
    "gate.withdraw": (CHECK, "Withdrew a signature: tests · the mirror <b>"),
    "waiver.ask": ({**CHECK, **UNTIL}, f"Asked for an exemption: {EXEMPTION} · until 2026-11-29 10:00:00 UTC"),
    "waiver.approve": ({**CHECK, "reason": ""}, "Approved an exemption: tests/unit"),
    "waiver.decline": (CHECK, f"Declined an exemption: {EXEMPTION}"),
    "waiver.withdraw": (CHECK, f"Withdrew an exemption: {EXEMPTION}"),
    "waiver.revoke": (CHECK, f"Revoked an exemption: {EXEMPTION}"),
    "glass.ask": (
        GLASS, "Asked to break the glass: customers wait · past tests, build · until 2026-11-29 10:00:00 UTC"
    ),
    "glass.break": ({**GLASS, "granted": True}, "Broke the glass: customers wait · past tests, build"),
    "glass.decline": ({**GLASS, "granted": False}, "Declined to break the glass: customers wait"),
    "cutover.start": (
        BEGUN, "Began a cutover: to test-eu, prod-eu · the autumn release · Ready for cutover. · cutover 5"
    ),
    "cutover.resume": ({"cutover": 5, "reason": ""}, "Let a cutover go on: cutover 5"),
    "cutover.give_up": ({"cutover": 5, "reason": "too late"}, "Gave a cutover up: too late · cutover 5"),
    "cutover.take_back": ({"cutover": 5, "reason": "slow"}, "Asked to take a cutover back: slow · cutover 5"),
    "cutover.step": (STEP, "Started the run of an environment: prod-eu · run 12 · cutover 5"),
    "cutover.reached": ({**STEP, "run": None}, "An environment runs it: prod-eu · cutover 5"),
    "cutover.halt": ({"cutover": 5, "why": "Run 7 failed."}, "Halted the cutover: Run 7 failed. · cutover 5"),
    "cutover.done": ({"cutover": 5}, "Finished the cutover: cutover 5"),
    "cutover.step_back": (STEP, "Started the way back of an environment: prod-eu · run 12 · cutover 5"),
    "cutover.returned": ({**STEP, "run": None}, "An environment is back: prod-eu · cutover 5"),
    "cutover.rolled_back": ({"cutover": 5}, "Took the cutover back as a whole: cutover 5"),
    "denied": (
        {"verb": "sign_gate", "needs": "the right password", "wrong_tries": 1},
        "Was refused: to sign gates · that takes the right password",
    ),
    "release.unheard_of": (dict(EVIDENCE), "release.unheard_of: "),
}  # fmt: skip


@pytest.mark.parametrize("action", CASES)
def test_an_entry_is_told_in_words(action: str) -> None:
    after, told = CASES[action]
    what, said = tell(action, after)
    assert f"{what}: {unescape(re.sub('<[^>]+>', '', said))}" == told
    assert "<b>" not in said


def test_no_action_is_left_out() -> None:
    rooms = (Path(str(room.__file__)).parent for room in (gates, rollouts))
    source = "".join(file.read_text() for room in rooms for file in sorted(room.glob("*.py")))
    recorded = set(re.findall(r'(?:record_change|_tell)\([^"]*"([a-z]+[.][a-z_]+)"', source))
    assert {"evidence.record", "cutover.start", "cutover.halt"} <= recorded
    assert recorded <= set(CASES)
    assert set(_TOLD) == set(CASES) - {"release.unheard_of"}


def test_a_hash_is_whole_in_its_title() -> None:
    assert f'<code title="{HASH}">{HASH[:12]}</code>' in tell("gate.sign", SIGNED)[1]


def test_what_stands_elsewhere_is_left_out() -> None:
    assert tell("cutover.done", {"cutover": 5}, without={"cutover"}) == ("Finished the cutover", "")
