"""The audit page: what it says of the chain, its filters, the proof of each row, and the chain as a file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from dashboard.pages.audit import WINDOWS
from dashboard.pages.audit_chain import Head, head_of
from migrations_app.audit.chain import Anchor
from migrations_app.audit.checking import check_and_keep
from migrations_app.audit.export import verify_file
from migrations_app.audit.record import record
from migrations_app.models import AuditCheck, AuditEntry
from migrations_app.permissions import OPERATOR, RELEASE_MANAGER
from tests.audit.test_verify import TABLE, tamper
from tests.browser.client import heading, signed_in, text
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db: None) -> User:
    return person("ann", RELEASE_MANAGER)


@pytest.fixture
def seqs(ann: User) -> list[int]:
    return [record(actor=ann, action="test.done", object=f"thing:{n}", request_id=f"r-{n}").seq for n in range(6)]


def page(user: User, **query: str) -> Any:
    """Drawn now: here two entries can have the same number and minute."""
    WINDOWS.clear()
    return signed_in(user).get("/audit", query)


def objects(answer: Any) -> list[str]:
    return [f"thing:{n}" for n in range(6) if f"<code>thing:{n}</code>" in answer.content.decode()]


def test_it_shows_who_did_what(olga: User) -> None:
    signed_in(olga).post("/tokens", {"name": "ci", "role": "", "days": "30"})
    told = text(page(olga))
    assert "token.create" in told
    assert "+ ci" in told
    assert "verifying needs one of these roles" in told
    assert "/audit/export" not in page(olga).content.decode()


def test_verifying_is_for_those_who_may_and_tells_the_result(olga: User, ann: User) -> None:
    assert signed_in(olga).post("/audit/verify").status_code == 403
    assert "verified to number" in text(signed_in(ann).post("/audit/verify", follow=True))


def test_it_says_how_far_the_chain_was_verified_and_when(ann: User, seqs: list[int]) -> None:
    assert heading(page(ann)) == f"{seqs[-1]} audit entries, not verified yet."
    check_and_keep()
    record(actor=ann, action="test.done", object="thing:more")
    assert heading(page(ann)) == f"{seqs[-1] + 1} audit entries, verified to number {seqs[-1]}."
    checked = AuditCheck.objects.get().checked_at
    assert f"Checked {checked:%Y-%m-%d %H:%M:%S} UTC." in text(page(ann))


def test_a_verifier_that_is_late_is_told(ann: User, seqs: list[int]) -> None:
    check_and_keep()
    late = timezone.now() - timedelta(minutes=11)
    AuditCheck.objects.update(checked_at=late)
    assert heading(page(ann)) == f"{seqs[-1]} audit entries, not verified since {late:%Y-%m-%d %H:%M:%S} UTC."
    # One that takes a minute rests for twenty.
    AuditCheck.objects.update(took_ms=60_000)
    assert heading(page(ann)) == f"{seqs[-1]} audit entries, verified to number {seqs[-1]}."


def test_a_chain_that_is_broken_or_cut_is_never_called_verified(ann: User, seqs: list[int]) -> None:
    check_and_keep()
    AuditCheck.objects.update(head_seq=seqs[-1] + 1)
    assert heading(page(ann)) == "The audit log is not what was written."
    assert f"but number {seqs[-1] + 1} was verified: the tail was cut off." in text(page(ann))
    tamper(f"UPDATE {TABLE} SET body = '{{}}' WHERE seq = {seqs[2]}")
    check_and_keep()
    assert heading(page(ann)) == "The audit log is not what was written."
    assert f"Entry number {seqs[2]} is not what was written: its hash differs. Checked" in text(page(ann))


def test_a_field_that_stays_empty_is_no_change(ann: User) -> None:
    record(actor=ann, action="test.done", object="thing:1", before={"note": None}, after={"note": "", "to": "b"})
    told = page(ann).content.decode()
    assert ">to</span>" in told
    assert ">note</span>" not in told


def test_a_tail_that_was_exchanged_or_a_log_that_was_emptied_is_told_before_the_next_check(
    ann: User, seqs: list[int]
) -> None:
    check_and_keep()
    tamper(f"DELETE FROM {TABLE} WHERE seq = {seqs[-1]}")
    record(actor=ann, action="test.done", object="thing:other")
    assert heading(page(ann)) == "The audit log is not what was written."
    record(actor=ann, action="test.done", object="thing:more")
    assert f"Number {seqs[-1]} is not the entry that was verified: the tail was exchanged." in text(page(ann))
    tamper(f"DELETE FROM {TABLE}")
    assert heading(page(ann)) == "The audit log is not what was written."
    assert "It ends at number 0" in text(page(ann))
    assert "Verify now" in text(page(ann))


def test_an_entry_and_a_check_while_the_page_is_drawn_are_no_alarm(
    ann: User, seqs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_and_keep()

    def read_late(entries: QuerySet[AuditEntry]) -> Head | None:
        found = head_of(entries)
        record(actor=ann, action="test.done", object="thing:late")
        check_and_keep()
        return found

    monkeypatch.setattr("dashboard.pages.audit.head_of", read_late)
    assert heading(page(ann)) == f"{seqs[-1]} audit entries, verified to number {seqs[-1]}."


def test_each_row_shows_its_hash_and_the_one_recomputed_now(ann: User, seqs: list[int]) -> None:
    entry = AuditEntry.objects.get(seq=seqs[3])
    told = page(ann).content.decode()
    assert f"hash <code>{bytes(entry.hash).hex()}</code><br>after <code>{bytes(entry.prev_hash).hex()}</code>" in told
    assert "so it is not what was written" not in told
    tamper(f"UPDATE {TABLE} SET body = replace(body, 'thing:3', 'thing:x') WHERE seq = {seqs[3]}")
    told = page(ann, action="test.").content.decode()
    assert told.count("so it is not what was written") == 1
    assert told.count("differs</span>") == 1


def test_the_filters_narrow_and_each_can_be_taken_away(ann: User, seqs: list[int]) -> None:
    assert len(objects(page(ann))) == 6
    assert objects(page(ann, object="thing:4")) == ["thing:4"]
    assert objects(page(ann, request="r-2")) == ["thing:2"]
    assert objects(page(ann, actor="ann", action="test.")) == [f"thing:{n}" for n in range(6)]
    assert "No entry fits this filter." in text(page(ann, actor="nobody"))
    both = page(ann, request="r-2", action="test.").content.decode()
    assert 'href="/audit?action=test." aria-label="Without request r-2"' in both
    assert 'href="/audit?request=r-2" aria-label="Without action begins with test."' in both
    assert '<a href="/audit?request=r-2">r-2</a>' in page(ann).content.decode()


def test_a_time_is_from_then_on_and_before(ann: User, seqs: list[int]) -> None:
    fourth = AuditEntry.objects.get(seq=seqs[3]).at
    assert objects(page(ann, since=fourth.isoformat())) == ["thing:3", "thing:4", "thing:5"]
    assert objects(page(ann, until=fourth.isoformat())) == ["thing:0", "thing:1", "thing:2"]
    refused = signed_in(ann).get("/audit", {"since": "soon"})
    assert refused.status_code == 400
    assert "“since” in this address is not a time" in text(refused)


def test_the_chain_is_a_file_that_verifies_without_the_database(ann: User, seqs: list[int], tmp_path: Path) -> None:
    answer = signed_in(ann).get("/audit/export", {"object": "thing:4"})
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Disposition"] == f'attachment; filename="audit-to-{seqs[-1]}.jsonl"'
    file = tmp_path / "audit.jsonl"
    file.write_bytes(b"".join(answer.streaming_content))
    anchor = Anchor(seqs[-1], bytes(AuditEntry.objects.get(seq=seqs[-1]).hash).hex())
    assert verify_file(file, [anchor]).checked == seqs[-1]
    shown = text(page(ann))
    assert f"FILE --anchor {anchor.seq}:{anchor.hash}" in shown
    file.write_text(file.read_text().replace("thing:4", "thing:5"))
    assert not verify_file(file, [anchor]).ok


def test_the_file_is_for_those_who_may(ann: User, seqs: list[int]) -> None:
    assert signed_in(person("olga", OPERATOR)).get("/audit/export").status_code == 403
