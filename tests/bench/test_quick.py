"""The smallest run of the benchmarks: everything is carried out and every table has its shape."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from migrations_app.embedded import pytest_servers
from migrations_app.embedded.postgres import Server
from tests.bench import report
from tests.bench.forecast_revisions import REVISIONS
from tests.bench.house import GIVEN
from tests.bench.load_process import Plan, Target, run
from tests.bench.report import Failure, Table
from tests.bench.timing import Sample, interleaved, shown

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lines(pg18: Server, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The report of a tiny run, on the tests' own server: how long things take does not matter here."""
    output = tmp_path_factory.mktemp("bench") / "report.md"
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--tiny", "--no-install", "--output", str(output)],
        cwd=ROOT,
        env={
            **os.environ,
            GIVEN: pg18.dsn,
            "LOCKSTEP_TEST_REDIS_URL": pytest_servers.redis_server().url(db=7),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = output.read_text()
    assert pg18.password not in text + done.stdout + done.stderr
    return text.splitlines()


def rows(lines: list[str], title: str) -> list[list[str]]:
    """The table under a heading, without its rule."""
    start = lines.index(title)
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return [table[0], *table[2:]]


def test_it_writes_every_table_in_order(lines: list[str]):
    titles = [line for line in lines if line.startswith("## ")]
    assert titles == [
        "## Measured on",
        "## 1. Many revisions on one target",
        "## 2. A fleet, two workers",
        "## 3. Peak memory of one process",
        "## 4. Nothing to do",
        "## 5. Reading a file",
        "## 6. Putting revisions",
        "## 7. A large fleet, generated",
        "## 8. Pages under a constant rate",
        "## 9. First page, last page, and Django's admin",
        "## 10. The matrix in a browser",
        "## 11. Forecast and reality",
        "## 12. Reading a schema, and rehearsing on a copy",
        "## 13. The boot gate under a constant rate",
    ]


def test_it_says_what_it_was_measured_on(lines: list[str]):
    facts = dict(rows(lines, "## Measured on")[1:])
    assert facts["size"].startswith("tiny")
    # The tests' server trades durability for speed, and the report does not hide it.
    assert "fsync off" in facts["PostgreSQL"]


def test_it_compares_every_contender_with_the_floor(lines: list[str]):
    head, floor, *others = rows(lines, "## 1. Many revisions on one target")
    assert floor[0].startswith("floor: psql") and floor[4] == "1.00"
    ours = [row for row in others if row[0].startswith("Lockstep")]
    assert len(ours) == 3
    assert all(row[-1] in ("within", "over") for row in ours)
    assert all(float(row[4]) > 0 for row in ours)
    assert len(head) == len(floor)


def test_it_never_leaves_the_peer_out_silently(lines: list[str]):
    peer = rows(lines, "## 1. Many revisions on one target")[-1]
    assert peer[0] == "dbmate"
    assert float(peer[4]) > 0 if peer[1] != "not measured" else peer[2]


def test_it_measures_memory_of_engine_and_worker(lines: list[str]):
    found = rows(lines, "## 3. Peak memory of one process")[1:]
    assert [row[0].split()[0] for row in found] == ["engine", "engine", "worker", "its"]


def test_it_gives_an_apply_with_nothing_to_do_its_verdict(lines: list[str]):
    (row,) = rows(lines, "## 4. Nothing to do")[1:]
    assert row[0] == "50" and row[-1] in ("within", "over")


def test_it_generates_the_fleet_that_pages_are_measured_on(lines: list[str]):
    found = {row[0]: row[1] for row in rows(lines, "## 7. A large fleet, generated")[1:]}
    assert found["runs"] == "400" and found["log lines"] == "5,000"
    assert found["time to generate"].endswith("s")


def test_it_asks_pages_at_a_constant_rate_and_gets_every_answer(lines: list[str]):
    found = {row[0]: row for row in rows(lines, "## 8. Pages under a constant rate")[1:]}
    cases = ["matrix, what differs", "matrix, any window", "lists and home, in turn", "a run's fragment, not changed",
             "floor: the script, not changed"]  # fmt: skip
    assert [name for name in found if not name.startswith("–")] == cases
    assert [found[name][1] for name in cases] == ["8/s", "8/s", "6/s", "30/s", "30/s"]
    assert all(found[name][9] == "0" for name in cases)
    assert all(float(found[name][3].removesuffix("/s")) > 0 for name in cases)
    assert [found[name][-1] in ("within", "over") for name in cases] == [True, True, True, True, False]
    assert sum(name.startswith("–") for name in found) == 6


def test_it_asks_the_boot_gate_at_rest_and_in_a_full_house(lines: list[str]):
    found = rows(lines, "## 13. The boot gate under a constant rate")[1:]
    assert [row[0] for row in found] == ["everything rests", "every other thread waits for a lock"]
    assert [row[1] for row in found] == ["30/s", "30/s"]
    assert [row[6] for row in found] == ["0", "0"]
    assert all(row[-1] in ("within", "over") for row in found)


def test_it_compares_lists_with_their_last_page_and_with_the_admin(lines: list[str]):
    history, runs = rows(lines, "## 9. First page, last page, and Django's admin")[1:]
    assert (history[0], runs[0], runs[1]) == ("history", "runs", "400")
    for row in (history, runs):
        assert float(row[5]) > 0 and float(row[9]) > 0
        assert {row[6], row[10]} <= {"within", "over"}


def test_it_looks_at_the_matrix_in_a_browser_or_says_why_not(lines: list[str]):
    found = rows(lines, "## 10. The matrix in a browser")[1:]
    assert len(found) == 3 or found[0][0] == "not measured"


def test_it_compares_forecasts_with_what_really_happened(lines: list[str]):
    *statements, summary = rows(lines, "## 11. Forecast and reality")[1:]
    assert len(statements) == len(REVISIONS) > 30
    assert all(row[4].endswith("×") or row[4] == "too short to tell" for row in statements)
    assert float(summary[4].split()[0]) >= 1 and summary[4].endswith(("within", "over"))


def test_it_compares_fingerprint_and_rehearsal_with_dumps(lines: list[str]):
    taken, rehearsed = rows(lines, "## 12. Reading a schema, and rehearsing on a copy")[1:]
    assert taken[1].startswith("20 tables, ") and taken[-1].endswith(("within", "over"))
    assert rehearsed[0] == "rehearsal" and min(float(row[6]) for row in (taken, rehearsed)) > 0


def test_it_counts_the_time_of_a_request_from_when_it_was_due():
    """A server that answers nothing for half a second: whoever was due meanwhile waited too."""
    with _stalling_server(0.5) as port:
        plan = Plan("127.0.0.1", port, 50, 0, 0.5, 10, [Target(b"GET / HTTP/1.1\r\n\r\n", 200)])
        # In a thread of its own: the browser's tests leave a loop running in this one.
        with ThreadPoolExecutor(1) as apart:
            found = apart.submit(lambda: asyncio.run(run(plan))).result()
    took = sorted(ms for _, ms in found.took_ms)
    assert len(took) == 25 and not found.errors
    assert took[-1] > 450 and took[len(took) // 2] > 150


@contextmanager
def _stalling_server(seconds: float) -> Iterator[int]:
    first: list[float] = []

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            first.append(time.monotonic())
            time.sleep(max(first[0] + seconds - time.monotonic(), 0))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *said: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_it_names_a_part_that_could_not_be_measured():
    text = report.document(Table("Measured on", ("what",), ()), [Failure("2. A fleet", "the worker ended")])
    assert "## 2. A fleet\n\nNot measured: the worker ended" in text


def test_it_lets_every_contender_begin_a_round():
    order: list[str] = []

    def contender(name: str) -> Callable[[], float]:
        def run() -> float:
            order.append(name)
            return 1.0

        return run

    interleaved({name: contender(name) for name in "abc"}, rounds=3)
    assert "".join(order) == "abcbcacab"


def test_it_shows_the_median_and_both_ends():
    sample = Sample((0.2, 0.1, 4.0))
    assert (sample.median, sample.spread) == (0.2, "100.0 ms – 4.00 s")
    assert shown(0.00002) == "20 µs"
