"""Looks: asked for by people and by the clock, carried out once whoever dies, kept as evidence or given up."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.db.models.functions import Now

from migrations_app.engine.errors import Refused
from migrations_app.jobs import look
from migrations_app.jobs.apply import worker_name
from migrations_app.models import AuditEntry, GateEvidence, GateLook, Release, ReleaseState, Service
from migrations_app.releases.gates import kinds
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.gates.evidence import post_evidence
from migrations_app.releases.gates.kinds import Found
from migrations_app.releases.gates.looking import (
    MOST_RELEASES,
    TRIES,
    Claim,
    ask_look,
    ask_what_is_due,
    claim,
    due,
    forget,
    give_up,
    holders,
    keep,
    release_of_dead,
)
from migrations_app.releases.registering import register_release
from tests.releases.gates.rows import put
from tests.releases.gates.shapes import gate, sign

pytestmark = pytest.mark.django_db

LOOKED_AT = {
    "gates": [
        {
            "key": "units",
            "title": "Units",
            "checks": [
                {"key": "agree", "title": "They agree", "kind": "command", "settings": {"command": "agree"}},
                {"key": "by-hand", "title": "Somebody looked", "kind": "manual"},
                {"key": "chain", "title": "As registered", "kind": "fact", "settings": {"fact": "revisions_unchanged"}},
                {
                    "key": "quick",
                    "title": "They agree all the time",
                    "kind": "command",
                    "settings": {"command": "agree", "every_minutes": 5},
                },
                {
                    "key": "off",
                    "title": "Nobody needs it",
                    "kind": "command",
                    "on": False,
                    "off_reason": "no such units",
                    "settings": {"command": "agree"},
                },
            ],
        }
    ]
}


@pytest.fixture
def program(settings, tmp_path: Path) -> Path:
    settings.LOCKSTEP_CHECKS_DIR = str(tmp_path)
    found = tmp_path / "agree"
    found.write_text("#!/bin/sh\necho all four agree\n")
    found.chmod(0o755)
    return found


@pytest.fixture
def shop(service: Service, olga: User, ada: User, program: Path) -> Release:
    edit_catalogue(service=service, content=LOOKED_AT, note="what workers look at", by=ada)
    return register_release(service=service, release_id="3.0", schema_rev="sc-10", by=olga).release


def claimed(row: GateLook, worker: str = "here:1") -> Claim:
    found = claim(row.pk, worker)
    assert found is not None
    return found


def older(row: GateLook, **fields: object) -> None:
    GateLook.objects.filter(pk=row.pk).update(**fields)


def waiting() -> list[str]:
    return sorted(GateLook.objects.filter(ended_at=None).values_list("check_key", flat=True))


def test_a_look_that_was_asked_for_becomes_evidence(shop: Release, ann: User) -> None:
    row = ask_look(release=shop, gate="units", check="agree", by=ann)
    assert (row.asked_by, row.started_at, due()) == (ann, None, [row.pk])
    assert look.execute(row.pk) == "pass"
    evidence = GateEvidence.objects.get()
    assert (evidence.summary, evidence.source, evidence.by) == ("all four agree", "command", None)
    row.refresh_from_db()
    assert (row.error, row.worker, row.attempt, row.lease_until) == ("", worker_name(), 1, None)
    assert row.started_at and row.ended_at and row.started_at <= row.ended_at
    assert due() == []


def test_who_asked_is_told_in_the_audit_log(shop: Release, ann: User) -> None:
    before = ReleaseState.objects.get(pk=shop.pk)
    ask_look(release=shop, gate="units", check="agree", by=ann)
    entry = AuditEntry.objects.order_by("-seq")[0].data
    assert (entry["actor"], entry["action"], entry["object"]) == ("ann", "gate.look", "release:orders/3.0")
    assert entry["after"] == {"gate": "units", "check": "agree"}
    after = ReleaseState.objects.get(pk=shop.pk)
    # Nothing is known of it yet, so it is a draft as before.
    assert (after.version, after.status) == (before.version + 1, "draft")


def test_one_look_is_open_at_a_time(shop: Release, ann: User, olga: User) -> None:
    first = ask_look(release=shop, gate="units", check="agree", by=ann)
    assert ask_look(release=shop, gate="units", check="agree", by=olga) == first
    ask_what_is_due()
    assert waiting() == ["agree", "quick"]
    look.execute(first.pk)
    assert ask_look(release=shop, gate="units", check="agree", by=olga) != first


@pytest.mark.parametrize(
    ("check", "code", "told"),
    [
        ("by-hand", "not_looked_at", "no worker can look at it"),
        ("chain", "not_looked_at", "It is known"),
        ("off", "not_looked_at", "no such units"),
        ("none", "no_such_check", "has no check 'none'"),
    ],
)
def test_what_no_worker_can_look_at_is_refused(shop: Release, ann: User, check: str, code: str, told: str) -> None:
    with pytest.raises(Refused) as refusal:
        ask_look(release=shop, gate="units", check=check, by=ann)
    assert refusal.value.code == code
    if check != "chain":
        assert told in refusal.value.message
    assert not GateLook.objects.exists()


def test_a_check_without_evidence_is_looked_at_by_the_clock(shop: Release) -> None:
    assert ask_what_is_due() == 2
    assert ask_what_is_due() == 0
    assert waiting() == ["agree", "quick"]
    assert set(GateLook.objects.values_list("asked_by", flat=True)) == {None}
    assert look.execute_due() == 2
    assert GateEvidence.objects.count() == 2
    assert ask_what_is_due() == 0


def test_it_is_looked_at_again_at_half_its_age_or_when_it_wants_to_be(shop: Release) -> None:
    def shown(check: str, minutes: float) -> None:
        put(GateEvidence(
            release=shop, gate_key="units", check_key=check, status="pass", source="command", producer="agree",
            summary="they agree", identity=check, at=Now() - timedelta(minutes=minutes),
        ))  # fmt: skip

    shown("agree", 12 * 60 + 1)
    shown("quick", 6)
    assert ask_what_is_due() == 2
    GateLook.objects.all().delete()
    shown("agree", 11 * 60)
    shown("quick", 4)
    assert ask_what_is_due() == 0


def test_two_looks_by_the_clock_are_a_minute_apart(shop: Release) -> None:
    ask_what_is_due()
    GateLook.objects.update(ended_at=Now(), error="Lockstep itself failed")
    assert ask_what_is_due() == 0
    GateLook.objects.update(asked_at=Now() - timedelta(seconds=61))
    assert ask_what_is_due() == 2


def test_what_is_over_or_old_is_not_looked_at_by_the_clock(shop: Release, olga: User) -> None:
    ReleaseState.objects.filter(pk=shop.pk).update(status="live")
    assert ask_what_is_due() == 0
    made = [
        register_release(service=shop.service, release_id=f"4.{number}", schema_rev="sc-10", by=olga).release
        for number in range(MOST_RELEASES + 1)
    ]
    assert ask_what_is_due() == 2 * MOST_RELEASES
    assert not made[0].looks.exists()


def test_people_come_before_the_clock(shop: Release, ann: User) -> None:
    ask_what_is_due()
    GateLook.objects.filter(check_key="quick").delete()
    asked = ask_look(release=shop, gate="units", check="quick", by=ann)
    assert due() == [asked.pk, GateLook.objects.get(check_key="agree").pk]


def test_of_two_workers_one_carries_it_out(shop: Release, ann: User) -> None:
    row = ask_look(release=shop, gate="units", check="agree", by=ann)
    first = claimed(row)
    assert claim(row.pk, "there:2") is None
    assert due() == []
    assert keep(first, Found("pass", "they agree", "agree"))
    assert claim(row.pk, "there:2") is None


def test_a_look_whose_worker_died_is_taken_again_and_only_the_newest_one_s_counts(shop: Release, ann: User) -> None:
    row = ask_look(release=shop, gate="units", check="agree", by=ann)
    first = claimed(row)
    assert holders("here") == {"here:1"}
    assert release_of_dead("here:1") == 1
    second = claimed(row, "there:2")
    assert not keep(first, Found("fail", "too late", "agree"))
    assert not GateEvidence.objects.exists()
    assert keep(second, Found("pass", "they agree", "agree"))
    assert GateEvidence.objects.get().summary == "they agree"


def test_one_whose_workers_died_again_and_again_is_given_up(shop: Release, ann: User) -> None:
    row = ask_look(release=shop, gate="units", check="agree", by=ann)
    for _ in range(TRIES):
        claimed(row)
        release_of_dead("here:1")
    assert claim(row.pk, "here:1") is None
    row.refresh_from_db()
    assert row.ended_at is not None
    assert row.error == "The worker that looked went away 3 times; the workers' logs may tell what ended it."
    assert not GateEvidence.objects.exists()


def test_the_lease_is_longer_than_the_look_can_be(shop: Release, ann: User) -> None:
    row = ask_look(release=shop, gate="units", check="agree", by=ann)
    assert claimed(row).lease == timedelta(seconds=315 + 60)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Exception], None]]:
    def fail_with(error: Exception) -> None:
        def collect(*_: object) -> Found:
            raise error

        monkeypatch.setattr(kinds, "collect", collect)

    yield fail_with


def test_a_fault_of_lockstep_s_own_is_no_evidence(
    shop: Release, ann: User, failing: Callable[[Exception], None]
) -> None:
    row = ask_look(release=shop, gate="units", check="agree", by=ann)
    failing(KeyError("surprise"))
    with pytest.raises(KeyError):
        look.execute(row.pk)
    row.refresh_from_db()
    assert row.ended_at is not None
    assert row.error.startswith("Lockstep itself failed on") and "(KeyError)" in row.error
    assert not GateEvidence.objects.exists()
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_control_database_that_is_away_leaves_it_to_be_taken_again(
    shop: Release, ann: User, failing: Callable[[Exception], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ask_look(release=shop, gate="units", check="agree", by=ann)
    failing(OperationalError("gone"))
    monkeypatch.setattr(connection, "close", lambda: None)
    assert look.execute(row.pk) == "interrupted"
    row.refresh_from_db()
    assert (row.ended_at, row.error, row.attempt) == (None, "", 1)
    assert not GateEvidence.objects.exists()


def test_the_same_outcome_again_leaves_what_was_signed(shop: Release, ann: User, olga: User, program: Path) -> None:
    ask_what_is_due()
    look.execute_due()
    row = ask_look(release=shop, gate="units", check="agree", by=ann)
    program.write_text("#!/bin/sh\nexit 1\n")
    look.execute(row.pk)
    assert gate(shop, "units").state == "fail"
    program.write_text("#!/bin/sh\necho all four agree\n")
    look.execute(ask_look(release=shop, gate="units", check="agree", by=ann).pk)
    post_evidence(release=shop, gate="units", check="by-hand", status="pass", summary="looked", by=olga)
    sign(shop, "units", ann)
    look.execute(ask_look(release=shop, gate="units", check="agree", by=ann).pk)
    assert gate(shop, "units").passes


def test_a_password_in_what_it_says_is_not_kept(shop: Release, ann: User, program: Path) -> None:
    program.write_text("#!/bin/sh\necho cannot reach postgresql://me:hidden-word@db/shop; exit 1\n")
    look.execute(ask_look(release=shop, gate="units", check="agree", by=ann).pk)
    assert "hidden-word" not in GateEvidence.objects.get().summary
    assert "postgresql://me:***@db/shop" in GateEvidence.objects.get().summary


def test_those_of_yesterday_are_forgotten(shop: Release, ann: User) -> None:
    row = ask_look(release=shop, gate="units", check="agree", by=ann)
    older(row, asked_at=Now() - timedelta(days=3))
    assert forget() == 0
    give_up(claimed(row, f"here:{os.getpid()}"), "a fault")
    assert forget() == 0
    older(row, ended_at=Now() - timedelta(days=2))
    assert forget() == 1
