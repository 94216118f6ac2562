"""A revision of one statement with nothing to verify is one message up to its COMMIT.

The last revision of a run is not: its result is measured first. So each chain here has one more after the one tested.
"""

from __future__ import annotations

import threading

import psycopg
import pytest

from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, StopRequest
from migrations_app.engine.contract.plan import PlannedRevision
from migrations_app.engine.contract.work import Limits
from migrations_app.engine.errors import Fenced, LockExhausted, NeedsOperator, StatementFailed, Stopped
from tests.conftest import MakeDatabase
from tests.engine.contract.support import Target, chain
from tests.waiting import until

TABLE = "CREATE TABLE t (id int PRIMARY KEY)"
OWN_MESSAGE = "INSERT INTO seen SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()"
# By a function, because nobody looks into one.
FORGET = "CREATE FUNCTION forget() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$"


@pytest.fixture(params=[18, 16])
def target(request: pytest.FixtureRequest, target_database: MakeDatabase) -> Target:
    return Target(target_database(major=request.param))


def then_one_more(*scripts: str) -> tuple[PlannedRevision, ...]:
    return chain(*scripts, "SELECT 1")


def standing(target: Target) -> list[str]:
    return [receipt.revision_id for receipt in target.receipts()]


def test_it_is_sent_with_its_record_and_its_commit(target: Target) -> None:
    target.apply(*then_one_more("CREATE TABLE seen (query text)", OWN_MESSAGE))
    seen = target.value("SELECT query FROM seen")
    assert isinstance(seen, str)
    assert seen.startswith("BEGIN; ") and OWN_MESSAGE in seen and seen.endswith("; COMMIT")
    assert standing(target) == ["0001_r", "0002_r", "0003_r"]


@pytest.mark.parametrize("second", [f"{OWN_MESSAGE}; SELECT 1", f"DO $$ BEGIN {OWN_MESSAGE}; END $$"])
def test_what_has_to_be_looked_at_first_is_not(target: Target, second: str) -> None:
    target.apply(*then_one_more("CREATE TABLE seen (query text)", second))
    assert "COMMIT" not in str(target.value("SELECT query FROM seen"))
    assert len(target.receipts()) == 3


def test_a_comment_at_its_end_hides_nothing(target: Target) -> None:
    target.apply(*then_one_more(TABLE, "INSERT INTO t VALUES (1) -- the first", "INSERT INTO t VALUES (2) /* last */"))
    assert target.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    assert len(target.receipts()) == 4


def test_its_receipt_and_step_are_as_of_any_other(target: Target) -> None:
    target.apply(*then_one_more(TABLE, "INSERT INTO t SELECT 1 FROM pg_sleep(0.3)"))
    receipt = target.receipts()[1]
    told = [event.receipt for event in target.events if event.kind == "recorded"]
    assert told == list(target.receipts())
    assert 300 <= (receipt.duration_ms or 0) < 5000
    assert target.rows("SELECT revision_id, n, attempt, mode, status FROM lockstep.step ORDER BY 1") == [
        (f"000{number}_r", 1, 1, "tx", "done") for number in (1, 2, 3)
    ]
    assert target.value("SELECT count(DISTINCT s.xid) FROM lockstep.step s") == 3
    done = target.messages("statement_done")[1]
    assert done.startswith("1/1 INSERT") and int(done.split(" · ")[1].removesuffix(" ms")) >= 300


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("INSERT INTO t VALUES (1), (1)", "0002_r, line 1 (INSERT INTO t): duplicate key"),
        ("INSERT INTO u VALUES (7)", "0002_r, line 1 (INSERT INTO u): insert or update on table"),
        ("SELECT forget()", "prepared statement"),
    ],
    ids=["the statement fails", "the COMMIT fails", "the record fails"],
)
def test_nothing_of_it_stands_when_a_part_fails(target: Target, second: str, said: str) -> None:
    first = f"{TABLE}; CREATE TABLE u (t int REFERENCES t DEFERRABLE INITIALLY DEFERRED); {FORGET}"
    with pytest.raises(StatementFailed) as failure:
        target.apply(*then_one_more(first, second))
    assert said in failure.value.message
    assert standing(target) == ["0001_r"]
    assert target.rows("SELECT id FROM t UNION ALL SELECT t FROM u") == []
    assert target.value("SELECT count(*) FROM lockstep.step WHERE revision_id <> '0001_r'") == 0


def test_a_lost_fence_stops_it(target: Target) -> None:
    def usurp(event: Event) -> None:
        if event.kind == "statement_started" and event.revision_id == "0002_r":
            with target.connect() as conn:
                conn.execute("UPDATE lockstep.lock SET fence = fence + 1")

    with target.connect() as conn:
        conn.execute("CREATE SEQUENCE never_read")  # no roll-back would undo that it was read
    with pytest.raises(Fenced):
        target.apply(*then_one_more(TABLE, "SELECT nextval('never_read')"), on_event=usurp)
    assert target.value("SELECT is_called FROM never_read") is False
    assert standing(target) == ["0001_r"]


def test_it_tries_again_for_its_locks_and_names_the_holder(target: Target) -> None:
    revisions = then_one_more(TABLE, "ALTER TABLE t ADD COLUMN a int")
    target.apply(revisions[0])
    with psycopg.connect(target.url, application_name="report") as holder:
        holder.execute("SELECT * FROM t")
        with pytest.raises(LockExhausted) as failure:
            target.apply(*revisions, limits=Limits(lock_window_s=2, poll_s=0.2))
        holder.rollback()
    assert "report" in failure.value.message
    assert len(target.messages("lock_attempt")) > 1
    assert standing(target) == ["0001_r"]
    target.apply(*revisions)
    assert len(target.receipts()) == 3


def test_a_cancel_ends_it(target: Target) -> None:
    asked: list[StopRequest] = []
    canceller = Canceller()

    def cancel_when_it_sleeps() -> None:
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        until(lambda: target.value(sleeping) == 1)
        asked.append(StopRequest("cancel", "Cancelled at a person's request."))
        canceller.cancel()

    cancelling = threading.Thread(target=cancel_when_it_sleeps)
    cancelling.start()
    with pytest.raises(Stopped):
        slow = then_one_more(TABLE, "INSERT INTO t SELECT 1 FROM pg_sleep(600)")
        target.apply(*slow, stop=lambda: asked[0] if asked else None, canceller=canceller)
    cancelling.join()
    assert standing(target) == ["0001_r"]
    assert target.value("SELECT count(*) FROM t") == 0


def test_it_is_run_once_though_its_session_broke_before_or_after(target: Target) -> None:
    broken: list[str] = []

    def terminate(event: Event) -> None:
        at = (event.kind, event.revision_id)
        if at in (("statement_started", "0002_r"), ("statement_done", "0003_r")) and event.revision_id not in broken:
            broken.append(event.revision_id)
            with target.connect() as conn:
                conn.execute("SELECT pg_terminate_backend(backend_pid, 5000) FROM lockstep.lock")

    target.apply(*then_one_more(TABLE, "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"), on_event=terminate)
    assert broken == ["0002_r", "0003_r"]
    assert target.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    assert [receipt.seq for receipt in target.receipts()] == [1, 2, 3, 4]


def test_a_statement_that_breaks_its_session_is_not_recorded(target: Target) -> None:
    breaks = "SELECT pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(NeedsOperator):
        target.apply(*then_one_more(TABLE, breaks))
    assert standing(target) == ["0001_r"]


def test_its_duration_is_told_by_the_server_s_own_clock(target: Target) -> None:
    with target.connect() as conn:
        conn.execute("CREATE SCHEMA travel")
        conn.execute("CREATE FUNCTION travel.now() RETURNS timestamptz RETURN timestamptz '-infinity'")
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET search_path = travel, pg_catalog, public")
    target.apply(*then_one_more("CREATE TABLE public.t (id int)", "INSERT INTO public.t VALUES (1)"))
    assert all(0 <= (receipt.duration_ms or 0) < 60_000 for receipt in target.receipts())
    assert target.value("SELECT count(*) FROM lockstep.step WHERE started_at > '2000-01-01'") == 3
