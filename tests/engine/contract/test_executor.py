"""The executor: exactly once, in order, with a receipt for what stands and nothing for what does not."""

from __future__ import annotations

import threading
import uuid

import psycopg
import pytest

from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, StopRequest
from migrations_app.engine.contract.lock import RUN_KEY, application_prefix
from migrations_app.engine.contract.work import Limits
from migrations_app.engine.errors import Fenced, LockExhausted, NeedsOperator, Refused, StatementFailed, Stopped
from tests.held import ADVISORY_LOCKS
from tests.waiting import until

from .support import Target, chain, revision

TABLE = "CREATE TABLE t (id int PRIMARY KEY)"
INDEX = "CREATE INDEX CONCURRENTLY t_id ON t (id)"


@pytest.fixture(params=[18, 16])
def target(request, target_database):
    return Target(target_database(major=request.param))


def test_it_applies_in_order_with_one_receipt_each(target):
    revisions = chain(TABLE, "ALTER TABLE t ADD COLUMN a int", "INSERT INTO t VALUES (1, 2)")
    outcome = target.apply(*revisions)
    assert (outcome.done, outcome.already, outcome.head.revision_id) == (3, 0, "0003_r")
    assert [(r.seq, r.revision_id, r.parent, r.direction) for r in target.receipts()] == [
        (1, "0001_r", "", "up"),
        (2, "0002_r", "0001_r", "up"),
        (3, "0003_r", "0002_r", "up"),
    ]
    assert [r.checksum for r in target.receipts()] == [r.checksum for r in revisions]
    assert target.value("SELECT a FROM t") == 2


def test_it_does_nothing_the_second_time(target):
    revisions = chain(TABLE, "INSERT INTO t VALUES (1)")
    target.apply(*revisions)
    outcome = target.apply(*revisions)
    assert (outcome.done, outcome.already) == (0, 2)
    assert target.value("SELECT count(*) FROM t") == 1


def test_it_leaves_nothing_of_a_step_that_fails(target):
    with pytest.raises(StatementFailed) as failure:
        target.apply(revision("0001_r", TABLE + ";\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1)"))
    assert "0001_r, line 3" in failure.value.message
    assert target.value("SELECT to_regclass('t')") is None
    assert target.receipts() == ()


def test_it_tells_what_the_target_says_beside_its_answers(target):
    loud = "DO $$ BEGIN RAISE NOTICE 'filled % rows', 7; RAISE WARNING 'slow'; END $$"
    target.apply(*chain(TABLE, loud, "DROP TABLE IF EXISTS never"))
    told = [(event.revision_id, event.level, event.message) for event in target.events if event.kind == "notice"]
    assert told[:3] == [
        ("0002_r", "info", "NOTICE: filled 7 rows"),
        ("0002_r", "warning", "WARNING: slow"),
        ("0003_r", "info", 'NOTICE: table "never" does not exist, skipping'),
    ]


def test_a_loop_of_notices_does_not_fill_the_log(target):
    loop = "DO $$ BEGIN FOR n IN 1 .. 1234 LOOP RAISE NOTICE 'row %', n; END LOOP; RAISE WARNING 'mind'; END $$"
    target.apply(*chain(loop, TABLE))
    told = target.messages("notice")
    assert told[99:] == [
        "NOTICE: row 100",
        "WARNING: mind",
        "1,134 more notices of this step were not kept or said the same again",
    ]


def test_what_is_said_again_by_the_next_lock_attempt_is_told_once(target):
    target.apply(revision("0001_r", TABLE))
    with psycopg.connect(target.url) as holder:
        holder.execute("SELECT * FROM t")

        def let_go(event: Event) -> None:
            if event.kind == "lock_attempt" and len(target.messages("lock_attempt")) == 3:
                holder.rollback()

        loud = "-- lockstep: atomic\nDO $$ BEGIN RAISE WARNING 'one'; END $$; ALTER TABLE t ADD COLUMN a int"
        target.apply(revision("0002_r", loud, parent="0001_r"), on_event=let_go)
    assert target.messages("notice") == [
        "WARNING: one",
        "3 more notices of this step were not kept or said the same again, 3 of them warnings",
    ]


def test_notices_keep_their_details_and_those_of_verify_are_told(target):
    views = "CREATE TABLE a (); CREATE VIEW va AS SELECT * FROM a; CREATE VIEW vb AS SELECT * FROM a"
    check = """CREATE FUNCTION chk() RETURNS bool LANGUAGE plpgsql AS
        $$ BEGIN RAISE WARNING E'row 17\nis broken' USING HINT = 'mend it'; RETURN false; END $$"""
    target.apply(*chain(views, "DROP TABLE a CASCADE", check))
    assert target.messages("notice") == [
        "NOTICE: drop cascades to 2 other objects DETAIL: drop cascades to view va; drop cascades to view vb"
    ]
    with pytest.raises(StatementFailed):
        target.apply(revision("0004_r", "SELECT 1", parent="0003_r", verify="SELECT chk()"))
    assert target.messages("notice")[-1] == "WARNING: row 17; is broken HINT: mend it"


@pytest.mark.parametrize("sql", ["CREATE TABLE u ()", "CREATE INDEX CONCURRENTLY t_n ON t (n)"])
def test_a_cancel_ends_a_verify_statement(target, sql):
    target.apply(revision("0001_r", "CREATE TABLE t (n int)"))
    slow = revision("0002_r", sql, parent="0001_r", verify="SELECT pg_sleep(600) IS NOT NULL")
    asked: list[StopRequest] = []
    canceller = Canceller()
    watching = threading.Thread(target=_cancel_when_it_sleeps, args=(target, canceller, asked))
    watching.start()
    with pytest.raises(Stopped) as stopped:
        target.apply(slow, stop=lambda: asked[0] if asked else None, canceller=canceller)
    watching.join()
    assert [r.revision_id for r in target.receipts()] == ["0001_r"]
    assert ("took effect" in stopped.value.not_done) == ("CONCURRENTLY" in sql)
    target.apply(revision("0002_r", sql, parent="0001_r"))
    assert len(target.receipts()) == 2


def test_a_verify_outside_a_transaction_names_who_locks_it_out(target):
    target.apply(revision("0001_r", "CREATE TABLE t (n int); CREATE TABLE other ()"))
    build = revision(
        "0002_r", "CREATE INDEX CONCURRENTLY t_n ON t (n)", parent="0001_r", verify="SELECT count(*) = 0 FROM other"
    )
    with psycopg.connect(target.url, application_name="locker") as holder:
        holder.execute("LOCK TABLE other IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LockExhausted) as failure:
            target.apply(build, limits=Limits(lock_window_s=4, poll_s=0.2))
        assert "locker" in failure.value.message
        assert "took effect" in failure.value.not_done
        holder.rollback()
    target.apply(build)
    assert len(target.receipts()) == 2


@pytest.mark.parametrize(
    ("sql", "verify"),
    [
        ("ALTER TABLE t ADD COLUMN a int", "SELECT pg_sleep(0.3) IS NOT NULL; " * 5),
        (f"-- lockstep: atomic\nALTER TABLE t ADD COLUMN a int; {'SELECT pg_sleep(0.3); ' * 5}", ""),
    ],
)
def test_a_strong_lock_is_held_so_long_in_all(target, sql, verify):
    """Each statement is short; what a reader waits for is their sum."""
    target.apply(revision("0001_r", TABLE))
    with pytest.raises(StatementFailed) as failure:
        target.apply(
            revision("0002_r", sql, parent="0001_r", verify=verify),
            limits=Limits(lock_window_s=5, poll_s=0.2, hold_s=0.5),
        )
    assert failure.value.code == "statement_timeout"
    assert len(target.receipts()) == 1


def test_it_keeps_what_was_recorded_before_a_failure(target):
    with pytest.raises(StatementFailed):
        target.apply(*chain(TABLE, "SELECT 1/0", "CREATE TABLE never ()"))
    assert [r.revision_id for r in target.receipts()] == ["0001_r"]


def test_it_says_which_steps_stand_and_that_a_down_file_stays_as_it_is(target):
    up = f"{TABLE}; CREATE TABLE u ()"
    down = "ALTER TABLE t DROP COLUMN id;\nDROP TABLE nothere;\nDROP TABLE u"
    target.apply(revision("0001_r", up))
    with pytest.raises(StatementFailed) as failure:
        target.roll_back(revision("0001_r", down, direction="down", up=up))
    assert failure.value.sentence == (
        '0001_r, line 2 (DROP TABLE nothere): table "nothere" does not exist. Its step was rolled back; the earlier '
        "ones of its 3 steps stand, and are not run again. Put right in the target what the down file misses, "
        "then roll back again."
    )
    assert target.rows("SELECT n, status FROM lockstep.step WHERE direction = 'down'") == [(1, "done")]
    assert [receipt.direction for receipt in target.receipts()] == ["up"]


def test_it_tells_a_detail_of_several_lines_in_one_sentence(target):
    views = "CREATE VIEW v AS SELECT id FROM t; CREATE VIEW w AS SELECT id FROM t"
    with pytest.raises(StatementFailed) as failure:
        target.apply(*chain(TABLE, views, "ALTER TABLE t DROP COLUMN id"))
    assert "(view v depends on column id of table t; view w depends on column id of table t)." in failure.value.message


def test_it_records_a_revision_without_statements(target):
    target.apply(*chain("-- nothing here", ""))
    assert [r.revision_id for r in target.receipts()] == ["0001_r", "0002_r"]


def test_it_refuses_other_bytes_of_an_applied_revision(target):
    target.apply(revision("0001_r", TABLE))
    with pytest.raises(Refused, match="0001_r is applied in the target with other bytes") as refusal:
        target.apply(revision("0001_r", TABLE + " "))
    assert refusal.value.code == "checksum_mismatch"


def test_it_refuses_to_skip_a_parent(target):
    first, _, third = chain(TABLE, "SELECT 1", "SELECT 2")
    target.apply(first)
    with pytest.raises(Refused, match="only be applied after 0002_r") as refusal:
        target.apply(third)
    assert refusal.value.code == "out_of_order"
    assert [r.revision_id for r in target.receipts()] == ["0001_r"]


def test_it_rolls_back_with_a_new_receipt_and_applies_again(target):
    up = revision("0001_r", TABLE)
    down = revision("0001_r", "DROP TABLE t", direction="down", up=TABLE)
    target.apply(up)
    target.roll_back(down)
    assert target.value("SELECT to_regclass('t')") is None
    assert target.roll_back(down).already == 1
    target.apply(up)
    assert [(r.direction, r.cycle) for r in target.receipts()] == [("up", 1), ("down", 1), ("up", 2)]
    assert target.value("SELECT count(*) FROM lockstep.applied") == 1


@pytest.mark.parametrize(
    ("verify", "found"),
    [
        ("SELECT false", "false"),
        ("SELECT NULL::bool", "NULL"),
        ("SELECT true WHERE false", "no row"),
        ("SELECT 1", "1"),
    ],
)
def test_it_fails_when_verify_does_not_hold(target, verify, found):
    with pytest.raises(StatementFailed) as failure:
        target.apply(revision("0001_r", TABLE, verify="SELECT true; " + verify))
    assert failure.value.code == "verify_failed"
    assert f" gave {found}, and every value must be true." in failure.value.message
    assert target.value("SELECT to_regclass('t')") is None


def test_it_verifies_inside_the_transaction_of_the_last_step(target):
    target.apply(revision("0001_r", TABLE, verify="SELECT to_regclass('t') IS NOT NULL"))
    assert [r.revision_id for r in target.receipts()] == ["0001_r"]


def test_it_builds_an_index_outside_a_transaction(target):
    target.apply(*chain(TABLE, INDEX))
    assert target.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass") is True
    assert target.rows("SELECT mode, status FROM lockstep.step WHERE revision_id = '0002_r'") == [("nontx", "done")]


def test_it_cleans_up_an_index_that_cannot_be_built(target):
    target.apply(revision("0001_r", "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)"))
    unique = revision("0002_r", "CREATE UNIQUE INDEX CONCURRENTLY t_id ON t (id)", parent="0001_r")
    with pytest.raises(StatementFailed, match=r"duplicate|could not create unique index"):
        target.apply(unique)
    assert target.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
    with target.connect() as conn:
        conn.execute("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)")
    target.apply(unique)
    assert target.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass") is True


def test_it_repairs_an_invalid_index_left_by_a_broken_build(target):
    first, second = chain(TABLE, INDEX)
    target.apply(first)

    def cut(event: Event) -> None:
        if event.kind == "nontx_done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.apply(second, on_event=cut)
    with target.connect() as conn:
        conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_id'::regclass")
    target.apply(second)
    assert target.messages("repaired")
    assert target.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass") is True
    assert [r.revision_id for r in target.receipts()] == ["0001_r", "0002_r"]


def test_it_believes_the_catalogue_when_the_index_was_built_but_not_recorded(target):
    first, second = chain(TABLE, INDEX)
    target.apply(first)

    def cut(event: Event) -> None:
        if event.kind == "nontx_done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.apply(second, on_event=cut)
    built = target.value("SELECT 't_id'::regclass::oid")
    target.apply(second)
    assert target.messages("recovered")
    assert target.value("SELECT 't_id'::regclass::oid") == built


def test_it_finishes_a_drop_that_broke_off_half_way(target):
    first, second, third = chain(TABLE, INDEX, "DROP INDEX CONCURRENTLY t_id")
    target.apply(first, second)

    def cut(event: Event) -> None:
        if event.kind == "intent":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.apply(third, on_event=cut)
    with target.connect() as conn:
        conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_id'::regclass")
    target.apply(third)
    assert target.value("SELECT to_regclass('t_id')") is None
    assert [r.revision_id for r in target.receipts()] == ["0001_r", "0002_r", "0003_r"]


def test_it_hands_a_statement_that_breaks_its_session_to_a_person(target):
    with pytest.raises(NeedsOperator) as failure:
        target.apply(
            revision("0001_r", "SELECT pg_terminate_backend(pg_backend_pid())"),
            limits=Limits(lock_window_s=5, poll_s=0.2, reconnect_window_s=60),
        )
    assert failure.value.code == "session_breaks"
    assert target.receipts() == ()


def test_it_refuses_to_roll_back_what_was_never_applied(target):
    with pytest.raises(Refused) as refusal:
        target.roll_back(revision("0001_r", "DROP TABLE t", direction="down", up=TABLE))
    assert refusal.value.code == "not_applied"


def test_it_is_not_a_failure_when_a_revision_gave_the_lock_away(target):
    target.apply(revision("0001_r", "DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$"))
    assert [r.revision_id for r in target.receipts()] == ["0001_r"]
    assert any("did not hold" in message for message in target.messages("released"))


def test_it_sweeps_what_an_interrupted_rebuild_left(target):
    first, second = chain(TABLE + "; CREATE INDEX t_id ON t (id)", "REINDEX INDEX CONCURRENTLY t_id")
    target.apply(first)
    with target.connect() as conn:
        conn.execute("CREATE INDEX t_id_ccnew ON t (id)")
        conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_id_ccnew'::regclass")
    target.apply(second)
    assert target.rows("SELECT relname::text FROM pg_class WHERE relname ~ '^t_id'") == [("t_id",)]
    assert target.messages("repaired")


def test_it_goes_on_after_the_steps_that_stand(target):
    two_steps = revision("0002_r", "ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ADD COLUMN b int", parent="0001_r")
    target.apply(revision("0001_r", TABLE))
    assert len(two_steps.steps) == 2

    def cut(event: Event) -> None:
        if event.kind == "step_done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.apply(two_steps, on_event=cut)
    assert len(target.receipts()) == 1
    target.apply(two_steps)
    assert target.rows("SELECT n, status FROM lockstep.step WHERE revision_id = '0002_r' ORDER BY n") == [
        (1, "done"),
        (2, "done"),
    ]
    assert len(target.receipts()) == 2


def test_it_does_not_roll_back_from_under_a_half_applied_revision(target):
    """Its first step would be believed when it is applied again, on a table that was made anew."""
    first = revision("0001_r", TABLE)
    script = "ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ADD COLUMN {} int"
    target.apply(first)
    with pytest.raises(StatementFailed):
        target.apply(first, revision("0002_r", script.format("id"), parent="0001_r"))
    with pytest.raises(Refused) as refusal:
        target.roll_back(revision("0001_r", "DROP TABLE t", direction="down", up=TABLE))
    assert refusal.value.sentence == (
        "0002_r is half applied: steps of it stand in the target and it has no receipt yet. Nothing was rolled back. "
        "Apply it to its end first, then roll back; the SQL of the steps that were not run may be corrected."
    )
    target.apply(first, revision("0002_r", script.format("b"), parent="0001_r"))
    assert [receipt.revision_id for receipt in target.receipts()] == ["0001_r", "0002_r"]


def test_it_does_not_apply_onto_a_half_rolled_back_revision(target):
    up = revision("0001_r", TABLE)
    down = "ALTER TABLE t ADD COLUMN gone int; ALTER TABLE t DROP COLUMN nothere; DROP TABLE t"
    back = revision("0001_r", down, direction="down", up=TABLE)
    target.apply(up)
    with pytest.raises(StatementFailed):
        target.roll_back(back)
    with pytest.raises(Refused) as refusal:
        target.apply(up, revision("0002_r", "CREATE TABLE u ()", parent="0001_r"))
    assert refusal.value.code == "half_done"
    assert "0001_r is half rolled back" in refusal.value.sentence
    assert target.apply(up).already == 1
    with target.connect() as conn:
        conn.execute("ALTER TABLE t ADD COLUMN nothere int")
    target.roll_back(back)
    assert [receipt.direction for receipt in target.receipts()] == ["up", "down"]


def test_it_is_fenced_when_another_holder_came_later(target):
    def usurp(event: Event) -> None:
        if event.kind == "fenced":
            with target.connect() as conn:
                conn.execute("UPDATE lockstep.lock SET fence = fence + 1")

    with pytest.raises(Fenced):
        target.apply(revision("0001_r", TABLE), on_event=usurp)
    assert target.receipts() == ()
    assert target.value("SELECT to_regclass('t')") is None


@pytest.mark.parametrize("settings", ["", "SET search_path = public;\n"], ids=["plain", "with settings"])
def test_a_lost_fence_stops_the_statement_itself_not_only_its_commit(target, settings):
    with target.connect() as conn:
        conn.execute("CREATE SEQUENCE never_read")  # no roll-back would undo that it was read

    def usurp(event: Event) -> None:
        if event.kind == "statement_started" or (settings and event.kind == "step_started"):
            with target.connect() as conn:
                conn.execute("UPDATE lockstep.lock SET fence = fence + 1")

    with pytest.raises(Fenced):
        target.apply(revision("0001_r", f"{settings}SELECT nextval('never_read')"), on_event=usurp)
    assert target.value("SELECT is_called FROM never_read") is False
    assert target.receipts() == ()


def test_it_waits_for_the_target_lock_and_names_the_holder(target):
    with target.connect() as conn:
        conn.execute("SELECT pg_advisory_lock(%s, %s)", RUN_KEY)
        released = threading.Event()

        def release_when_announced(event: Event) -> None:
            if event.kind == "lock_wait" and not released.is_set():
                released.set()
                conn.execute("SELECT pg_advisory_unlock(%s, %s)", RUN_KEY)

        target.apply(revision("0001_r", TABLE), on_event=release_when_announced)
    assert released.is_set()
    assert "holds it" in target.messages("lock_wait")[0]


def test_it_ends_its_run_s_own_idle_backend_however_many_waited_for_it_before(target):
    run_id = uuid.uuid4()
    with psycopg.connect(target.url, autocommit=True, application_name=application_prefix(run_id)) as left_behind:
        left_behind.execute("SELECT pg_advisory_lock(%s, %s)", RUN_KEY)
        # A worker that has just begun to wait: its own patience is far from over.
        patient = Limits(lock_window_s=30, poll_s=0.1, end_orphan_after_s=60, orphan_idle_s=0.5)
        target.apply(revision("0001_r", TABLE), run_id=run_id, limits=patient)
    assert len(target.messages("orphan_ended")) == 1
    assert len(target.receipts()) == 1


def test_it_leaves_an_idle_backend_of_another_run_alone(target):
    with psycopg.connect(target.url, autocommit=True, application_name=application_prefix(uuid.uuid4())) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", RUN_KEY)
        hasty = Limits(lock_window_s=1, poll_s=0.1, end_orphan_after_s=0, orphan_idle_s=0)
        with pytest.raises(LockExhausted):
            target.apply(revision("0001_r", TABLE), limits=hasty)
        assert other.execute("SELECT 1").fetchone() == (1,)


def test_it_leaves_its_run_s_own_backend_to_its_statement_for_a_while(target):
    run_id = uuid.uuid4()
    with psycopg.connect(target.url, autocommit=True, application_name=application_prefix(run_id)) as busy:
        busy.execute("SELECT pg_advisory_lock(%s, %s)", RUN_KEY)
        sleeping = threading.Thread(target=lambda: busy.execute("SELECT pg_sleep(3)"))
        sleeping.start()
        with pytest.raises(LockExhausted):
            target.apply(
                revision("0001_r", TABLE),
                run_id=run_id,
                limits=Limits(lock_window_s=1, poll_s=0.1, end_orphan_after_s=60, orphan_idle_s=0.5),
            )
        sleeping.join()


def test_it_gives_the_lock_back(target):
    with pytest.raises(StatementFailed):
        target.apply(revision("0001_r", "SELECT 1/0"))
    target.apply(revision("0001_r", TABLE))
    assert target.value(ADVISORY_LOCKS) == 0


def test_it_gives_up_in_its_window_and_names_who_holds_the_table(target):
    target.apply(revision("0001_r", TABLE))
    with psycopg.connect(target.url, application_name="report") as holder:
        holder.execute("SELECT * FROM t")
        with pytest.raises(LockExhausted) as failure:
            target.apply(
                revision("0002_r", "ALTER TABLE t ADD COLUMN a int", parent="0001_r"),
                limits=Limits(lock_window_s=2, poll_s=0.2),
            )
        holder.rollback()
    assert "report" in failure.value.message
    *earlier, last = target.messages("lock_attempt")
    assert earlier and all("next in" in said for said in earlier)
    assert "the last one in its lock window" in last and "next in" not in last
    assert str(holder.info.backend_pid if not holder.closed else "") in failure.value.message
    assert len(target.receipts()) == 1


def test_a_strong_lock_is_not_kept_for_what_a_commit_would_run(target):
    slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); END $$"
    deferred = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()"
    late = f"CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t {deferred}"
    target.apply(revision("0001_r", f"{TABLE}; CREATE TABLE u (n int); {slow}; {late}"))
    with pytest.raises(StatementFailed) as failure:
        both = "BEGIN; INSERT INTO t VALUES (1); CREATE INDEX u_n ON u (n); COMMIT;"
        target.apply(revision("0002_r", both, parent="0001_r"), limits=Limits(lock_window_s=5, poll_s=0.2, hold_s=0.3))
    assert failure.value.code == "statement_timeout"
    assert target.value("SELECT count(*) FROM t") == 0
    assert len(target.receipts()) == 1


def test_what_runs_before_a_strong_lock_may_take_its_time(target):
    limits = Limits(lock_window_s=5, poll_s=0.2, hold_s=0.3)
    slow, strong = "INSERT INTO t SELECT 1 FROM pg_sleep(1)", "CREATE TABLE u (t int REFERENCES t)"
    target.apply(revision("0001_r", TABLE))
    target.apply(revision("0002_r", f"{slow}; {strong}", parent="0001_r"), limits=limits)
    with pytest.raises(StatementFailed) as failure:
        late = f"DELETE FROM u; CREATE TABLE v (t int REFERENCES t); {slow.replace('1 FROM', '2 FROM')}"
        target.apply(revision("0003_r", late, parent="0002_r"), limits=limits)
    assert failure.value.code == "statement_timeout"
    assert target.rows("SELECT * FROM t") == [(1,)]


def test_it_goes_on_when_the_holder_of_the_table_ends(target):
    target.apply(revision("0001_r", TABLE))
    with psycopg.connect(target.url, application_name="report") as holder:
        holder.execute("SELECT * FROM t")

        def let_go(event: Event) -> None:
            if event.kind == "lock_attempt":
                holder.rollback()

        target.apply(revision("0002_r", "ALTER TABLE t ADD COLUMN a int", parent="0001_r"), on_event=let_go)
    assert len(target.receipts()) == 2
    assert target.messages("lock_attempt")


@pytest.mark.parametrize("lock_at", ["fenced", "statement_done", "nontx_done"])
def test_it_waits_for_who_keeps_a_table_locked_that_it_has_to_read(target, lock_at):
    target.apply(revision("0001_r", f"{TABLE}; CREATE TABLE other (id int PRIMARY KEY)"))
    with psycopg.connect(target.url, application_name="report") as holder:

        def lock_and_let_go(event: Event) -> None:
            if event.kind == lock_at and not target.messages("blocked") + target.messages("lock_attempt"):
                holder.execute("LOCK TABLE other IN ACCESS EXCLUSIVE MODE")
            elif event.kind in ("blocked", "lock_attempt"):
                holder.rollback()

        sql = INDEX if lock_at == "nontx_done" else "INSERT INTO t VALUES (1)"
        limits = Limits(lock_window_s=20, poll_s=0.2)
        target.apply(revision("0002_r", sql, parent="0001_r"), limits=limits, on_event=lock_and_let_go)
    waited = target.messages("blocked") + target.messages("lock_attempt")
    assert "another session keeps a table locked" in waited[0]
    assert len(target.receipts()) == 2


def test_it_gives_up_in_its_window_on_a_schema_that_it_cannot_read(target):
    target.apply(revision("0001_r", TABLE))
    with psycopg.connect(target.url) as holder:
        holder.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LockExhausted):
            target.apply(revision("0002_r", "SELECT 1", parent="0001_r"), limits=Limits(lock_window_s=1, poll_s=0.2))
        holder.rollback()
    assert len(target.receipts()) == 1


def test_it_stops_between_statements_when_asked(target):
    asked: list[StopRequest] = []

    def ask(event: Event) -> None:
        if event.kind == "recorded":
            asked.append(StopRequest("pause", "Paused at a person's request."))

    with pytest.raises(Stopped):
        target.apply(*chain(TABLE, "CREATE TABLE u ()"), stop=lambda: asked[-1] if asked else None, on_event=ask)
    assert [r.revision_id for r in target.receipts()] == ["0001_r"]


def test_it_goes_on_after_its_backend_was_terminated(target):
    revisions = chain(TABLE, "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)")
    killed: list[int] = []

    def kill(event: Event) -> None:
        if event.kind == "step_started" and event.revision_id == "0002_r" and not killed:
            killed.append(1)
            with target.connect() as conn:
                conn.execute("SELECT pg_terminate_backend(backend_pid, 5000) FROM lockstep.lock")

    target.apply(*revisions, on_event=kill)
    assert target.messages("connection_lost")
    assert target.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    assert [r.seq for r in target.receipts()] == [1, 2, 3]


def test_it_refuses_a_database_of_another_environment(target):
    target.environment = uuid.uuid4()
    with pytest.raises(Refused) as refusal:
        target.apply(revision("0001_r", TABLE))
    assert refusal.value.code == "other_environment"


def test_it_keeps_a_revision_s_settings_to_itself(target):
    target.apply(
        *chain(
            "CREATE SCHEMA s",
            "SET search_path = s; CREATE TABLE here ()",
            "CREATE TABLE there ()",
            "SET search_path = s; CREATE INDEX CONCURRENTLY here_i ON here ((1))",
            "CREATE TABLE also_there ()",
        )
    )
    assert target.rows(
        "SELECT schemaname::text, tablename::text FROM pg_tables WHERE tablename ~ 'here' ORDER BY 2"
    ) == [
        ("public", "also_there"),
        ("s", "here"),
        ("public", "there"),
    ]


def test_it_does_not_let_receipts_be_changed(target):
    target.apply(revision("0001_r", TABLE))
    with target.connect() as conn:
        for statement in ("UPDATE {} SET operator = 'x'", "DELETE FROM {}", "TRUNCATE {}"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                conn.execute(statement.format("lockstep.migration_history"))
        assert ensure_objects(conn) is False


def _cancel_when_it_sleeps(target: Target, canceller: Canceller, asked: list[StopRequest]) -> None:
    """As the control plane does: ask for the stop, then cancel the statement in progress."""
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    until(lambda: target.value(sleeping))
    asked.append(StopRequest("cancel", "Cancelled."))
    canceller.cancel()
