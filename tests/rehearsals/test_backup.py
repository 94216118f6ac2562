"""A restored backup as the ground of a rehearsal: proven to be one, brought up, recorded, and never the target."""

from __future__ import annotations

import io
from collections.abc import Callable

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from psycopg import sql

from migrations_app.embedded.postgres import Server
from migrations_app.engine.errors import Refused
from migrations_app.fleet.backups import forget_backup, name_backup
from migrations_app.fleet.drift import look_now
from migrations_app.fleet.secrets import resolve_backup, rotate
from migrations_app.models import AuditEntry, Environment, Rehearsal
from migrations_app.rehearsals.actions import request_rehearsal
from migrations_app.rehearsals.freshness import freshness
from migrations_app.runs.planning import revisions_between
from tests.runs.support import Fleet, person

from .conftest import Clones
from .test_carrying import rehearsed, verdicts

pytestmark = pytest.mark.django_db(transaction=True)
Restored = Callable[[Fleet], str]


@pytest.fixture
def restored(pg18: Server, target_database: Callable[..., str]) -> Restored:
    """The target as it is now in a database of its own, receipts and identity included; its address."""

    def restore(fleet: Fleet) -> str:
        url = target_database()
        new, old = (address.rpartition("/")[2] for address in (url, fleet.url))
        with psycopg.connect(pg18.dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(new)))
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(new), sql.Identifier(old)))
        return url

    return restore


@pytest.fixture
def adam() -> User:
    return person("adam", "admin")


@pytest.fixture
def shop(fleet: Fleet) -> Fleet:
    fleet.put("0001_a", "CREATE TABLE a (id int PRIMARY KEY)", down="DROP TABLE a")
    fleet.apply()
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("INSERT INTO a SELECT generate_series(1, 30)")
    return fleet


def test_it_is_rehearsed_on_brought_up_and_told_of(shop: Fleet, restored: Restored, adam: User, clones: Clones) -> None:
    url = restored(shop)
    name_backup(environment=shop.environment, dsn=url, by=adam)
    shop.put("0002_b", "ALTER TABLE a ADD note text", down="ALTER TABLE a DROP note")
    shop.apply()
    with psycopg.connect(shop.url, autocommit=True) as conn:
        conn.execute("DELETE FROM a")
    shop.put("0003_c", "DELETE FROM a WHERE id > 10", down="SELECT 1")
    rehearsal = rehearsed(shop, ground="backup")
    assert verdicts(rehearsal) == {"0003_c": "lossy"}
    assert "20 rows of public.a are not there any more." in str(rehearsal.parts.get().losses)
    assert rehearsal.clone is not None
    backup = rehearsal.clone["backup"]
    assert (backup["head"], backup["seq"], backup["brought_up"]) == ("0001_a", 1, ["0002_b"])
    assert backup["last_receipt_at"] == shop.receipts()[0].applied_at.isoformat()
    assert (rehearsal.ground, clones()) == ("backup", ())
    look_now(environment=shop.environment, by=shop.olga)
    plan = revisions_between(shop.environment, "up", None)
    assert [one.state for one in freshness(shop.environment, "up", plan)] == ["fresh"]
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT count(*) FROM a").fetchone() == (30,)


def test_one_whose_schema_is_not_the_target_s_admits_nothing(shop: Fleet, restored: Restored, adam: User) -> None:
    name_backup(environment=shop.environment, dsn=restored(shop), by=adam)
    shop.put("0002_b", "CREATE TABLE b (id int)", down="DROP TABLE b")
    rehearsed(shop, ground="backup")
    with psycopg.connect(shop.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE by_hand ()")
    look_now(environment=shop.environment, by=shop.olga)
    plan = revisions_between(shop.environment, "up", None)
    assert [one.state for one in freshness(shop.environment, "up", plan)] == ["stale"]


def refused(shop: Fleet, url: str, by: User) -> str:
    with pytest.raises(Refused) as why:
        name_backup(environment=shop.environment, dsn=url, by=by)
    shop.environment.refresh_from_db()
    assert not shop.environment.backup_kind
    return why.value.code


def test_the_target_itself_is_refused_by_whatever_address(shop: Fleet, adam: User) -> None:
    assert refused(shop, shop.url, adam) == "backup_is_target"
    assert refused(shop, shop.url.replace("127.0.0.1", "localhost"), adam) == "backup_is_target"


def test_another_environment_s_database_and_a_stranger_s_are_refused(
    shop: Fleet, restored: Restored, target_database: Callable[..., str], adam: User
) -> None:
    copy = restored(shop)
    with psycopg.connect(copy, autocommit=True) as conn:
        conn.execute("UPDATE lockstep.identity SET environment = gen_random_uuid(), name = 'prod'")
    assert refused(shop, copy, adam) == "backup_of_another"
    assert refused(shop, target_database(), adam) == "backup_of_another"


def test_one_with_other_receipts_is_refused(shop: Fleet, restored: Restored, adam: User) -> None:
    shop.put("0002_b", "CREATE TABLE b ()", down="DROP TABLE b")
    copy = restored(shop)
    with psycopg.connect(copy, autocommit=True) as conn:
        conn.execute("ALTER TABLE lockstep.migration_history DISABLE TRIGGER ALL")
        conn.execute("UPDATE lockstep.migration_history SET run_id = gen_random_uuid()")
    assert refused(shop, copy, adam) == "backup_differs"


def test_it_is_proven_again_when_a_rehearsal_begins(shop: Fleet, restored: Restored, adam: User) -> None:
    copy = restored(shop)
    name_backup(environment=shop.environment, dsn=copy, by=adam)
    with psycopg.connect(copy, autocommit=True) as conn:
        conn.execute("DELETE FROM lockstep.identity")
    shop.put("0002_b", "CREATE TABLE b ()", down="DROP TABLE b")
    rehearsal = rehearsed(shop, ground="backup")
    assert rehearsal.error is not None
    assert (rehearsal.error["code"], verdicts(rehearsal)) == ("backup_of_another", {})


def test_one_that_is_ahead_of_the_target_is_refused(shop: Fleet, restored: Restored, adam: User) -> None:
    shop.put("0002_b", "CREATE TABLE b ()", down="DROP TABLE b")
    shop.apply()
    name_backup(environment=shop.environment, dsn=restored(shop), by=adam)
    shop.apply("down")
    rehearsal = rehearsed(shop, ground="backup")
    assert rehearsal.error is not None
    assert rehearsal.error["code"] == "backup_ahead"


def test_its_address_is_a_secret_that_is_sealed_and_rotated(
    shop: Fleet, restored: Restored, adam: User, settings
) -> None:
    url = restored(shop)
    name_backup(environment=shop.environment, dsn=url, by=adam)
    stored = Environment.objects.get(pk=shop.environment.pk)
    password = str(psycopg.conninfo.conninfo_to_dict(url)["password"])
    assert password not in stored.backup_name and password.encode() not in bytes(stored.backup_sealed or b"")
    new = "k9:" + "A" * 43 + "="
    settings.LOCKSTEP_CREDENTIALS_KEY = f"{new},{settings.LOCKSTEP_CREDENTIALS_KEY}"
    assert rotate(by=None).resealed == 2
    settings.LOCKSTEP_CREDENTIALS_KEY = new
    assert resolve_backup(Environment.objects.get(pk=stored.pk)).dbname == url.rpartition("/")[2]
    forget_backup(environment=stored, by=adam)
    with pytest.raises(Refused) as why:
        request_rehearsal(environment=stored, by=shop.olga, ground="backup")
    assert why.value.code == "no_backup"
    kept = AuditEntry.objects.order_by("-seq").values_list("data__action", flat=True)[:3]
    assert list(kept) == ["environment.forget_backup", "credentials.rotate", "environment.name_backup"]
    assert password not in str(list(AuditEntry.objects.values_list("data", flat=True)))


def test_it_is_named_rehearsed_on_and_forgotten_from_a_terminal(
    shop: Fleet, restored: Restored, adam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_BACKUP", restored(shop))
    here = ("shop", "dev-eu", "--as")
    out = io.StringIO()
    call_command("backup", *here, "adam", "--dsn", "env:SHOP_BACKUP", stdout=out)
    assert "dev-eu may be rehearsed on postgres@127.0.0.1:" in out.getvalue()
    call_command("rehearse", *here, "olga", "--on", "backup", "--no-wait", stdout=out)
    assert Rehearsal.objects.get().ground == "backup"
    call_command("backup", *here, "adam", "--forget", stdout=out)
    with pytest.raises(CommandError, match="has no backup to rehearse on"):
        call_command("rehearse", *here, "olga", "--on", "backup", stdout=out)
