"""The parsing child under bad input, sudden death, threads and forks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.sql import parser
from migrations_app.engine.sql.parser import MAX_BYTES, Parser

CHAIN = "SELECT " + "1+" * 200_000 + "1"
KILLER = "SELECT " + "1+" * 1_000_000 + "1"


@pytest.fixture
def fresh() -> Iterator[Parser]:
    made = Parser()
    yield made
    made.close()


def statements(answer: object) -> int:
    assert isinstance(answer, dict)
    return len(answer["statements"])


def count(one: Parser, sql: str = "SELECT 1; SELECT 2") -> int:
    return statements(one.ask("verify", sql))


def refusal(one: Parser, sql: str) -> Refused:
    with pytest.raises(Refused) as caught:
        one.ask("script", sql)
    return caught.value


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        threading.Event().wait(0.01)


def state(pid: int, task: int | None = None) -> str:
    """The kernel's letter for a process or thread, `Z` when there is none."""
    try:
        stat = Path(f"/proc/{pid}/task/{task or pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "Z"
    return stat.rpartition(")")[2].split()[0]


def stop(one: Parser) -> int:
    """Stopped is stopped only when every thread of the child is."""
    assert one.pid is not None
    os.kill(one.pid, signal.SIGSTOP)
    pid = one.pid
    tasks = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    until(lambda: all(state(pid, task) == "T" for task in tasks))
    return pid


def test_it_starts_no_child_before_it_is_asked(fresh: Parser) -> None:
    assert fresh.pid is None
    assert count(fresh) == 2
    assert fresh.pid is not None


def test_it_keeps_its_child(fresh: Parser) -> None:
    count(fresh)
    pid = fresh.pid
    count(fresh)
    assert fresh.pid == pid


@pytest.mark.parametrize("sql", [CHAIN, KILLER[:MAX_BYTES]])
def test_sql_that_breaks_the_parser_is_a_verdict(fresh: Parser, sql: str) -> None:
    assert refusal(fresh, sql).code == "unparseable"
    assert count(fresh) == 2


def test_a_crash_by_signal_is_a_verdict(fresh: Parser) -> None:
    error = refusal(fresh, KILLER)
    assert error.code == "unparseable"
    assert error.message == "PostgreSQL's parser crashed on this SQL."
    assert count(fresh) == 2


def test_a_child_that_died_on_its_own_is_replaced_without_a_word(fresh: Parser) -> None:
    count(fresh)
    assert fresh.pid is not None
    os.kill(fresh.pid, signal.SIGKILL)
    assert count(fresh) == 2


def test_a_child_killed_while_it_works_is_asked_again(fresh: Parser) -> None:
    count(fresh)
    first = stop(fresh)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(count, fresh)
        until(fresh._lock.locked)
        os.kill(first, signal.SIGKILL)
        assert answer.result(timeout=10) == 2
    assert fresh.pid != first


def test_too_slow_is_a_verdict() -> None:
    hasty = Parser(seconds=0.2)
    try:
        error = refusal(hasty, "INSERT INTO t VALUES " + ",".join(["(1)"] * 400_000))
        assert error.code == "unparseable"
        assert error.message == "The SQL could not be understood within 0.2 s."
        assert hasty.pid is None
        hasty.seconds = 10
        assert count(hasty) == 2
    finally:
        hasty.close()


def test_a_child_that_hangs_is_a_verdict(fresh: Parser) -> None:
    count(fresh)
    stop(fresh)
    fresh.seconds = 0.2
    assert refusal(fresh, "SELECT 1").code == "unparseable"
    fresh.seconds = 10
    assert count(fresh) == 2


def test_it_refuses_3_mb_before_any_parsing(fresh: Parser) -> None:
    error = refusal(fresh, "-- " + "x" * 3_000_000)
    assert error.code == "too_large"
    assert "3,000,003 bytes; the most that is read is 2,097,152" in error.message
    assert fresh.pid is None


def test_it_counts_bytes_not_characters(fresh: Parser) -> None:
    assert refusal(fresh, "-- " + "ü" * (MAX_BYTES // 2)).code == "too_large"


def test_it_reads_a_file_just_below_the_limit(fresh: Parser) -> None:
    assert count(fresh, "SELECT 1; -- " + "x" * (MAX_BYTES - 13)) == 1


def test_after_a_large_file_the_memory_goes_back(fresh: Parser) -> None:
    assert count(fresh, "SELECT 1; -- " + "x" * 1_000_000) == 1
    assert fresh.pid is None


def test_it_refuses_a_nul_byte_with_its_line(fresh: Parser) -> None:
    error = refusal(fresh, "SELECT 1;\nSELECT 'a\0b';")
    assert (error.code, error.message) == ("nul_byte", "Line 2: there is a NUL byte.")


def test_it_refuses_half_a_surrogate_pair_with_its_line(fresh: Parser) -> None:
    error = refusal(fresh, "SELECT 1;\n\nSELECT '\ud83d';")
    assert error.code == "not_unicode"
    assert error.message.startswith("Line 3: ")


def test_it_drops_a_byte_order_mark(fresh: Parser) -> None:
    assert count(fresh, "\ufeffSELECT 1") == 1


def test_it_reads_sql_as_deep_as_postgresql_itself(fresh: Parser) -> None:
    assert count(fresh, "SELECT " + "(" * 4900 + "1" + ")" * 4900) == 1
    assert count(fresh, "SELECT " + "(SELECT " * 1000 + "1" + ")" * 1000) == 1
    assert count(fresh, "SELECT " + "1+" * 5000 + "1") == 1


def test_deeper_than_the_grammar_is_a_verdict(fresh: Parser) -> None:
    assert refusal(fresh, "SELECT " + "(" * 20_000 + "1" + ")" * 20_000).code == "syntax_error"


def test_threads_share_one_child_and_get_their_own_answers(fresh: Parser) -> None:
    def ask(n: int) -> bool:
        return count(fresh, "SELECT 1;" * n) == n

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, [n % 37 + 1 for n in range(200)]))


def test_threads_survive_a_killer_among_them(fresh: Parser) -> None:
    def ask(n: int) -> bool:
        if n % 10:
            return count(fresh, "SELECT 1;" * n) == n
        return refusal(fresh, CHAIN).code == "unparseable"

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(1, 31)))


def test_a_fork_starts_its_own_child(fresh: Parser) -> None:
    """Both share descriptors after a fork; sharing the child would mix their answers up."""
    count(fresh)
    before = fresh.pid
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            forgot = fresh.pid is None
            right = count(fresh, "SELECT 1; SELECT 2; SELECT 3") == 3
            os.write(write, f"{forgot} {right} {fresh.pid != before}".encode())
            fresh.close()
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == "True True True"
    os.waitpid(child, 0)
    assert fresh.pid == before
    assert count(fresh) == 2


def test_a_fork_while_a_thread_waits_for_an_answer_does_not_hang(fresh: Parser) -> None:
    """The lock is held by a thread that does not exist in the fork."""
    count(fresh)
    stopped = stop(fresh)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(count, fresh)
        until(fresh._lock.locked)
        child = os.fork()
        if child == 0:
            try:
                code = 0 if count(fresh) == 2 else 1
                fresh.close()
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        os.kill(stopped, signal.SIGCONT)
        assert answer.result(timeout=10) == 2


PARENT = """
import sys, time
from migrations_app.engine.sql import parser
parser.ask("verify", "SELECT 1")
print(parser._default.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_child_dies_with_its_parent(how: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert state(pid) != "Z"
        parent.send_signal(how)
        parent.wait()
        until(lambda: state(pid) == "Z")


def test_an_orphan_notices_although_a_fork_of_its_parent_lives() -> None:
    """The fork was made without Python's hooks, so it keeps the socket open and no end of file comes."""
    code = PARENT.replace("sys.stdin.read()", "import ctypes; ctypes.CDLL(None).fork(); sys.stdin.read()")
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        until(lambda: len(children.read_text().split()) == 2)
        parent.kill()
        parent.wait()
        until(lambda: state(pid) == "Z")


def test_the_child_sees_no_secret(fresh: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_DATABASE_URL", "postgresql://u:secret@127.0.0.1/d")
    count(fresh)
    environment = Path(f"/proc/{fresh.pid}/environ").read_bytes().split(b"\0")
    assert {entry.partition(b"=")[0] for entry in environment if entry} == {b"PYTHONPATH"}


def test_the_child_writes_no_core_and_has_bounded_memory(fresh: Parser) -> None:
    count(fresh)
    limits = Path(f"/proc/{fresh.pid}/limits").read_text().splitlines()
    hard = {line[:25].strip(): line[25:].split()[1] for line in limits[1:]}
    assert (hard["Max core file size"], hard["Max address space"]) == ("0", str(1 << 30))


def test_closing_twice_is_fine_and_the_next_question_starts_again() -> None:
    parser.close()
    parser.close()
    assert statements(parser.ask("verify", "SELECT 1")) == 1


def test_a_small_file_takes_a_few_milliseconds(fresh: Parser) -> None:
    sql = "CREATE TABLE t (id bigint PRIMARY KEY);\nCREATE INDEX t_i ON t (id);\nALTER TABLE u ADD COLUMN a int;"
    fresh.ask("script", sql)
    took = []
    for _ in range(50):
        began = time.perf_counter()
        fresh.ask("script", sql)
        took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 0.02
