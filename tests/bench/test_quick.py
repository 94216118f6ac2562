"""The smallest run of the benchmarks: everything is carried out and every table has its shape."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from migrations_app.embedded import pytest_servers
from migrations_app.embedded.postgres import Server
from tests.bench import report
from tests.bench.house import GIVEN
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
