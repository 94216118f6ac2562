"""Six ways to tamper with the kept rows, each found by number; and the command that says so."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from migrations_app.audit import verify as verify_module
from migrations_app.audit.chain import Anchor, Verdict
from migrations_app.audit.export import Unreadable, main, verify_file
from migrations_app.audit.record import record
from migrations_app.audit.verify import verify
from migrations_app.models import AuditEntry

pytestmark = pytest.mark.django_db
TABLE = "migrations_app_auditentry"


@pytest.fixture
def first() -> int:
    """Six entries; the number of the first of them."""
    entries = [record(actor=None, action="a", object=f"object {n}", after={"n": n}) for n in range(6)]
    return entries[0].seq


def test_a_table_that_is_gone_is_told(first: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE migrations_app_waiverdecision CASCADE")
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit")
    assert str(refused.value) == (
        "A table that the audit log vouches for cannot be read: "
        'relation "migrations_app_waiverdecision" does not exist.'
    )


def tamper(*statements: str) -> None:
    """What a superuser can do, and the triggers cannot stop."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER audit_no_change")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER audit_no_change")


def found(verdict: Verdict) -> tuple[int, str]:
    assert not verdict.ok
    assert verdict.first_bad is not None
    return verdict.first_bad.seq, verdict.first_bad.code


def forge(seq: int) -> str:
    """New content with a hash that fits it."""
    return (
        f"UPDATE {TABLE} SET body = '{{\"forged\":1}}', hash = sha256(prev_hash || convert_to("
        f"seq || '|' || (extract(epoch FROM at) * 1000000)::bigint || '|' || '{{\"forged\":1}}', 'UTF8')) "
        f"WHERE seq = {seq}"
    )


def test_it_accepts_what_was_written(first: int) -> None:
    verdict = verify()
    assert (verdict.ok, verdict.checked, verdict.head_seq) == (True, first + 5, first + 5)


def test_it_reads_in_chunks_and_counts_all_of_them(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_module, "CHUNK", 2)
    assert verify().checked == first + 5


def test_it_finds_changed_content(first: int) -> None:
    tamper(f"UPDATE {TABLE} SET body = replace(body, 'object 2', 'object 9') WHERE seq = {first + 2}")
    assert found(verify()) == (first + 2, "content")


def test_it_finds_a_changed_time(first: int) -> None:
    tamper(f"UPDATE {TABLE} SET at = at + interval '1 microsecond' WHERE seq = {first + 2}")
    assert found(verify()) == (first + 2, "content")


def test_it_finds_a_removed_row(first: int) -> None:
    tamper(f"DELETE FROM {TABLE} WHERE seq = {first + 3}")
    assert found(verify()) == (first + 3, "missing")


def test_it_finds_a_removed_beginning(first: int) -> None:
    tamper(f"DELETE FROM {TABLE} WHERE seq <= {first}")
    assert found(verify())[1] == "missing"


def test_it_finds_two_rows_that_changed_places(first: int) -> None:
    tamper(
        f"UPDATE {TABLE} SET seq = -1 WHERE seq = {first + 1}",
        f"UPDATE {TABLE} SET seq = {first + 1} WHERE seq = {first + 2}",
        f"UPDATE {TABLE} SET seq = {first + 2} WHERE seq = -1",
    )
    assert found(verify()) == (first + 1, "content")


def test_it_finds_a_forged_hash(first: int) -> None:
    tamper(forge(first + 1))
    assert found(verify()) == (first + 2, "forged")


def test_it_finds_a_hash_that_was_only_overwritten(first: int) -> None:
    tamper(f"UPDATE {TABLE} SET hash = sha256('x') WHERE seq = {first + 5}")
    assert found(verify()) == (first + 5, "content")


def test_it_finds_a_cut_tail_by_the_anchor_alone(first: int) -> None:
    head = verify()
    tamper(f"DELETE FROM {TABLE} WHERE seq > {first + 2}")
    assert verify().ok
    assert found(verify(anchors=[Anchor(head.head_seq, head.head_hash)])) == (first + 3, "cut")


def test_it_finds_a_forged_head_by_the_anchor_alone(first: int) -> None:
    head = verify()
    tamper(forge(first + 5))
    assert verify().ok
    assert found(verify(anchors=[Anchor(head.head_seq, head.head_hash)])) == (first + 5, "anchor")


def test_it_goes_on_from_an_entry(first: int) -> None:
    assert verify(from_seq=first + 3).checked == 2


def test_it_refuses_to_start_from_an_entry_that_is_not_there(first: int) -> None:
    assert found(verify(from_seq=first + 99)) == (first + 99, "missing")


def test_it_exports_rows_that_can_be_checked_offline(first: int, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    stored, offline = verify(export=file), verify_file(file)
    assert offline == stored
    assert len(file.read_text().splitlines()) == AuditEntry.objects.count()


def test_it_exports_what_stands_after_a_bad_row_too(first: int, tmp_path: Path) -> None:
    tamper(f"UPDATE {TABLE} SET body = '{{}}' WHERE seq = {first + 2}")
    file = tmp_path / "audit.jsonl"
    assert not verify(export=file).ok
    assert len(file.read_text().splitlines()) == AuditEntry.objects.count()
    assert found(verify_file(file)) == (first + 2, "content")


def test_it_checks_an_export_that_begins_in_the_middle(first: int, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    verify(from_seq=first + 2, export=file)
    assert verify_file(file).checked == 3


def test_it_finds_an_edited_export(first: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "audit.jsonl"
    verify(export=file)
    file.write_text(file.read_text().replace("object 2", "object 9"))
    assert main([str(file)]) == 1
    assert capsys.readouterr().err == f"Entry number {first + 2} is not what was written: its hash differs.\n"


def test_it_names_the_line_of_an_export_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text("nothing\n")
    with pytest.raises(Unreadable, match="Line 1 is not an audit entry"):
        verify_file(file)
    assert main([str(file)]) == 1


def test_it_accepts_an_empty_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "audit.jsonl").touch()
    assert main([str(tmp_path / "audit.jsonl")]) == 0
    assert capsys.readouterr().out == "No entries to check after number 0.\n"


def test_the_command_says_one_sentence(first: int) -> None:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue() == verify().sentence + "\n"


def test_the_command_fails_with_the_first_bad_entry(first: int) -> None:
    tamper(f"DELETE FROM {TABLE} WHERE seq = {first + 3}")
    with pytest.raises(CommandError, match=rf"Entry number {first + 3} is missing") as failure:
        call_command("verify_audit")
    assert failure.value.returncode == 1


def test_the_command_takes_an_anchor_and_writes_a_file(first: int, tmp_path: Path) -> None:
    head = verify()
    out, file = StringIO(), tmp_path / "audit.jsonl"
    call_command("verify_audit", "--anchor", f"{head.head_seq}:{head.head_hash}", "--export", str(file), stdout=out)
    assert json.loads(file.read_text().splitlines()[-1])["hash"] == head.head_hash
    with pytest.raises(CommandError, match="is not the one that was anchored"):
        call_command("verify_audit", "--anchor", f"{head.head_seq}:{'0' * 64}")


def test_the_command_refuses_a_wrong_anchor_and_an_unwritable_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="'5' is not an anchor"):
        call_command("verify_audit", "--anchor", "5")
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        call_command("verify_audit", "--export", str(tmp_path / "none" / "audit.jsonl"))
