"""A target that was restored or made anew is accepted: the ledger begins anew, and nothing of it is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.embedded import pytest_servers
from migrations_app.engine.errors import LockstepError
from migrations_app.fleet import ledger
from migrations_app.fleet.acceptance import accept_target
from migrations_app.fleet.environments import prove_again, remove_environment
from migrations_app.fleet.history import HistoryFilter, read_history
from migrations_app.fleet.matrix import read_matrix
from migrations_app.fleet.standing import standings
from migrations_app.jobs.schedule import compare
from migrations_app.models import AppliedRevision, AuditEntry, Environment, LedgerEntry
from tests.fleet.people import administrator, audited
from tests.runs.support import Fleet, make_fleet

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "restored to Tuesday's backup by Ann"
CUT = "DELETE FROM lockstep.migration_history WHERE seq > {}"
CUT_STEPS = (
    "DELETE FROM lockstep.step s WHERE NOT EXISTS (SELECT FROM lockstep.migration_history h "
    "WHERE (h.revision_id, h.cycle, h.direction) = (s.revision_id, s.cycle, s.direction))"
)


@pytest.fixture
def fleet(target_database: Callable[..., str]) -> Fleet:
    """Three revisions, all of them applied."""
    made = make_fleet(target_database())
    for number in (1, 2, 3):
        made.put(f"000{number}_t", f"CREATE TABLE t{number} ()", down=f"DROP TABLE t{number}")
    made.apply()
    return made


def tamper(fleet: Fleet, *statements: str) -> None:
    """As a superuser of the target could."""
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        for statement in statements:
            conn.execute(statement)


def restore_to(fleet: Fleet, seq: int) -> None:
    """The target as it was after this receipt, and the comparison that finds out."""
    tables = (f"DROP TABLE IF EXISTS t{number}" for number in (1, 2, 3) if number > seq)
    tamper(fleet, CUT.format(seq), CUT_STEPS, *tables)
    look(fleet)


def look(fleet: Fleet) -> Environment:
    compare(fleet.environment)
    fleet.environment.refresh_from_db()
    return fleet.environment


def accept(fleet: Fleet, reason: str = WHY, **more: bool) -> Environment:
    return accept_target(environment=fleet.environment, by=administrator(), reason=reason, **more)


def refusal(verb: Callable[[], object]) -> LockstepError:
    with pytest.raises(LockstepError) as caught:
        verb()
    return caught.value


def standing(fleet: Fleet) -> list[tuple[int, str, str]]:
    rows = LedgerEntry.objects.standing().filter(environment=fleet.environment)
    return list(rows.order_by("seq").values_list("seq", "revision_id", "direction"))


def ledger_is_receipts(fleet: Fleet) -> bool:
    receipts = fleet.receipts()
    rows = LedgerEntry.objects.standing().filter(environment=fleet.environment).order_by("seq")
    return [(r.seq, r.revision_id, r.checksum, r.run_id, r.fence) for r in receipts] == [
        (e.seq, e.revision_id, e.checksum, e.run_uid, e.fence) for e in rows
    ]


def applied(fleet: Fleet) -> list[str]:
    rows = AppliedRevision.objects.filter(environment=fleet.environment)
    return sorted(rows.values_list("revision_id", flat=True))


def test_there_is_nothing_to_accept_where_ledger_and_target_agree(fleet: Fleet) -> None:
    before = audited()
    error = refusal(lambda: accept(fleet))
    assert error.code == "nothing_to_accept"
    assert error.message == "The ledger of dev-eu follows from its target's receipts; there is nothing to accept."
    assert audited() == before and look(fleet).differs_from is None


def test_a_ledger_that_only_lacks_receipts_is_no_contradiction(fleet: Fleet) -> None:
    LedgerEntry.objects.filter(seq=2).delete()
    assert refusal(lambda: accept(fleet)).code == "nothing_to_accept"


def test_an_older_copy_is_accepted(fleet: Fleet) -> None:
    """Without it, no run starts; with it, the ledger is the receipts again and what stood before is kept."""
    restore_to(fleet, 1)
    assert fleet.environment.differs_from == 2
    with pytest.raises(NotAdmitted) as caught:
        fleet.start()
    assert "ledger_differs" in {unmet.code for unmet in caught.value.conditions}
    assert "an admin accepts it" in caught.value.next_step
    accepted = accept(fleet)
    assert (accepted.head_revision, accepted.head_seq) == ("0001_t", 1)
    assert (accepted.reconcile_note, accepted.differs_from, accepted.ledger_epoch) == ("", None, 2)
    assert standing(fleet) == [(1, "0001_t", "up")] and applied(fleet) == ["0001_t"]
    kept = LedgerEntry.objects.exclude(superseded_at=None).order_by("seq")
    assert [(entry.seq, entry.revision_id) for entry in kept] == [(2, "0002_t"), (3, "0003_t")]
    assert ledger_is_receipts(fleet)


def test_the_audit_keeps_what_was_there_and_why(fleet: Fleet) -> None:
    restore_to(fleet, 1)
    accept(fleet)
    assert [action for action, _ in audited()][-2:] == ["environment.prove", "environment.accept_target"]
    entry = AuditEntry.objects.latest("seq").data
    assert (entry["actor"], entry["object"]) == ("adam", "environment:shop/dev-eu")
    assert entry["before"] == {"head": "0003_t", "rows": 3, "differs_from": 2}
    assert entry["after"] == {"head": "0001_t", "rows": 1, "superseded": 2, "reason": WHY}


def test_a_run_afterwards_goes_on_from_the_new_head(fleet: Fleet) -> None:
    restore_to(fleet, 1)
    accept(fleet)
    run = fleet.apply()
    assert (run.status, run.from_revision, run.to_revision) == ("succeeded", "0001_t", "0003_t")
    assert standing(fleet) == [(1, "0001_t", "up"), (2, "0002_t", "up"), (3, "0003_t", "up")]
    assert ledger_is_receipts(fleet) and applied(fleet) == ["0001_t", "0002_t", "0003_t"]
    assert look(fleet).reconcile_note == ""
    assert LedgerEntry.objects.count() == 5
    assert fleet.apply("down").status == "rolled_back"


def test_a_second_time_there_is_nothing_to_do(fleet: Fleet) -> None:
    restore_to(fleet, 2)
    accept(fleet)
    before = audited()
    assert refusal(lambda: accept(fleet)).code == "nothing_to_accept"
    assert audited() == before and look(fleet).ledger_epoch == 2


def test_a_ledger_can_begin_anew_more_than_once(fleet: Fleet) -> None:
    for seq in (2, 1):
        restore_to(fleet, seq)
        accept(fleet)
    moments = LedgerEntry.objects.exclude(superseded_at=None).order_by("seq").values_list("seq", "superseded_at")
    assert [seq for seq, _ in moments] == [2, 3]
    assert len({moment for _, moment in moments}) == 2
    assert look(fleet).ledger_epoch == 3 and ledger_is_receipts(fleet)


def test_receipts_that_were_written_since_the_restore_take_the_place_of_the_old(fleet: Fleet) -> None:
    """The copy went its own way: another run applied the same revision there."""
    restore_to(fleet, 1)
    tamper(
        fleet,
        "CREATE TABLE t2 ()",
        "INSERT INTO lockstep.migration_history (seq, prev_seq, revision_id, parent, direction, checksum, phase, "
        "operator, run_id, fence, fp_before, fp_after) SELECT 2, 1, '0002_t', '0001_t', 'up', "
        f"'{AppliedRevision.objects.get(revision_id='0002_t').checksum}', 'expand', 'kim', gen_random_uuid(), 9, "
        "'fp:v1:a', 'fp:v1:b'",
    )
    found = look(fleet)
    assert found.differs_from == 2 and found.reconcile_note.startswith("Receipt 2 in the target is 0002_t")
    accept(fleet)
    entry = LedgerEntry.objects.standing().get(seq=2)
    assert (entry.operator, entry.run) == ("kim", None)
    assert ledger_is_receipts(fleet)
    assert fleet.apply().status == "succeeded" and ledger_is_receipts(fleet)


def test_a_target_that_contradicts_the_ledger_adds_nothing_to_it(fleet: Fleet) -> None:
    """Ahead of the ledger and beside it at once: what comes after the contradiction waits for a person."""
    LedgerEntry.objects.filter(seq=3).delete()
    tamper(fleet, "UPDATE lockstep.migration_history SET run_id = gen_random_uuid() WHERE seq = 2")
    assert look(fleet).differs_from == 2
    assert LedgerEntry.objects.count() == 2
    accept(fleet)
    assert ledger_is_receipts(fleet) and len(standing(fleet)) == 3


def test_a_database_that_was_made_anew_is_adopted_and_accepted(fleet: Fleet) -> None:
    """Dropped and created again under the same name: empty, at the same address."""
    make_anew(fleet.url)
    assert compare(fleet.environment) is False
    assert refusal(lambda: accept(fleet)).code == "identity_missing"
    assert len(standing(fleet)) == 3
    proven = prove_again(environment=fleet.environment, by=administrator(), adopt=True)
    assert (proven.differs_from, proven.head_seq) == (1, 3)
    accepted = accept(fleet)
    assert (accepted.head_revision, accepted.head_seq, accepted.reconcile_note) == ("", 0, "")
    assert standing(fleet) == [] and applied(fleet) == []
    assert LedgerEntry.objects.exclude(superseded_at=None).count() == 3
    assert fleet.apply().status == "succeeded"
    assert ledger_is_receipts(fleet) and len(fleet.receipts()) == 3


def test_adopting_and_accepting_can_be_one_step(fleet: Fleet) -> None:
    make_anew(fleet.url)
    assert (accept(fleet, adopt=True).head_seq, standing(fleet)) == (0, [])


def test_a_database_made_anew_a_second_time_still_needs_the_word(fleet: Fleet) -> None:
    """Its ledger is empty by now, but it has a history."""
    make_anew(fleet.url)
    accept(fleet, adopt=True)
    make_anew(fleet.url)
    error = refusal(lambda: prove_again(environment=fleet.environment, by=administrator()))
    assert error.code == "identity_missing"
    assert refusal(lambda: remove_environment(environment=fleet.environment, by=administrator())).code == (
        "environment_has_history"
    )


def test_a_dump_that_was_restored_is_adopted_and_accepted(fleet: Fleet) -> None:
    """A real dump, made after the first two revisions and restored into the database made anew."""
    fleet.apply("down", "0002_t")
    dump = run("pg_dump", "--format=custom", fleet.url)
    assert fleet.apply().status == "succeeded"
    make_anew(fleet.url)
    run("pg_restore", f"--dbname={fleet.url}", stdin=dump)
    assert refusal(lambda: accept(fleet)).code == "restored_copy"
    accepted = accept(fleet, adopt=True)
    assert (accepted.head_revision, accepted.head_seq) == ("0002_t", 4)
    assert ledger_is_receipts(fleet)
    assert fleet.apply().status == "succeeded" and ledger_is_receipts(fleet)


@pytest.mark.parametrize("status", ["queued", "running", "paused", "needs_operator", "interrupted"])
def test_it_is_refused_while_a_run_is_open(fleet: Fleet, status: str) -> None:
    fleet.put("0004_t", "CREATE TABLE t4 ()")
    run = fleet.start()
    type(run).objects.filter(pk=run.pk).update(status=status)
    restore_to(fleet, 1)
    error = refusal(lambda: accept(fleet))
    assert (error.code, error.message) == ("run_open", f"Run {run.pk} of environment dev-eu is not finished.")
    assert len(standing(fleet)) == 3 and audited()[-1][0] != "environment.accept_target"


@pytest.mark.parametrize("reason", ["", "restored", "   \t      x"])
def test_it_needs_a_reason(fleet: Fleet, reason: str) -> None:
    restore_to(fleet, 1)
    assert refusal(lambda: accept(fleet, reason)).code == "reason_missing"
    assert len(standing(fleet)) == 3


def test_receipts_that_are_out_of_order_are_not_accepted(fleet: Fleet) -> None:
    tamper(fleet, "DELETE FROM lockstep.migration_history WHERE seq = 2")
    assert look(fleet).differs_from == 2
    error = refusal(lambda: accept(fleet))
    assert error.code == "receipts_broken" and "out of order" in error.message
    assert len(standing(fleet)) == 3


def test_receipts_that_were_taken_away_alone_are_not_accepted(fleet: Fleet) -> None:
    """Somebody deleted a receipt so that its revision runs again: it would be recorded without being run."""
    tamper(fleet, CUT.format(2))
    assert look(fleet).differs_from == 3
    error = refusal(lambda: accept(fleet))
    assert error.code == "receipt_cut" and "every step of 0003_t" in error.message
    assert len(standing(fleet)) == 3
    tamper(fleet, CUT_STEPS, "DROP TABLE t3")
    accept(fleet)
    assert fleet.apply().status == "succeeded"
    assert fleet.value("SELECT to_regclass('t3') IS NOT NULL") is True


def test_a_copy_from_the_middle_of_a_revision_is_accepted(fleet: Fleet) -> None:
    """One of its two steps is done there; a run goes on with the other."""
    fleet.put("0004_t", "ALTER TABLE t1 ADD a int; CREATE INDEX CONCURRENTLY i ON t1 (a)")
    fleet.apply()
    tamper(
        fleet,
        CUT.format(3),
        "DROP INDEX i",
        "DELETE FROM lockstep.step WHERE revision_id = '0004_t' AND n > 1",
    )
    assert look(fleet).differs_from == 4
    assert fleet.value("SELECT count(*) FROM lockstep.step WHERE revision_id = '0004_t'") == 1
    accept(fleet)
    assert fleet.apply().status == "succeeded" and ledger_is_receipts(fleet)
    assert fleet.value("SELECT to_regclass('i') IS NOT NULL") is True


def test_the_database_of_another_environment_is_not_accepted(fleet: Fleet, target_database: Callable[..., str]) -> None:
    other = make_fleet(target_database(), service="other")
    tamper(fleet, f"UPDATE lockstep.identity SET environment = '{other.environment.uid}'", CUT.format(1), CUT_STEPS)
    for adopt in (False, True):
        assert refusal(lambda adopt=adopt: accept(fleet, adopt=adopt)).code == "other_environment"  # type: ignore[misc]
    assert len(standing(fleet)) == 3


def test_a_failure_leaves_the_ledger_as_it_was(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the superseding and the commit."""
    restore_to(fleet, 1)

    def fail(*_: object, **__: object) -> int:
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "_project", fail)
        with pytest.raises(RuntimeError):
            accept(fleet)
    assert len(standing(fleet)) == 3 and len(applied(fleet)) == 3
    assert look(fleet).ledger_epoch == 1


def test_a_comparison_that_began_before_does_not_undo_it(fleet: Fleet) -> None:
    """It read the ledger and the receipts of the old beginning, and writes after the new one."""
    old = Environment.objects.select_related("service").get(pk=fleet.environment.pk)
    receipts = fleet.receipts()
    restore_to(fleet, 1)
    accept(fleet)
    assert ledger.copy_receipts(old, receipts[1:]) == 0
    compare(old)
    assert standing(fleet) == [(1, "0001_t", "up")]
    fleet.environment.refresh_from_db()
    assert fleet.environment.reconcile_note == ""


def test_every_count_looks_at_the_present_beginning_alone(fleet: Fleet) -> None:
    restore_to(fleet, 1)
    accept(fleet)
    fleet.apply(to="0002_t")
    numbers = ledger.summary(fleet.service)
    assert (numbers.receipts, numbers.ledger, numbers.superseded) == (2, 2, 2)
    assert (numbers.twice, numbers.out_of_order, numbers.changed) == (0, 0, 0)
    assert [row.cells for row in read_matrix(fleet.service, everything=True).rows] == ["P", "A", "A"]
    assert [(row.head, row.receipts, row.behind) for row in standings()] == [("0002_t", 2, 1)]


def test_the_history_shows_the_superseded_only_when_asked(fleet: Fleet) -> None:
    restore_to(fleet, 1)
    accept(fleet)
    assert [row.revision_id for row in read_history(HistoryFilter()).rows] == ["0001_t"]
    every = read_history(HistoryFilter(superseded=True)).rows
    assert [(row.revision_id, row.superseded_at is not None) for row in every] == [
        ("0003_t", True),
        ("0002_t", True),
        ("0001_t", False),
    ]


def make_anew(url: str) -> None:
    """Drop the database and create it again, as somebody who administers the server would."""
    name = sql.Identifier(urlsplit(url).path.lstrip("/"))
    with psycopg.connect(pytest_servers.postgres_server(18).dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))


def run(program: str, *arguments: str, stdin: bytes = b"") -> bytes:
    """One of the server's own programs."""
    path = pytest_servers.postgres_server(18).bin_dir / program
    return subprocess.run([path, *arguments], input=stdin, capture_output=True, check=True).stdout
