"""`python -m tests.rehearsal_road FOLDER --server URL`: every way back of a folder, rehearsed and held against pg_dump.

A running Lockstep rehearses and applies the revisions in its database, a few at a time, with rows in every table that
takes some. Beside it psql goes up and down on a copy with the same rows, and pg_dump, schema and data, says whether all
is as before. A way back called reversible that pg_dump sees differ is the one thing that may never be.
LOCKSTEP_URL names the running Lockstep, LOCKSTEP_TOKEN is the token of somebody who may do everything.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from migrations_app.embedded.databases import create_database, drop_database
from migrations_app.embedded.wheels import postgres_bin
from migrations_app.engine.contract.folder import RevisionFiles, read_folder
from tests.api_road import DUMP_NOISE, ENDED, Api, psql, put, sentence
from tests.filled import empty, fill

REHEARSED = {"done", "failed", "cancelled"}
# What an older server does not know, and what trips functions that name no schema.
MENDED = {
    "SET transaction_timeout = 0;\n": "",
    "set_config('search_path', '', false)": "set_config('search_path', 'public', false)",
}


@dataclass(frozen=True)
class Ground:
    """The database that Lockstep has, and the two in which psql goes up and down."""

    service: str
    environment: str
    admin: str
    ours: str
    walked: str
    tried: str


@dataclass(frozen=True)
class Finding:
    """`dumped` is same, differs, or the error at which psql stopped."""

    revision_id: str
    verdict: str
    losses: str
    dumped: str
    emptied: bool

    @property
    def wrong(self) -> bool:
        return self.verdict == "reversible" and self.dumped != "same"


def main() -> int:
    chosen = _arguments()
    api = Api(os.environ["LOCKSTEP_URL"], os.environ["LOCKSTEP_TOKEN"])
    files = read_folder(chosen.folder)
    ground = _ground(api, chosen.folder, chosen.server)
    refused = put(api, ground.service, files)
    files = tuple(one for one in files if one.revision_id not in refused)
    findings: list[Finding] = []
    for first in range(0, len(files), chosen.batch):
        for finding in _stretch(api, ground, files[first : first + chosen.batch], chosen):
            print(_line(len(findings) + 1, finding), flush=True)
            findings.append(finding)
        _apply(api, ground, files[min(first + chosen.batch, len(files)) - 1].revision_id)
    return _tell(findings, len(refused))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal_road", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--server", required=True, metavar="URL", help="a superuser's address")
    parser.add_argument("--rows", type=int, default=30, help="at most so many in each table")
    parser.add_argument("--batch", type=int, default=1, help="revisions in one rehearsal")
    return parser.parse_args()


def _ground(api: Api, folder: Path, server: str) -> Ground:
    service = f"{re.sub('[^a-z0-9]+', '-', folder.resolve().name.lower())}-{secrets.token_hex(3)}"
    ours, walked, tried = (create_database(server, f"{service}-{who}") for who in ("lockstep", "walked", "tried"))
    api.need("POST", "/services", {"name": service})
    api.need("POST", f"/services/{service}/environments", {"name": "main", "stage": "dev", "dsn": ours})
    return Ground(service, "main", server, ours, walked, tried)


def _stretch(
    api: Api, ground: Ground, files: Sequence[RevisionFiles], chosen: argparse.Namespace, *, emptied: bool = False
) -> Iterator[Finding]:
    """Rehearse these at once; one by one if that fails, and over empty tables where a revision refuses the rows."""
    if not emptied:
        fill(ground.ours, chosen.rows)
    _copy(ground)
    asked = _rehearse(api, ground, files[-1].revision_id)
    dumped = [_walk(ground, one, chosen.folder) for one in files]
    rehearsal = _ended(api, "rehearsals", asked["id"], REHEARSED)
    parts = {part["revision_id"]: part for part in rehearsal["parts"]}
    if all(parts.get(one.revision_id, {}).get("verdict") not in (None, "failed") for one in files):
        for one, told in zip(files, dumped, strict=True):
            yield _found(one.revision_id, parts[one.revision_id], told, emptied=emptied)
    elif len(files) > 1:
        for one in files:
            yield from _stretch(api, ground, [one], chosen)
            _apply(api, ground, one.revision_id)
    elif not emptied:
        empty(ground.ours)
        yield from _stretch(api, ground, files, chosen, emptied=True)
    else:
        raise SystemExit(f"{files[0].revision_id} can't be rehearsed: {rehearsal['sentence']} {rehearsal['parts']}")


def _found(revision_id: str, part: dict[str, Any], dumped: str, *, emptied: bool) -> Finding:
    losses = "; ".join(loss["sentence"] for loss in part["losses"])
    return Finding(revision_id, part["verdict"], losses, dumped, emptied)


def _rehearse(api: Api, ground: Ground, to: str) -> Any:
    body = {"service": ground.service, "environment": ground.environment, "direction": "up", "to": to}
    return api.need("POST", "/rehearsals", body)


def _apply(api: Api, ground: Ground, to: str) -> None:
    body = {"service": ground.service, "environment": ground.environment, "direction": "up", "to": to}
    status, run = api.ask("POST", "/runs", body)
    if status == 409 and "applied already" in sentence(run):
        return
    if status != 201:
        raise SystemExit(f"up to {to}: {status} {sentence(run)}")
    run = _ended(api, "runs", run["id"], ENDED)
    if run["status"] != "succeeded":
        raise SystemExit(f"up to {to}: {run['sentence']}")


def _ended(api: Api, kind: str, number: int, ends: set[str]) -> Any:
    told = api.need("GET", f"/{kind}/{number}")
    while told["status"] not in ends:
        time.sleep(0.2)
        told = api.need("GET", f"/{kind}/{number}")
    return told


def _copy(ground: Ground) -> None:
    """The database as Lockstep has it, for psql; it has to dump the same, or nothing that follows means anything."""
    _afresh(ground, ground.walked)
    text = _pg_dump(ground.ours)
    for said, mended in MENDED.items():
        text = text.replace(said, mended, 1)
    command = [str(postgres_bin(18) / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", ground.walked]
    subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    if _state(ground.walked) != _state(ground.ours):
        raise SystemExit(f"The copy of {ground.ours} does not dump like it.")


def _walk(ground: Ground, one: RevisionFiles, folder: Path) -> str:
    """Up and down on a database that is thrown away, then up on the one that goes on."""
    before = _state(ground.walked)
    _afresh(ground, ground.tried, ground.walked)
    trouble = psql(ground.tried, folder / f"{one.revision_id}.up.sql")
    if not trouble and one.down is not None:
        trouble = psql(ground.tried, folder / f"{one.revision_id}.down.sql")
    after = _state(ground.tried)
    psql(ground.walked, folder / f"{one.revision_id}.up.sql")
    return trouble or ("same" if after == before else "differs")


def _afresh(ground: Ground, url: str, template: str = "") -> None:
    name, like = (sql.Identifier(_database(one)) for one in (url, template or "/template0"))
    drop_database(ground.admin, _database(url))
    with psycopg.connect(ground.admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, like))


def _database(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


def _state(url: str) -> list[str]:
    """What pg_dump tells of schema and rows, the rows of a table in an order that a rewrite does not change."""
    lines: list[str] = []
    rows: list[str] | None = None
    for line in _pg_dump(url).splitlines():
        if rows is not None and line != "\\.":
            rows.append(line)
            continue
        if rows is not None:
            lines += sorted(rows)
        rows = [] if line.startswith("COPY ") and line.endswith("FROM stdin;") else None
        if not DUMP_NOISE.match(line):
            lines.append(line)
    return lines


def _pg_dump(url: str) -> str:
    command = [str(postgres_bin(18) / "pg_dump"), "--exclude-schema=lockstep", url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _line(number: int, found: Finding) -> str:
    marks = ("WRONG " if found.wrong else "") + ("over empty tables " if found.emptied else "")
    dumped = f"pg_dump: {found.dumped[:120]:8}"
    return f"{number:4} {found.verdict:12} {dumped} {marks}{found.revision_id} {found.losses[:160]}"


def _tell(findings: Sequence[Finding], refused: int) -> int:
    ends = Counter((f.verdict, f.dumped if f.dumped in ("same", "differs") else "stops") for f in findings)
    for (verdict, dumped), count in sorted(ends.items()):
        print(f"{verdict}, pg_dump {dumped}: {count}")
    wrong = sum(found.wrong for found in findings)
    print(f"{len(findings)} ways back, {refused} refused, {sum(f.emptied for f in findings)} over empty tables.")
    print(f"{wrong} called reversible that pg_dump sees differ.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
