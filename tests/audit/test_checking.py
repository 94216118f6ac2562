"""The chain is checked by the clock; what was found is kept until the next check."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from migrations_app.audit.chain import Verdict
from migrations_app.audit.checking import check_and_keep, check_when_due
from migrations_app.audit.record import record
from migrations_app.audit.verify import verify
from migrations_app.models import AuditCheck, AuditEntry
from tests.audit.test_verify import TABLE, tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def seq() -> int:
    return [record(actor=None, action="a", object=f"object {n}") for n in range(3)][-1].seq


def last_check() -> AuditCheck:
    return AuditCheck.objects.get()


def test_it_keeps_what_it_found(seq: int) -> None:
    assert check_and_keep().ok
    assert (last_check().ok, last_check().head_seq) == (True, seq)
    tamper(f"UPDATE {TABLE} SET body = '{{}}' WHERE seq = {seq}")
    check_and_keep()
    assert not last_check().ok
    assert last_check().sentence == f"Entry number {seq} is not what was written: its hash differs."


def test_it_checks_when_it_never_did_and_then_every_five_minutes(seq: int) -> None:
    assert check_when_due() is not None
    assert check_when_due() is None
    AuditCheck.objects.update(checked_at=timezone.now() - timedelta(minutes=5))
    assert check_when_due() is not None


def test_a_long_chain_is_checked_less_often(seq: int) -> None:
    check_and_keep()
    AuditCheck.objects.update(checked_at=timezone.now() - timedelta(minutes=6), took_ms=60_000)
    assert check_when_due() is None
    AuditCheck.objects.update(checked_at=timezone.now() - timedelta(minutes=20))
    assert check_when_due() is not None


def test_a_tail_that_was_cut_is_told_until_it_is_there_again(seq: int) -> None:
    check_and_keep()
    cut = AuditEntry.objects.get(seq=seq)
    tamper(f"DELETE FROM {TABLE} WHERE seq = {seq}")
    for _ in range(2):
        assert not check_and_keep().ok
        assert (
            last_check().sentence
            == f"The chain ends at number {seq - 1}, but number {seq} was anchored: the tail was cut off."
        )
    other = record(actor=None, action="a", object="another in its place")
    assert other.seq == seq
    assert not check_and_keep().ok
    assert last_check().sentence == f"Entry number {seq} is not the one that was anchored: the chain was rewritten."
    tamper(f"DELETE FROM {TABLE} WHERE seq = {seq}")
    cut.save(force_insert=True)
    assert check_and_keep().ok
    assert last_check().ok


def test_what_another_check_found_meanwhile_is_not_taken_back(seq: int, monkeypatch: pytest.MonkeyPatch) -> None:
    check_and_keep()

    def slow(**given: Any) -> Verdict:
        verdict = verify(**given)
        tamper(f"UPDATE {TABLE} SET body = '{{}}' WHERE seq = {seq}")
        AuditCheck.objects.update(ok=False, checked_at=timezone.now(), sentence="Found by the other one.")
        return verdict

    monkeypatch.setattr("migrations_app.audit.checking.verify", slow)
    check_and_keep()
    assert last_check().sentence == "Found by the other one."
