"""The verdict in a bundle follows from what stands beside it; whoever writes a better one is named."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import Any, cast

import pytest

from migrations_app.releases.bundle import verdict
from migrations_app.releases.bundle.kinds import Broken
from migrations_app.releases.bundle.verdict import look_at_verdict, sentence_of
from migrations_app.releases.gates import judging
from migrations_app.releases.gates.judging import GateVerdict, Verdict
from migrations_app.statuses import GREEN

Content = dict[str, Any]
HASH = "a" * 64


def document() -> Content:
    """Two gates, signed by two people and by one."""
    checks = [{"key": "unit"}, {"key": "late"}]
    check = {"check": "unit", "state": "pass", "blocks": False, "sentence": ""}
    late = {"check": "late", "state": "missing", "blocks": False, "sentence": ""}
    passing = {"passes": True, "state": "pass", "wants": [], "evidence_hash": HASH, "checks": [check, late]}
    given = [(1, "build", "ann"), (2, "build", "omar"), (3, "tests", "ann"), (4, "tests", "omar"), (5, "tests", "ida")]
    signatures = [
        {"signature": number, "gate": gate, "evidence_hash": HASH if by != "ida" else "b" * 64, "by_name": by}
        for number, gate, by in given
    ]
    return {
        "catalogue": {
            "content": {
                "gates": [
                    {"key": "build", "signatures": 2, "checks": checks},
                    {"key": "tests", "checks": checks},
                    {"key": "perf", "on": False, "off_reason": "none", "checks": []},
                ]
            }
        },
        "signatures": signatures,
        "withdrawals": [{"signature": 4}],
        "verdict": {
            "ready": True,
            "sentence": "Ready for cutover: all three gates pass.",
            "gates": [
                {"gate": "build", **passing, "signed_by": ["ann", "omar"]},
                {"gate": "tests", **passing, "signed_by": ["ann"]},
                {"gate": "perf", **passing, "state": "not_applicable", "checks": [], "signed_by": []},
            ],
        },
    }


def test_it_follows_from_gates_checks_and_signatures() -> None:
    look_at_verdict(document())
    unit, late = document()["verdict"]["gates"][1]["checks"]
    blocked = [{**unit, "state": "stale", "blocks": True}, late]
    for change, said in (
        ({"checks": blocked}, "that the gate tests passes, and its checks and signatures say otherwise"),
        ({"wants": ["Waits for one signature of one."]}, "that the gate tests passes, and its checks and signatures"),
        ({"passes": False}, "that the gate tests blocks, and its checks and signatures say otherwise"),
        ({"state": "waived"}, "that the gate tests is waived, and its checks say pass"),
        ({"checks": blocked, "passes": False}, "that the gate tests is pass, and its checks say stale"),
        ({"checks": blocked, "passes": False, "state": "stale"}, "that the release is ready, and its gates say"),
        ({"signed_by": ["mallory"]}, "counts mallory for the gate tests, whose signature is not there"),
        ({"signed_by": ["ann", "omar"]}, "counts omar for the gate tests"),  # taken back
        ({"signed_by": ["ann", "ida"]}, "counts ida for the gate tests"),  # of other evidence
        ({"signed_by": []}, "that the gate tests passes, with 0 of 1 signatures"),
        ({"checks": [unit]}, "is not about the gates and checks of the catalogue"),
        ({"gate": "e2e"}, "is not about the gates and checks of the catalogue"),
    ):
        assert said in broken(of_gate=change), said
    for put, said in (
        ({"ready": False}, "that the release is not ready, and its gates say otherwise"),
        ({"sentence": "Ready for cutover: all nine gates pass."}, "and its gates say 'Ready for cutover: all three"),
    ):
        assert said in broken(of_verdict=put), said


def broken(of_gate: Content | None = None, of_verdict: Content | None = None) -> str:
    changed = deepcopy(document())
    changed["verdict"]["gates"][1].update(of_gate or {})
    changed["verdict"].update(of_verdict or {})
    with pytest.raises(Broken) as found:
        look_at_verdict(changed)
    return str(found.value)


def test_words_and_order_are_those_of_the_gates() -> None:
    """Where these are changed, bundles that were made before have to be thought of."""
    for passed in ([True] * total + [False] * blocked for total in range(15) for blocked in range(4)):
        gates = tuple(cast(GateVerdict, SimpleNamespace(passes=one)) for one in passed)
        assert sentence_of(passed) == Verdict(gates).sentence
    assert tuple(state.value for state in judging._WORST_FIRST) == verdict.WORST_FIRST
    assert {state.value for state in GREEN} == verdict.GREEN
