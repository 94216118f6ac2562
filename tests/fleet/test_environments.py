from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from psycopg import sql

from migrations_app.embedded import pytest_servers
from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target.identity import claim_identity, read_identity
from migrations_app.fleet import environments
from migrations_app.fleet.environments import (
    add_environment,
    change_dsn,
    check_target,
    edit_environment,
    prove_again,
    remove_environment,
)
from migrations_app.fleet.secrets import resolve_dsn
from migrations_app.fleet.services import create_service
from migrations_app.models import AuditEntry, Environment, Installation, LedgerEntry, Run, Service
from tests.fleet.people import administrator, audited

MakeDatabase = Callable[..., str]
pytestmark = pytest.mark.django_db


@pytest.fixture
def adam() -> User:
    return administrator()


@pytest.fixture
def orders(adam: User) -> Service:
    return create_service(name="orders", by=adam)


@pytest.fixture
def look() -> Iterator[Callable[[str], psycopg.Connection]]:
    """Sessions on targets that a test looks through with its own eyes."""
    opened: list[psycopg.Connection] = []

    def open_one(url: str) -> psycopg.Connection:
        opened.append(psycopg.connect(url, autocommit=True))
        return opened[-1]

    yield open_one
    for conn in opened:
        conn.close()


Look = Callable[[str], psycopg.Connection]


def add(service: Service, dsn: str, name: str = "prod-eu", **more: object) -> Environment:
    given: dict[str, object] = {
        "stage": "prod",
        "region": "eu",
        "order": 3,
        "health_url": "https://orders.example/health",
        "by": administrator(),
    }
    return add_environment(service=service, name=name, dsn=dsn, **{**given, **more})  # type: ignore[arg-type]


def refusal(verb: Callable[[], object]) -> LockstepError:
    with pytest.raises(LockstepError) as caught:
        verb()
    return caught.value


def is_untouched(target: psycopg.Connection) -> bool:
    return target.execute("SELECT to_regnamespace('lockstep') IS NULL").fetchone() == (True,)


def copy_of(url: str, look: Look) -> str:
    """A second database made from the first, as a restore would leave it."""
    name = urlsplit(url).path.lstrip("/")
    keeper = look(url.removesuffix(name) + "postgres")
    keeper.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(f"{name}_copy"), sql.Identifier(name))
    )
    return f"{url}_copy"


def receipt(target: psycopg.Connection) -> None:
    """One revision that somebody applied before."""
    target.execute(
        "INSERT INTO lockstep.migration_history (seq, revision_id, parent, direction, checksum, phase, operator, "
        "run_id, fence, fp_before, fp_after) VALUES (1, '0001_first', '', 'up', 'sha256:1', 'expand', 'olga', "
        "%s, 1, 'fp:v1:a', 'fp:v1:b')",
        [uuid4()],
    )


@pytest.mark.parametrize("major", [16, 18])
def test_it_proves_registers_and_stores(
    orders: Service, adam: User, target_database: MakeDatabase, look: Look, major: int
) -> None:
    url = target_database(major=major)
    environment = add(orders, url)
    assert (environment.service, environment.name, environment.created_by) == (orders, "prod-eu", adam)
    assert (environment.stage, environment.region, environment.order) == ("prod", "eu", 3)
    assert (environment.reachability, environment.reachability_note) == ("ok", "")
    assert environment.checked_at is not None and environment.reconcile_note == ""
    assert environment.server_version_num is not None and environment.server_version_num // 10000 == major
    identity = read_identity(look(url))
    assert identity is not None
    assert (identity.environment, identity.installation) == (environment.uid, Installation.current().uid)
    assert (identity.service, identity.name) == ("orders", "prod-eu")
    assert (identity.system_identifier, identity.database_oid) == (
        environment.system_identifier,
        environment.database_oid,
    )


def test_the_password_is_sealed_and_nowhere_else(orders: Service, target_database: MakeDatabase) -> None:
    url = target_database()
    password = urlsplit(url).password
    assert password
    environment = add(orders, url)
    assert environment.dsn_kind == "stored" and environment.dsn_reference == ""
    assert password not in environment.target_name and environment.target_name.endswith(urlsplit(url).path)
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM migrations_app_environment e")
        assert password not in cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(body, '') FROM migrations_app_auditentry")
        assert password not in cursor.fetchone()[0]
    assert password in resolve_dsn(environment).conninfo()


def test_the_audit_tells_who_added_what(orders: Service, target_database: MakeDatabase) -> None:
    environment = add(orders, target_database())
    assert audited()[-1] == ("environment.create", "environment:orders/prod-eu")
    entry = AuditEntry.objects.latest("seq").data
    assert (entry["actor"], entry["after"]["uid"]) == ("adam", str(environment.uid))
    assert entry["after"]["target"] == environment.target_name


def test_a_reference_is_stored_as_such(
    orders: Service, target_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_PROD", target_database())
    environment = add(orders, "env:ORDERS_PROD")
    assert (environment.dsn_kind, environment.dsn_reference) == ("env", "ORDERS_PROD")
    assert environment.dsn_sealed is None and environment.dsn_key_id == ""
    assert resolve_dsn(environment).trusted


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "Prod EU", "bad_name"),
        ("stage", "", "bad_name"),
        ("stage", "prod/eu", "bad_name"),
        ("region", "EU", "bad_name"),
        ("order", 10_000, "bad_order"),
        ("health_url", "ftp://orders.example", "bad_health_url"),
        ("health_url", "https://", "bad_health_url"),
        ("health_url", "https://ann:pw@orders.example", "bad_health_url"),
        ("health_url", "https://orders.example:99999", "bad_health_url"),
        ("health_url", "https://orders.example/" + "x" * 500, "bad_health_url"),
        ("health_url", "javascript:alert(1)", "bad_health_url"),
        ("dsn", "orders", "dsn_unreadable"),
        ("dsn", "postgresql://ann@db.example/orders?service=x", "dsn_parameter"),
        ("dsn", "env:LOCKSTEP_SECRET_KEY", "dsn_reference"),
        ("dsn", "file:relative", "dsn_reference"),
    ],
)
def test_it_refuses_bad_values_before_anything_is_opened(orders: Service, field: str, value: object, code: str) -> None:
    """The address leads nowhere: had it been tried, the code would be another one."""
    given: dict[str, object] = {"dsn": "postgresql://ann@127.0.0.1:1/orders", "name": "prod-eu", field: value}
    dsn, name = str(given.pop("dsn")), str(given.pop("name"))
    assert refusal(lambda: add(orders, dsn, name, **given)).code == code
    assert not Environment.objects.exists()


def test_region_and_health_address_may_be_empty(orders: Service, target_database: MakeDatabase) -> None:
    environment = add(orders, target_database(), region="", health_url="")
    assert (environment.region, environment.health_url) == ("", "")


def test_a_target_that_fails_the_proof_leaves_nothing_behind(
    orders: Service, target_database: MakeDatabase, look: Look
) -> None:
    target = look(target_database())
    role = sql.Identifier(f"reader_{target.info.dbname}")
    target.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'pw'").format(role))
    before = audited()
    info = target.info
    url = f"postgresql://{role.as_string(None).strip(chr(34))}:pw@{info.host}:{info.port}/{info.dbname}"
    assert refusal(lambda: add(orders, url)).code == "missing_rights"
    assert refusal(lambda: add(orders, url.replace(":pw@", ":wrong@"))).code == "wrong_password"
    assert refusal(lambda: add(orders, f"{url}_none")).code == "unknown_database"
    assert is_untouched(target)
    assert not Environment.objects.exists() and audited() == before
    target.execute(sql.SQL("DROP ROLE {}").format(role))


def test_it_refuses_a_name_that_is_taken_without_touching_the_target(
    orders: Service, target_database: MakeDatabase, look: Look
) -> None:
    add(orders, target_database())
    other = target_database()
    error = refusal(lambda: add(orders, other))
    assert (error.code, error.message) == ("environment_exists", "orders has an environment named prod-eu already.")
    assert is_untouched(look(other))


def test_the_same_name_in_another_service_is_another_environment(
    orders: Service, adam: User, target_database: MakeDatabase
) -> None:
    add(orders, target_database())
    add(create_service(name="billing", by=adam), target_database())
    assert Environment.objects.count() == 2


def test_it_refuses_a_database_that_another_environment_has(orders: Service, target_database: MakeDatabase) -> None:
    url = target_database()
    add(orders, url)
    error = refusal(lambda: add(orders, url, "prod-us"))
    assert error.code == "other_environment"
    assert error.message == "This database belongs to service orders, environment prod-eu."
    assert Environment.objects.count() == 1


def test_it_refuses_a_database_of_another_installation(
    orders: Service, target_database: MakeDatabase, look: Look
) -> None:
    url = target_database()
    theirs = look(url)
    ensure_objects(theirs)
    claimed = claim_identity(theirs, installation=uuid4(), environment=uuid4(), service="shop", name="live")
    error = refusal(lambda: add(orders, url))
    assert (error.code, error.message) == (
        "other_environment",
        "This database belongs to service shop, environment live.",
    )
    assert read_identity(theirs) == claimed
    assert not Environment.objects.exists()


def test_it_refuses_a_foreign_schema_of_our_name(orders: Service, target_database: MakeDatabase, look: Look) -> None:
    url = target_database()
    look(url).execute("CREATE SCHEMA lockstep CREATE TABLE lockstep.lock (mine int)")
    assert refusal(lambda: add(orders, url)).code == "foreign_schema"
    assert not Environment.objects.exists()


def test_it_takes_over_what_a_crashed_try_left_in_the_target(
    orders: Service, target_database: MakeDatabase, look: Look
) -> None:
    """As if the control database had failed after the target's commit."""
    url = target_database()
    left = look(url)
    ensure_objects(left)
    claim_identity(left, installation=Installation.current().uid, environment=uuid4(), service="orders", name="prod-eu")
    environment = add(orders, url)
    identity = read_identity(left)
    assert identity is not None and identity.environment == environment.uid


def test_a_failure_before_the_commits_leaves_nothing_on_either_side(
    orders: Service, target_database: MakeDatabase, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = target_database()

    def fail(**_: object) -> None:
        raise Refused("audit_full", "No.")

    with monkeypatch.context() as patch:
        patch.setattr(environments, "record", fail)
        assert refusal(lambda: add(orders, url)).code == "audit_full"
    assert is_untouched(look(url))
    assert not Environment.objects.exists()
    assert add(orders, url).name == "prod-eu"


def test_it_refuses_a_copy_unless_it_is_adopted(orders: Service, target_database: MakeDatabase, look: Look) -> None:
    url = target_database()
    add(orders, url)
    copy = copy_of(url, look)
    error = refusal(lambda: add(orders, copy, "staging-eu"))
    assert error.code == "restored_copy" and "service orders, environment prod-eu" in error.message
    staging = add(orders, copy, "staging-eu", adopt=True)
    identity = read_identity(look(copy))
    assert identity is not None and identity.environment == staging.uid
    assert Environment.objects.count() == 2


def test_what_is_applied_already_shows_at_once(orders: Service, target_database: MakeDatabase, look: Look) -> None:
    url = target_database()
    target = look(url)
    ensure_objects(target)
    receipt(target)
    environment = add(orders, url)
    assert (environment.head_revision, environment.head_seq) == ("0001_first", 1)
    assert LedgerEntry.objects.get().environment == environment


def test_proving_again_refreshes_what_is_known(orders: Service, target_database: MakeDatabase) -> None:
    environment = add(orders, target_database())
    Environment.objects.filter(pk=environment.pk).update(
        reachability="unreachable", reachability_note="gone", server_version_num=1
    )
    proven = prove_again(environment=environment, by=administrator())
    assert (proven.reachability, proven.reachability_note) == ("ok", "")
    assert proven.server_version_num and proven.server_version_num > 1
    assert audited()[-1] == ("environment.prove", "environment:orders/prod-eu")


def test_a_replaced_database_is_noticed_and_needs_a_word(
    orders: Service, target_database: MakeDatabase, look: Look
) -> None:
    environment = add(orders, target_database())
    Environment.objects.filter(pk=environment.pk).update(head_seq=1, head_revision="0001_first")
    empty = target_database()
    by = administrator()
    error = refusal(lambda: change_dsn(environment=environment, dsn=empty, by=by))
    assert error.code == "identity_missing"
    assert is_untouched(look(empty))
    moved = change_dsn(environment=environment, dsn=empty, by=by, adopt=True)
    assert moved.target_name.endswith(urlsplit(empty).path)
    assert AuditEntry.objects.latest("seq").data["after"]["adopted"] is True


def test_a_database_that_moved_is_adopted_at_its_new_place(
    orders: Service, target_database: MakeDatabase, look: Look
) -> None:
    url = target_database()
    environment = add(orders, url)
    copy = copy_of(url, look)
    by = administrator()
    assert refusal(lambda: change_dsn(environment=environment, dsn=copy, by=by)).code == "restored_copy"
    moved = change_dsn(environment=environment, dsn=copy, by=by, adopt=True)
    identity = read_identity(look(copy))
    assert identity is not None and identity.environment == environment.uid
    assert (moved.database_oid, moved.system_identifier) == (identity.database_oid, identity.system_identifier)


def test_another_way_to_the_same_database_is_just_stored(
    orders: Service, target_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = target_database()
    environment = add(orders, url)
    monkeypatch.setenv("ORDERS_PROD", url)
    changed = change_dsn(environment=environment, dsn="env:ORDERS_PROD", by=administrator())
    assert (changed.dsn_kind, changed.dsn_reference, changed.dsn_sealed) == ("env", "ORDERS_PROD", None)
    back = change_dsn(environment=environment, dsn=url, by=administrator())
    assert (back.dsn_kind, back.dsn_reference) == ("stored", "")
    assert resolve_dsn(back).safe == back.target_name


def test_a_refused_address_leaves_the_old_one(orders: Service, target_database: MakeDatabase) -> None:
    environment = add(orders, target_database())
    other = add(orders, target_database(), "prod-us")
    taken = resolve_dsn(other).conninfo()
    by = administrator()
    for dsn, code in ((taken, "dsn_parameter"), ("postgresql://ann@127.0.0.1:1/x", "target_unreachable")):
        assert refusal(lambda dsn=dsn: change_dsn(environment=environment, dsn=dsn, by=by)).code == code  # type: ignore[misc]
    before = (environment.dsn_sealed, environment.target_name)
    environment.refresh_from_db()
    assert (environment.dsn_sealed, environment.target_name) == before


def test_address_and_identity_stay_while_a_run_is_open(orders: Service, target_database: MakeDatabase) -> None:
    url = target_database()
    environment = add(orders, url)
    run = Run.objects.create(
        service=orders,
        environment=environment,
        direction="up",
        to_revision="0001_first",
        revisions=[],
        steps_total=0,
        status="queued",
        requested_by=administrator(),
    )
    by = administrator()
    for verb in (
        lambda: change_dsn(environment=environment, dsn=url, by=by),
        lambda: prove_again(environment=environment, by=by, adopt=True),
    ):
        error = refusal(verb)
        assert (error.code, error.message) == (
            "run_open",
            f"Run {run.pk} of environment prod-eu is not finished.",
        )


def test_it_edits_only_what_was_given(orders: Service, target_database: MakeDatabase) -> None:
    environment = add(orders, target_database())
    edited = edit_environment(environment=environment, by=administrator(), order=-1, health_url="")
    assert (edited.stage, edited.region, edited.order, edited.health_url) == ("prod", "eu", -1, "")
    entry = AuditEntry.objects.latest("seq").data
    assert (entry["action"], entry["before"]["order"], entry["after"]["order"]) == ("environment.edit", 3, -1)


def test_a_lock_window_comes_and_goes(orders: Service, target_database: MakeDatabase) -> None:
    environment = add(orders, target_database(), lock_window_seconds=60)
    by = administrator()
    assert environment.lock_window_seconds == 60
    assert edit_environment(environment=environment, by=by, order=4).lock_window_seconds == 60
    assert edit_environment(environment=environment, by=by, lock_window_seconds=86_400).lock_window_seconds == 86_400
    assert edit_environment(environment=environment, by=by, lock_window_seconds=None).lock_window_seconds is None
    entry = AuditEntry.objects.latest("seq").data
    assert (entry["before"]["lock_window_seconds"], entry["after"]["lock_window_seconds"]) == (86_400, None)


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_it_refuses_a_lock_window_out_of_range(
    orders: Service, target_database: MakeDatabase, look: Look, seconds: int
) -> None:
    url = target_database()
    assert refusal(lambda: add(orders, url, lock_window_seconds=seconds)).code == "bad_lock_window"
    assert is_untouched(look(url))
    environment, by = add(orders, url), administrator()
    error = refusal(lambda: edit_environment(environment=environment, by=by, lock_window_seconds=seconds))
    assert error.code == "bad_lock_window"


def test_it_refuses_its_own_database(orders: Service, target_database: MakeDatabase, look: Look) -> None:
    own = pytest_servers.postgres_server(18).url(connection.settings_dict["NAME"])
    environment, by = add(orders, target_database(), "prod-us"), administrator()
    before = audited()
    assert refusal(lambda: add(orders, own)).code == "control_database"
    assert refusal(lambda: change_dsn(environment=environment, dsn=own, by=by, adopt=True)).code == "control_database"
    assert is_untouched(look(own))
    assert Environment.objects.count() == 1 and audited() == before


def test_an_edit_that_changes_nothing_is_no_entry(orders: Service, target_database: MakeDatabase) -> None:
    environment = add(orders, target_database())
    before = audited()
    edit_environment(environment=environment, by=administrator(), stage="prod")
    assert audited() == before


def test_it_refuses_a_bad_edit(orders: Service, target_database: MakeDatabase) -> None:
    environment = add(orders, target_database())
    assert refusal(lambda: edit_environment(environment=environment, by=administrator(), stage="")).code == "bad_name"
    environment.refresh_from_db()
    assert environment.stage == "prod"


def test_an_unused_environment_goes_and_frees_its_database(
    orders: Service, target_database: MakeDatabase, look: Look
) -> None:
    url = target_database()
    environment = add(orders, url)
    remove_environment(environment=environment, by=administrator())
    assert not Environment.objects.exists()
    assert read_identity(look(url)) is None
    assert audited()[-1] == ("environment.remove", "environment:orders/prod-eu")
    assert add(orders, url, "prod-us").name == "prod-us"


def test_an_environment_whose_target_is_gone_can_be_removed(
    orders: Service, target_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_PROD", target_database())
    environment = add(orders, "env:ORDERS_PROD")
    monkeypatch.delenv("ORDERS_PROD")
    remove_environment(environment=environment, by=administrator())
    assert AuditEntry.objects.latest("seq").data["before"]["released"] is False


def test_an_environment_with_history_stays(orders: Service, target_database: MakeDatabase, look: Look) -> None:
    url = target_database()
    target = look(url)
    ensure_objects(target)
    receipt(target)
    environment = add(orders, url)
    error = refusal(lambda: remove_environment(environment=environment, by=administrator()))
    assert error.code == "environment_has_history"
    assert read_identity(target) is not None and Environment.objects.exists()


def test_checking_a_target_reads_its_receipts(orders: Service, target_database: MakeDatabase, look: Look) -> None:
    url = target_database()
    environment = add(orders, url)
    receipt(look(url))
    check_target(environment)
    environment.refresh_from_db()
    assert environment.head_revision == "0001_first"


def test_checking_a_target_that_is_not_ours_marks_it(
    orders: Service, target_database: MakeDatabase, look: Look
) -> None:
    url = target_database()
    environment = add(orders, url)
    look(url).execute("DROP SCHEMA lockstep CASCADE")
    assert refusal(lambda: check_target(environment)).code == "identity_missing"
    environment.refresh_from_db()
    assert environment.reachability == "unreachable"
    assert environment.reachability_note.startswith("This database does not say which environment it is.")


@pytest.mark.django_db(transaction=True)
def test_of_two_additions_at_once_one_wins(target_database: MakeDatabase, look: Look) -> None:
    """Both proofs succeed; the second insert waits for the first and is told whose the database is."""
    orders = create_service(name="orders", by=administrator())
    url = target_database()
    at_the_door = threading.Barrier(2)
    answers: list[str] = []

    def one(name: str) -> None:
        try:
            at_the_door.wait(timeout=20)
            answers.append(add(orders, url, name).name)
        except LockstepError as failure:
            answers.append(failure.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=[name]) for name in ("prod-eu", "prod-us")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    winner = Environment.objects.get()
    assert sorted(answers) == ["other_environment", winner.name]
    identity = read_identity(look(url))
    assert identity is not None and identity.environment == winner.uid


def test_no_entry_of_the_audit_holds_an_address(orders: Service, target_database: MakeDatabase) -> None:
    url = target_database()
    environment = add(orders, url)
    change_dsn(environment=environment, dsn=url, by=administrator())
    kept = json.dumps([one.data for one in AuditEntry.objects.all()])
    assert "postgresql://" not in kept and str(urlsplit(url).password) not in kept
