"""A release is registered once, with a window that the chain of revisions knows, and is never changed."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from migrations_app.engine.errors import Refused
from migrations_app.models import AuditEntry, Release, Service
from migrations_app.permissions import OPERATOR, VIEWER
from migrations_app.releases.registering import Registered, register_release
from tests.audit_flush import DISABLE_RELEASES, ENABLE_RELEASES
from tests.edge.fleet import make_service
from tests.edge.people import person
from tests.edge.releases import make_chain, make_standing

pytestmark = pytest.mark.django_db


@pytest.fixture
def truncate_trigger() -> Iterator[None]:
    with connection.cursor() as cursor:
        # No foreign key may wait for its check when a table is altered or emptied.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(ENABLE_RELEASES)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(DISABLE_RELEASES)


def register(service: Service, by: User, release_id: str = "1.0", **values: Any) -> Registered:
    return register_release(service=service, by=by, release_id=release_id, **{"schema_rev": "sc-10", **values})


def entries() -> list[tuple[str, str]]:
    return [(one.data["action"], one.data["object"]) for one in AuditEntry.objects.order_by("seq")]


def test_it_keeps_what_was_given_and_takes_the_schema_itself_for_its_bounds(service: Service, olga: User) -> None:
    done = register(service, olga, index_hash="a91f", secrets_rev="s-7")
    kept = Release.objects.get()
    assert done.created
    assert (kept.schema_rev, kept.schema_rev_min, kept.schema_rev_max) == ("sc-10", "sc-10", "sc-10")
    assert (kept.index_hash, kept.secrets_rev, kept.created_by) == ("a91f", "s-7", olga)
    assert entries() == [("release.register", "release:orders/1.0")]
    entry = AuditEntry.objects.get()
    assert entry.data["after"]["schema_rev_max"] == "sc-10"


def test_the_same_again_is_the_same_row_without_another_entry(service: Service, olga: User) -> None:
    first = register(service, olga, schema_rev_max="sc-11")
    again = register(service, person("otto", OPERATOR), schema_rev_max="sc-11", schema_rev_min="sc-10")
    assert (again.release, again.created) == (first.release, False)
    assert again.release.created_by == olga
    assert (Release.objects.count(), len(entries())) == (1, 1)


@pytest.mark.parametrize(
    "other", [{"schema_rev": "sc-9"}, {"schema_rev_max": "sc-11"}, {"index_hash": "b"}, {"secrets_rev": "s-8"}]
)
def test_other_values_for_an_id_are_refused(service: Service, olga: User, other: dict[str, str]) -> None:
    register(service, olga)
    with pytest.raises(Refused) as refusal:
        register(service, olga, **other)
    assert refusal.value.code == "release_differs"
    assert next(iter(other)) in refusal.value.message
    assert (Release.objects.get().schema_rev, len(entries())) == ("sc-10", 1)


def test_ids_are_of_a_service(service: Service, olga: User) -> None:
    other = make_service(olga, "billing")
    make_chain(other)
    register(service, olga)
    assert register(other, olga, schema_rev="sc-9").created


def test_a_window_may_hold_names_that_text_would_order_otherwise(service: Service, olga: User) -> None:
    assert register(service, olga, schema_rev="sc-10", schema_rev_min="sc-9", schema_rev_max="sc-2").created


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("no_such_schema_rev", {"schema_rev": "sc-12"}),
        ("no_such_schema_rev", {"schema_rev_min": "sc-1"}),
        ("no_such_schema_rev", {"schema_rev_max": "SC-11"}),
        ("schema_rev_missing", {"schema_rev": " "}),
        ("window_reversed", {"schema_rev_min": "sc-2", "schema_rev_max": "sc-9"}),
        ("outside_window", {"schema_rev_min": "sc-11", "schema_rev_max": "sc-2"}),
        ("outside_window", {"schema_rev": "sc-2", "schema_rev_min": "sc-9", "schema_rev_max": "sc-11"}),
        ("bad_release_id", {"release_id": ""}),
        ("bad_release_id", {"release_id": "a b"}),
        ("bad_release_id", {"release_id": "1.0\n"}),
        ("bad_release_id", {"release_id": "x" * 201}),
        ("too_long", {"index_hash": "x" * 201}),
        ("bad_text", {"secrets_rev": "a\x00b"}),
        ("holds_secret", {"index_hash": "oci://robot:hunter2@registry/app"}),
        ("holds_secret", {"commit": "password=hunter2"}),
    ],
)
def test_it_refuses_what_makes_no_sense(service: Service, olga: User, code: str, values: dict[str, str]) -> None:
    with pytest.raises(Refused) as refusal:
        register(service, olga, **values)
    assert refusal.value.code == code
    assert refusal.value.not_done == "Nothing was registered."
    assert not Release.objects.exists()
    assert not entries()


def test_a_refusal_names_the_known_schemas(service: Service, olga: User) -> None:
    with pytest.raises(Refused, match="known: sc-9, sc-10, sc-11, sc-2"):
        register(service, olga, schema_rev="sc-12")


def test_a_name_at_two_places_of_the_chain_names_none(olga: User) -> None:
    service = make_service(olga)
    make_chain(service, ("sc-1", "sc-2", "sc-1"))
    with pytest.raises(Refused) as refusal:
        register(service, olga, schema_rev="sc-1")
    assert refusal.value.code == "schema_rev_twice"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE migrations_app_release SET schema_rev_max = 'sc-2'",
        "DELETE FROM migrations_app_release",
        "SET LOCAL session_replication_role = replica; DELETE FROM migrations_app_release",
    ],
)
def test_the_database_refuses_to_change_or_delete(service: Service, olga: User, statement: str) -> None:
    register(service, olga)
    with pytest.raises(DatabaseError, match="releases are never changed"), transaction.atomic():
        connection.cursor().execute(statement)
    assert Release.objects.get().schema_rev_max == "sc-10"


def test_the_database_refuses_to_truncate(service: Service, olga: User, truncate_trigger: None) -> None:
    register(service, olga)
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="TRUNCATE refused"), transaction.atomic():
        connection.cursor().execute("TRUNCATE migrations_app_release CASCADE")
    assert Release.objects.exists()


def command(*arguments: str, by: str = "olga") -> str:
    out = StringIO()
    call_command("release", *arguments, "--as", by, stdout=out)
    return out.getvalue()


def test_the_command_registers_lists_and_holds_against_environments(service: Service, olga: User) -> None:
    assert "works with sc-9 to sc-10" in command("register", "orders", "1.0", "--schema-rev", "sc-10", "--min", "sc-9")
    again = command("register", "orders", "1.0", "--schema-rev", "sc-10", "--min", "sc-9")
    assert "(registered before)" in again
    assert "1.0: built for sc-10" in command("list", "orders")
    make_standing(service, "prod-eu", 4)
    assert "fits     prod-eu: Fits: stands at sc-10." in command("contracts", "orders")
    make_standing(service, "prod-us", 6)
    with pytest.raises(CommandError, match="1 of 2 would refuse or are unknown"):
        command("contracts", "orders")


def test_the_command_takes_the_same_roles(service: Service) -> None:
    person("vic", VIEWER)
    with pytest.raises(CommandError, match="vic may not do this"):
        command("register", "orders", "1.0", "--schema-rev", "sc-10", by="vic")
    with pytest.raises(CommandError, match="orders has no release"):
        command("contracts", "orders", by="vic")
