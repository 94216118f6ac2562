"""That the verdict in a bundle follows from what stands beside it, as far as that can be told without the database."""

from __future__ import annotations

from collections.abc import Sequence

from migrations_app.releases.bundle.kinds import Broken, Json
from migrations_app.wording import number, share

# As releases.gates.judging has them.
WORST_FIRST = ("fail", "stale", "missing", "waived", "pass", "not_applicable")
GREEN = frozenset(WORST_FIRST[3:])


def look_at_verdict(document: Json) -> None:
    """Raises Broken."""
    verdict, demanded = document["verdict"], document["catalogue"]["content"]["gates"]
    if _names(verdict["gates"], "gate", "check") != _names(demanded, "key", "key"):
        raise Broken("The verdict is not about the gates and checks of the catalogue.")
    for gate, of_catalogue in zip(verdict["gates"], demanded, strict=True):
        _passes(gate)
        _signed(gate, document)
        _enough(gate, of_catalogue)
    passed = [gate["passes"] for gate in verdict["gates"]]
    if verdict["ready"] != all(passed):
        told = "is ready" if verdict["ready"] else "is not ready"
        raise Broken(f"The verdict says that the release {told}, and its gates say otherwise.")
    if verdict["sentence"] != (sentence := sentence_of(passed)):
        raise Broken(f"The verdict says {verdict['sentence']!r:.80}, and its gates say {sentence!r}.")


def sentence_of(passed: Sequence[bool]) -> str:
    """As releases.gates.judging has it; a bundle of another wording is of another format."""
    total, blocked = len(passed), list(passed).count(False)
    if not blocked:
        every = {1: "its only gate passes", 2: "both gates pass"}
        return f"Ready for cutover: {every.get(total, f'all {number(total)} gates pass')}."
    if total == 1:
        return "Not ready for cutover: its only gate blocks."
    return f"Not ready for cutover: {share(blocked, total)} gates {'blocks' if blocked == 1 else 'block'}."


def _names(gates: Sequence[Json], gate: str, check: str) -> list[tuple[str, list[str]]]:
    return [(one[gate], [each[check] for each in one["checks"]]) for one in gates]


def _passes(gate: Json) -> None:
    """It does where no check blocks and no signature is wanted, and its state is that of its worst check."""
    name, checks = gate["gate"], gate["checks"]
    passes = not gate["wants"] and not any(check["blocks"] for check in checks)
    if gate["passes"] is not passes:
        told = "passes" if gate["passes"] else "blocks"
        raise Broken(f"The verdict says that the gate {name} {told}, and its checks and signatures say otherwise.")
    judged = [check["state"] for check in checks if check["blocks"] or check["state"] in GREEN]
    state = min(judged, key=WORST_FIRST.index, default="not_applicable")
    if gate["state"] != state:
        raise Broken(f"The verdict says that the gate {name} is {gate['state']!s:.20}, and its checks say {state}.")


def _signed(gate: Json, document: Json) -> None:
    """By people who put their name under this very evidence and did not take it back."""
    name = gate["gate"]
    back = {one["signature"] for one in document["withdrawals"]}
    standing = {
        one["by_name"]
        for one in document["signatures"]
        if (one["gate"], one["evidence_hash"]) == (name, gate["evidence_hash"]) and one["signature"] not in back
    }
    for person in gate["signed_by"]:
        if person not in standing:
            raise Broken(f"The verdict counts {person!s:.80} for the gate {name}, whose signature is not there.")


def _enough(gate: Json, demanded: Json) -> None:
    """One that passes has the signatures that the catalogue demands, of as many people."""
    wanted = demanded.get("signatures", 1) if demanded.get("on", True) else 0
    signed = len(set(gate["signed_by"]))
    if gate["passes"] and signed < wanted:
        raise Broken(f"The verdict says that the gate {gate['gate']} passes, with {signed} of {wanted} signatures.")
