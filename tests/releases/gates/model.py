"""A second, simpler idea of when a release may be cut over, and random doings that are held against it.

Nothing here reads the product's own verdict: the model keeps what was done in plain sets and lists.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Concat, Now

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.engine.errors import Refused
from migrations_app.models import Cutover, Environment, GateSignature, GateWaiver, Release, Revision
from migrations_app.releases.gates.signing import sign_off, withdraw
from migrations_app.releases.gates.waivers import ask_waiver, decide_waiver
from migrations_app.rollouts.cutting_over import cut_over
from tests.releases.gates.rows import put
from tests.releases.gates.shapes import gate, report, stale

# Eight gates: how many sign each, and the role that has to be among them.
GATES = {f"gate-{n}": (n % 3, "release-manager" if n % 4 == 1 else "") for n in range(1, 9)}
CHECKS = ("one", "two")
CATALOGUE = {
    "gates": [
        {
            "key": key,
            "title": key,
            "signatures": quorum,
            "roles": [role] if role else [],
            "checks": [{"key": check, "title": check} for check in CHECKS],
        }
        for key, (quorum, role) in GATES.items()
    ]
}
Key = tuple[str, str]


class Undone(Exception):
    """Takes a cutover back that was only made to see whether it can be."""


@dataclass
class Signed:
    by: str
    gate: str
    seen: object
    row: GateSignature
    counts: bool = True


@dataclass
class World:
    """`newest` is the last report of each check: status, whether it is young enough, and its number."""

    release: Release
    people: dict[str, User]
    author: str
    requester: str
    dice: random.Random
    newest: dict[Key, tuple[str, bool, int]] = field(default_factory=dict)
    exempt: dict[Key, tuple[int, GateWaiver]] = field(default_factory=dict)
    signed: list[Signed] = field(default_factory=list)
    sql: int = 0
    target: int = 0
    number: int = 0
    created: int = 0

    def from_here(self, dice: random.Random) -> World:
        """The same state, to go on from in another way; the rows are only safe in a transaction of its own."""
        signed = [replace(one) for one in self.signed]
        return replace(self, dice=dice, newest=dict(self.newest), exempt=dict(self.exempt), signed=signed)

    def shown(self, key: Key) -> bool:
        status, young, _ = self.newest.get(key, ("missing", False, 0))
        return status == "pass" and young

    def green(self, key: str) -> bool:
        return all(self.shown((key, check)) or (key, check) in self.exempt for check in CHECKS)

    def seen(self, key: str) -> object:
        """What a signature binds."""
        checks = [
            ("exempt", self.exempt[key, check][0], self.newest.get((key, check)))
            if not self.shown((key, check)) and (key, check) in self.exempt
            else (self.newest.get((key, check), ("missing", False, 0))[0], self.newest.get((key, check), ("", 0, 0))[2])
            for check in CHECKS
        ]
        return checks, self.sql, self.target

    def counting(self, key: str) -> set[str]:
        mine = [one for one in self.signed if one.gate == key and one.counts and one.seen == self.seen(key)]
        return {one.by for one in mine} - {self.author}

    def passes(self, key: str) -> bool:
        quorum, role = GATES[key]
        signers = self.counting(key) - {self.requester}
        has_role = not role or any(self.people[name].groups.filter(name=role).exists() for name in signers)
        return self.green(key) and len(signers) >= quorum and (has_role or not quorum)

    @property
    def may_cut_over(self) -> bool:
        return all(self.passes(key) for key in GATES)

    def act(self) -> str:
        """One random doing, by its name."""
        weights: dict[Callable[[], None], int] = {
            self.report_pass: 4,
            self.report_fail: 2,
            self.grow_old: 2,
            self.sign: 8,
            self.sign_long_ago: 1,
            self.take_back: 2,
            self.exempt_one: 2,
            self.end_exemption: 1,
            self.edit_sql: 1,
            self.edit_target: 1,
            self.repair: 6,
        }
        doing = self.dice.choices(list(weights), list(weights.values()))[0]
        doing()
        return doing.__name__

    def a_check(self) -> Key:
        return self.dice.choice(sorted(GATES)), self.dice.choice(CHECKS)

    def report_pass(self) -> None:
        self._report(self.a_check(), "pass")

    def report_fail(self) -> None:
        self._report(self.a_check(), "fail")

    def _report(self, key: Key, status: str) -> None:
        report(self.release, self.people[self.author], *key, status=status)
        self.number += 1
        self.newest[key] = (status, True, self.number)

    def grow_old(self) -> None:
        key = self.a_check()
        self.number += 1
        stale(self.release, *key, hours=24.0 + self.number / 3600)
        self.newest[key] = ("pass", False, self.number)

    def sign(self) -> None:
        key, who = self.dice.choice(sorted(GATES)), self.dice.choice(sorted(self.people))
        self._sign(key, who, gate(self.release, key).evidence_hash)

    def _sign(self, key: str, who: str, digest: str) -> None:
        allowed = who != self.author and self.green(key) and who not in self.counting(key)
        try:
            row = sign_off(release=self.release, gate=key, evidence_hash=digest, by=self.people[who])
        except Refused as refusal:
            assert not allowed, f"{who} could not sign {key}: {refusal.message}"
            return
        assert allowed, f"{who} could sign {key}"
        self.signed.append(Signed(who, key, self.seen(key), row))

    def sign_long_ago(self) -> None:
        """A row as it would be left by a signature whose time is over."""
        found = gate(self.release, self.dice.choice(sorted(GATES)))
        put(
            GateSignature(
                release=self.release,
                gate_key=found.gate.key,
                by=self.people["ann"],
                roles=["release-manager"],
                evidence_hash=found.evidence_hash,
                parts=found.parts,
                expires_at=Now() - timedelta(seconds=1),
            )
        )

    def take_back(self) -> None:
        standing = [one for one in self.signed if one.counts]
        if standing:
            one = self.dice.choice(standing)
            withdraw(one.row, reason="a second thought", by=self.people[one.by])
            one.counts = False

    def exempt_one(self) -> None:
        key = self.a_check()
        if key in self.exempt:
            return
        asked = ask_waiver(
            release=self.release,
            gate=key[0],
            check=key[1],
            reason="it is away until Monday",
            hours=2,
            by=self.people["omar"],
        )
        decide_waiver(asked, "approve", by=self.people["ann"])
        self.number += 1
        self.exempt[key] = (self.number, asked)

    def end_exemption(self) -> None:
        if self.exempt:
            key = self.dice.choice(sorted(self.exempt))
            decide_waiver(self.exempt.pop(key)[1], "revoke", reason="it is back again", by=self.people["ann"])

    def edit_sql(self) -> None:
        first = Revision.objects.filter(service=self.release.service, position=1)
        first.update(checksum=Concat("checksum", Value("x")))
        self.sql += 1

    def edit_target(self) -> None:
        Environment.objects.filter(service=self.release.service).update(target_name=Concat("target_name", Value("x")))
        self.target += 1

    def repair(self) -> None:
        """Somebody looks after one gate: shows what is missing and has it signed by all who may."""
        key = next((one for one in sorted(GATES) if not self.passes(one)), None)
        if key is None:
            return
        for check in CHECKS:
            if not self.shown((key, check)) and (key, check) not in self.exempt:
                self._report((key, check), "pass")
        digest = gate(self.release, key).evidence_hash
        for who in sorted(set(self.people) - {self.author, self.requester} - self.counting(key)):
            self._sign(key, who, digest)

    def try_to_cut_over(self) -> None:
        """Created exactly where the model says so, and then undone."""
        wanted = self.may_cut_over
        try:
            with transaction.atomic():
                cut_over(release=self.release, by=self.people[self.requester])
                assert wanted, f"a cutover with {[key for key in GATES if not self.passes(key)]} not green"
                self.created += 1
                raise Undone
        except Undone:
            return
        except NotAdmitted as refusal:
            assert not wanted, f"no cutover: {refusal.message}"
            assert not Cutover.objects.exists()
