"""One entry, in the caller's transaction, complete and without secrets."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, connection, transaction

from migrations_app.audit.record import OutsideTransaction, record
from migrations_app.audit.verify import verify
from migrations_app.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> User:
    user = User.objects.create_user("olga")
    user.groups.add(Group.objects.get_or_create(name="operator")[0], Group.objects.get_or_create(name="on-call")[0])
    return user


def test_it_keeps_who_did_what_to_which_object(olga: User) -> None:
    entry = record(
        actor=olga,
        action="cancel_run",
        object="run 7",
        before={"asked": ""},
        after={"asked": "cancel"},
        request_id="req-1",
    )
    assert json.loads(entry.body) == {
        "actor": "olga",
        "roles": ["on-call", "operator"],
        "action": "cancel_run",
        "object": "run 7",
        "before": {"asked": ""},
        "after": {"asked": "cancel"},
        "request_id": "req-1",
        "via_token": "",
    }
    assert AuditEntry.objects.get(seq=entry.seq).data["object"] == "run 7"


def test_it_writes_the_same_text_for_the_same_content() -> None:
    first = record(actor=None, action="a", object="o", after={"b": 1, "a": "ü"})
    second = record(actor=None, action="a", object="o", after={"a": "ü", "b": 1})
    assert first.body == second.body
    assert '"after":{"a":"ü","b":1}' in first.body


def test_it_numbers_from_the_head_and_links_to_it() -> None:
    first = record(actor=None, action="a", object="o")
    second = record(actor=None, action="b", object="o")
    assert second.seq == first.seq + 1
    assert bytes(second.prev_hash) == bytes(first.hash)


def test_it_takes_the_request_id_that_is_bound_to_the_context() -> None:
    with structlog.contextvars.bound_contextvars(request_id="bound-id"):
        entry = record(actor=None, action="a", object="o")
    assert json.loads(entry.body)["request_id"] == "bound-id"


def test_it_tells_which_token_acted_and_the_narrowed_roles(olga: User) -> None:
    olga.token_roles = frozenset({"operator"})  # type: ignore[attr-defined]
    olga.token_prefix = "abcd1234"  # type: ignore[attr-defined]
    body = json.loads(record(actor=olga, action="a", object="o").body)
    assert (body["roles"], body["via_token"]) == (["operator"], "abcd1234")


@pytest.mark.parametrize(
    "after",
    [
        {"dsn": "postgresql://app:hunter2@db/orders"},
        {"note": "was postgresql://app:hunter2@db/orders before"},
        {"note": "host=db password=hunter2 user=app"},
        {"note": "host=db password = 'hunter2 x' user=app"},
        {"environment": {"Password": "hunter2"}},
        {"list": ["postgresql://:hunter2@db/orders"]},
    ],
)
def test_it_never_keeps_a_secret(after: dict[str, object]) -> None:
    body = record(actor=None, action="a", object="o", after=after).body
    assert "hunter2" not in body


def test_it_writes_an_entry_for_text_that_json_or_utf8_cannot_hold() -> None:
    record(actor=None, action="a", object="nul \x00 half \ud800")
    assert verify().ok


def test_it_refuses_what_is_not_plain_data() -> None:
    with pytest.raises(TypeError, match="cannot hold a object"):
        record(actor=None, action="a", object="o", after={"x": object()})


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_write_outside_a_transaction() -> None:
    with pytest.raises(OutsideTransaction, match="must be called inside the transaction"):
        record(actor=None, action="a", object="o")
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_disappears_with_the_change_that_is_rolled_back() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record(actor=None, action="a", object="o")
        raise RuntimeError
    with transaction.atomic():
        entry = record(actor=None, action="b", object="o")
    assert entry.seq == 1
    assert verify().checked == 1


@pytest.mark.django_db(transaction=True)
def test_it_refuses_a_snapshot_that_could_see_a_stale_head() -> None:
    with pytest.raises(DatabaseError, match="needs READ COMMITTED"), transaction.atomic():
        connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        record(actor=None, action="a", object="o")


@pytest.mark.django_db(transaction=True)
def test_it_never_forks_under_many_writers() -> None:
    writers, each = 32, 10

    def write(writer: int) -> None:
        try:
            for number in range(each):
                with transaction.atomic():
                    record(actor=None, action="race", object=f"writer {writer}", after={"number": number})
        finally:
            connection.close()

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    verdict = verify()
    assert (verdict.ok, verdict.checked, verdict.head_seq) == (True, writers * each, writers * each)
