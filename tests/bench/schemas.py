"""Section 12: the fingerprint of many tables beside `pg_dump --schema-only`, and a rehearsal beside dump and restore.

Peer and contender read the same database in the same round.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from migrations_app.embedded.wheels import postgres_bin
from migrations_app.engine.clone.copying import drop_clone
from migrations_app.engine.clone.ground import Ground
from migrations_app.engine.clone.make import make_clone
from migrations_app.engine.clone.rehearse import rehearse_up
from migrations_app.engine.clone.sample import Sizes as CloneSizes
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import parse
from migrations_app.engine.target.fingerprint import fingerprint
from tests.bench.forecast_revisions import TABLES
from tests.bench.house import House
from tests.bench.plans import planned
from tests.bench.report import Table, against
from tests.bench.sizes import Sizes
from tests.bench.timing import Sample, interleaved, shown, stopwatch
from tests.many_tables import make_tables

TITLE = "Reading a schema, and rehearsing on a copy"
COLUMNS = ("what", "of", "time", "fastest – slowest", "peer", "its time", "ratio", "target")
_LIMIT_S = 2.0
_UP = "ALTER TABLE customers ADD COLUMN note text;"
_DOWN = "ALTER TABLE customers DROP COLUMN note;"


def measure(house: House, sizes: Sizes) -> Table:
    server = _server(house)
    rows = (_fingerprints(house, sizes, server.programs), _rehearsals(house, sizes, server))
    return Table(f"12. {TITLE}", COLUMNS, rows, (_note(sizes),))


def _server(house: House) -> RehearsalServer:
    major = int(house.setting("server_version_num")) // 10_000
    return RehearsalServer(parse(house.admin_url, trusted=True), major, postgres_bin(major))


def _fingerprints(house: House, sizes: Sizes, programs: Path) -> tuple[str, ...]:
    with house.database("tables") as url, open_session(parse(url, trusted=True), application_name="bench") as conn:
        make_tables(conn, sizes.schema_tables)
        objects = fingerprint(conn).objects
        taken = interleaved({"ours": lambda: _fingerprint(url), "peer": lambda: _dump(programs, url)}, sizes.rounds)
    of = f"{sizes.schema_tables:,} tables, {objects:,} objects"
    target = f"{_LIMIT_S:g} s: {against(_LIMIT_S, taken['ours'].median)}"
    return ("fingerprint", of, *_compared(taken, "pg_dump --schema-only"), target)


def _fingerprint(url: str) -> float:
    """On a session of its own: nothing is planned or cached yet."""
    with open_session(parse(url, trusted=True), application_name="bench") as conn, stopwatch() as watch:
        fingerprint(conn)
    return watch.seconds


def _dump(programs: Path, url: str) -> float:
    with stopwatch() as watch:
        subprocess.run([programs / "pg_dump", "--schema-only", url], stdout=subprocess.DEVNULL, check=True)
    return watch.seconds


def _rehearsals(house: House, sizes: Sizes, server: RehearsalServer) -> tuple[str, ...]:
    with house.database("rehearsed") as url:
        orders = sizes.forecast_rows
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(TABLES.format(orders=orders, customers=orders // 10, lines=orders * 2))
            conn.execute("VACUUM ANALYZE")
        contenders = {
            "ours": lambda: _rehearsal(server, url),
            "peer": lambda: _dump_and_restore(house, server.programs, url),
        }
        taken = interleaved(contenders, sizes.rounds)
    return ("rehearsal", f"{orders:,} orders", *_compared(taken, "pg_dump, psql"), "–")


def _rehearsal(server: RehearsalServer, url: str) -> float:
    """The clone, one small revision up, down, compared and up again, and the clone's end."""
    installation = uuid.uuid4()
    up = planned("0001_note", "", _UP)
    down = replace(planned("0001_note", "", _DOWN), up_checksum=up.checksum)
    with stopwatch() as watch:
        clone = make_clone(
            parse(url, trusted=True),
            server,
            installation=installation,
            clone=uuid.uuid4(),
            sizes=CloneSizes(),
            report=lambda line: None,
            should_stop=lambda: False,
        )
        try:
            ground = Ground(
                clone=clone,
                server=server,
                installation=installation,
                operator="bench",
                report=lambda event: None,
                stage=lambda revision_id, stage: None,
                should_stop=lambda: None,
                canceller=Canceller(),
            )
            found = rehearse_up(ground, up, down)
        finally:
            drop_clone(server, clone.name)
    assert found.verdict == "reversible", found
    return watch.seconds


def _dump_and_restore(house: House, programs: Path, url: str) -> float:
    with house.database("restored") as other, stopwatch() as watch, _dumping(programs, url) as dump:
        restore = [str(programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", other]
        subprocess.run(restore, stdin=dump.stdout, stdout=subprocess.DEVNULL, check=True)
    return watch.seconds


@contextmanager
def _dumping(programs: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([programs / "pg_dump", url], stdout=subprocess.PIPE) as dump:
        yield dump
    assert dump.returncode == 0


def _compared(taken: dict[str, Sample], peer: str) -> tuple[str, ...]:
    ours, its = taken["ours"], taken["peer"]
    return (shown(ours.median), ours.spread, peer, shown(its.median), f"{ours.median / its.median:.2f}")


def _note(sizes: Sizes) -> str:
    return (
        "The fingerprint is all of it: asking, hashing, three hashes. A rehearsal makes the clone, runs one small "
        "revision up, down and up again, traces both ways, compares schema and rows, and removes the clone; its peer "
        f"only copies. Rounds: {sizes.rounds}, in turn."
    )
