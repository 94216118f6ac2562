"""The head of the chain is noted each day in a file and at an address; what did not come through is tried again."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from migrations_app import checks
from migrations_app.audit.anchor_file import BadAnchors, add_anchor, read_anchors
from migrations_app.audit.anchoring import anchor_now, anchor_when_due, last_anchor
from migrations_app.audit.chain import Anchor
from migrations_app.audit.checking import check_and_keep
from migrations_app.audit.record import record
from migrations_app.audit.webhook import NotSent, send
from migrations_app.models import AuditAnchor, AuditEntry
from tests.audit.test_verify import TABLE, forge, tamper

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def file(settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "anchors.txt"
    settings.LOCKSTEP_ANCHOR_FILE = str(path)
    return path


@pytest.fixture
def seq() -> int:
    return [record(actor=None, action="a", object=f"object {n}") for n in range(4)][-1].seq


class Listener(BaseHTTPRequestHandler):
    answer: ClassVar[int] = 200
    heard: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        self.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.answer)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def webhook(settings: Settings) -> Iterator[type[Listener]]:
    Listener.heard.clear()
    Listener.answer = 200
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.LOCKSTEP_ANCHOR_WEBHOOK = f"http://127.0.0.1:{server.server_port}/hook"
        settings.LOCKSTEP_OUTBOUND_HOSTS = [f"127.0.0.1:{server.server_port}"]
        yield Listener
        server.shutdown()


def test_it_adds_a_line_and_rewrites_none(file: Path, seq: int) -> None:
    assert anchor_now() is not None
    first = file.read_text()
    record(actor=None, action="a", object="one more")
    anchor_now()
    assert file.read_text().startswith(first)
    head = AuditEntry.objects.get(seq=seq + 1)
    assert [one.seq for one in read_anchors(file)] == [seq, seq + 1]
    assert read_anchors(file)[-1] == Anchor(seq + 1, bytes(head.hash).hex())
    assert file.read_text().splitlines()[1].split()[1].startswith(f"{timezone.now():%Y-%m-%dT}")


def test_an_empty_log_has_no_anchor(file: Path) -> None:
    assert anchor_now() is None
    with pytest.raises(CommandError, match="nothing to anchor"):
        call_command("verify_audit", "--anchor-now")
    assert not file.exists()


@pytest.mark.parametrize(
    ("minutes_ago", "file_ok", "webhook_ok", "due"),
    [
        (0, True, None, False),
        (0, True, True, False),
        (25 * 60, True, True, True),
        (5, False, None, False),
        (16, False, None, True),
        (16, True, False, True),
    ],
)
def test_it_is_due_once_a_day_and_again_after_a_failure(
    file: Path, seq: int, minutes_ago: int, file_ok: bool, webhook_ok: bool | None, due: bool
) -> None:
    add_anchor(file, Anchor(1, "0" * 64), "2026-01-01T00:00:00+00:00")
    at = timezone.now() - timedelta(minutes=minutes_ago)
    AuditAnchor.objects.create(seq=1, hash="0" * 64, at=at, file_ok=file_ok, webhook_ok=webhook_ok)
    assert (anchor_when_due() is not None) is due
    if due:
        row = last_anchor()
        assert row is not None
        assert (row.seq, row.in_file, row.note) == (seq, True, "")
        assert anchor_when_due() is None


def test_it_tells_the_webhook(webhook: type[Listener], seq: int) -> None:
    row = anchor_now()
    assert row is not None
    assert (row.file_ok, row.webhook_ok, row.note) == (True, True, "")
    (heard,) = webhook.heard
    assert (heard["seq"], heard["anchor"]) == (seq, f"{seq}:{row.hash}")


@pytest.mark.parametrize(("answer", "why"), [(500, "it was answered 500"), (302, "it was answered 302")])
def test_a_webhook_that_does_not_take_it_is_told(webhook: type[Listener], seq: int, answer: int, why: str) -> None:
    webhook.answer = answer
    row = anchor_now()
    assert row is not None
    assert (row.file_ok, row.webhook_ok, row.note) == (True, False, f"The webhook did not take it: {why}.")
    assert len(webhook.heard) == 1


def test_a_file_that_cannot_be_written_is_told(file: Path, seq: int) -> None:
    file.mkdir(parents=True)
    row = anchor_now()
    assert row is not None
    assert (row.file_ok, row.webhook_ok) == (False, None)
    assert row.note == "The file anchors.txt cannot be written (Is a directory)."
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_audit")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ftp://example.org/x", "it is no address that can be used"),
        ("http://example.org/x", "example.org is not asked: it is not https"),
        ("https://127.0.0.1/x", "which lies inside a network"),
        ("https://169.254.169.254/x", "which is never asked"),
        ("https://[::1]/x", "which lies inside a network"),
        ("https://no-such-host.invalid/x", "the name no-such-host.invalid is not known"),
        ("https://[broken/x", "it is no address that can be used"),
    ],
)
def test_it_speaks_to_nobody_else(address: str, why: str) -> None:
    with pytest.raises(NotSent, match=re.escape(why)):
        send(address, {})


def test_a_wrong_address_is_told_at_start(settings: Settings) -> None:
    settings.LOCKSTEP_ANCHOR_WEBHOOK = "http://example.org/secret"
    settings.LOCKSTEP_ANCHOR_FILE = "anchors.txt"
    told = {one.id: str(one) for one in checks.anchors(None)}
    assert "secret" not in told["lockstep.E021"]
    assert "which is no whole path" in told["lockstep.E022"]


def test_a_cut_tail_and_a_rewritten_one_are_seen_by_the_file_alone(file: Path, seq: int) -> None:
    call_command("verify_audit", "--anchor-now")
    for statement, said in (
        (f"DELETE FROM {TABLE} WHERE seq = {seq}", "the tail was cut off"),
        (forge(seq), "is not the one that was anchored: the chain was rewritten"),
    ):
        with transaction.atomic():
            tamper(statement)
            with pytest.raises(CommandError, match=said):
                call_command("verify_audit")
            assert said in check_and_keep().sentence
            transaction.set_rollback(True)
    call_command("verify_audit")
    call_command("verify_audit", "--from", str(seq))


def test_a_file_that_was_changed_is_told(file: Path, seq: int) -> None:
    anchor_now()
    file.write_text(file.read_text() + "nothing\n")
    with pytest.raises(BadAnchors):
        read_anchors(file)
    with pytest.raises(CommandError, match="is no anchor: the file was changed"):
        call_command("verify_audit")
    assert "Line 2 of anchors.txt is no anchor" in check_and_keep().sentence


def test_rows_about_anchors_are_never_changed(seq: int) -> None:
    anchor_now()
    for statement in ("UPDATE {} SET seq = 1", "DELETE FROM {}"):
        with pytest.raises(DatabaseError, match="are never changed"), transaction.atomic():
            connection.cursor().execute(statement.format("migrations_app_auditanchor"))


def test_rows_about_anchors_that_were_none_are_found(file: Path, seq: int) -> None:
    anchor_now()
    call_command("verify_audit")
    record(actor=None, action="a", object="one more")
    head = AuditEntry.objects.order_by("-seq")[0]
    for forged, said in (
        (AuditAnchor(seq=head.seq, hash="0" * 64, file_ok=True), "with a hash that it does not have"),
        (AuditAnchor(seq=head.seq + 9, hash=bytes(head.hash).hex(), file_ok=True), "with a hash that it does not have"),
        (AuditAnchor(seq=head.seq, hash=bytes(head.hash).hex(), file_ok=True), "and the file of the anchors does not"),
    ):
        with transaction.atomic():
            forged.save()
            with pytest.raises(CommandError, match=said):
                call_command("verify_audit")
            assert said in check_and_keep().sentence
            transaction.set_rollback(True)
    assert check_and_keep().ok


def test_a_file_that_is_gone_or_empty_is_told_until_a_new_one_is_begun(file: Path, seq: int) -> None:
    call_command("verify_audit")
    assert check_and_keep().ok
    call_command("verify_audit", "--anchor-now")
    lost = f"number {seq} was anchored. The file of the anchors, {file}, is missing or empty"
    for lose in (lambda: file.write_text(""), file.unlink):
        lose()
        for more in ((), ("--anchor-now",)):
            with pytest.raises(CommandError, match=re.escape(lost)):
                call_command("verify_audit", *more)
        assert lost in check_and_keep().sentence
    row = anchor_now()
    assert row is not None
    assert (row.file_ok, row.note.startswith("The file of the anchors")) == (False, True)
    assert not file.exists()
    call_command("verify_audit", "--anchor", f"{row.seq}:{row.hash}")
    record(actor=None, action="a", object="one more")
    call_command("verify_audit", "--new-anchor-file")
    assert [one.seq for one in read_anchors(file)] == [seq + 1]
    call_command("verify_audit", "--anchor-now")
    assert check_and_keep().ok


def test_a_line_that_is_not_written_whole_is_taken_back(file: Path, seq: int, monkeypatch: pytest.MonkeyPatch) -> None:
    anchor_now()
    first, write = file.read_text(), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda place, data: write(place, data[: len(data) // 2]))
        row = anchor_now()
    assert row is not None
    assert (row.file_ok, row.note) == (False, "The file anchors.txt cannot be written (No space left on device).")
    assert file.read_text() == first
    anchor_now()
    assert [one.seq for one in read_anchors(file)] == [seq, seq]
