"""`python -m tests.api_road FOLDER --server URL …`: a folder of revisions up, down and up again by the HTTP API alone.

On each server it makes two databases. Lockstep carries the revisions out in the one, psql the same files in the other;
after each way the schemas and the number of rows in every table have to be the same, and receipts, ledger and files
have to agree. LOCKSTEP_URL names a running Lockstep, LOCKSTEP_TOKEN is the token of somebody who may do everything.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from migrations_app.embedded.databases import create_database
from migrations_app.embedded.wheels import postgres_bin
from migrations_app.engine.contract.folder import RevisionFiles, read_folder
from migrations_app.engine.sql.checksum import checksum

ENDED = {"succeeded", "failed", "cancelled", "rolled_back", "needs_operator"}
# What psql may not put into one transaction: 25001 can't run inside one, 55P04 wants a new enum value committed.
NOT_IN_ONE = re.compile(r"ERROR: +(25001|55P04)")
DUMP_NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|)$")
SHOWN = 12


class Api:
    """The API as a script sees it: a status and JSON."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url.rstrip("/") + "/api/v1", token

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def need(self, method: str, path: str, body: object = None) -> Any:
        status, told = self.ask(method, path, body)
        if status not in (200, 201):
            raise SystemExit(f"{method} {path}: {status} {sentence(told)}")
        return told


@dataclass(frozen=True)
class Road:
    """One server's two databases, and the environment of the one that Lockstep has."""

    service: str
    environment: str
    ours: str
    psqls: str


def main() -> int:
    chosen = _arguments()
    api = Api(os.environ["LOCKSTEP_URL"], os.environ["LOCKSTEP_TOKEN"])
    files = read_folder(chosen.folder)
    service = f"{re.sub('[^a-z0-9]+', '-', chosen.folder.resolve().name.lower())}-{secrets.token_hex(3)}"
    api.need("POST", "/services", {"name": service})
    roads = [_road(api, service, url) for url in chosen.server]
    refused = put(api, service, files)
    troubles = len(refused)
    for road in roads:
        troubles += _walk(api, road, [one for one in files if one.revision_id not in refused], chosen.folder)
    print("Nothing differs." if not troubles else f"{troubles} differences, refusals or failures.")
    return 1 if troubles else 0


def sentence(told: Any) -> str:
    error = told.get("error") or {}
    details = "; ".join(str(one.get("sentence", one)) for one in error.get("details") or [] if isinstance(one, dict))
    return f"{error.get('message', told)} {details}".strip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.api_road", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--server", action="append", required=True, metavar="URL", help="a superuser's address")
    return parser.parse_args()


def _road(api: Api, service: str, admin_url: str) -> Road:
    with psycopg.connect(admin_url) as connection:
        major = connection.info.server_version // 10_000
    ours, psqls = (create_database(admin_url, f"{service}-{who}") for who in ("lockstep", "psql"))
    name = f"pg{major}"
    body = {"name": name, "stage": "dev", "dsn": ours}
    api.need("POST", f"/services/{service}/environments", body)
    return Road(service, name, ours, psqls)


def put(api: Api, service: str, files: Sequence[RevisionFiles]) -> set[str]:
    """The ids that were refused, with the reason told."""
    refused, began = set(), time.monotonic()
    for one in files:
        body = {"up": one.up, "down": one.down, "verify": one.verify}
        status, told = api.ask("PUT", f"/services/{service}/revisions/{one.revision_id}", body)
        if status not in (200, 201):
            refused.add(one.revision_id)
            print(f"refused: {status} {sentence(told)}")
    print(f"{service}: {len(files) - len(refused)} of {len(files)} put in {time.monotonic() - began:.1f} s", flush=True)
    return refused


def _walk(api: Api, road: Road, files: Sequence[RevisionFiles], folder: Path) -> int:
    """Up, down as far as there are down files, up again; how much went wrong. What fails in psql too is no trouble."""
    troubles = 0
    for direction in ("up", "down", "up"):
        head, failed = _run(api, road, files, direction)
        differences = _psql_to(road, files, folder, direction, head)
        if failed:
            told = psql(road.psqls, folder / f"{failed}.{direction}.sql")
            print(f"    {told or 'psql carries it out.'}")
            troubles += not told
        differences += [*_differences(road), *_disagreements(api, road, files)]
        for line in differences[:SHOWN]:
            print(f"    {line}")
        troubles += len(differences)
    return troubles


def _run(api: Api, road: Road, files: Sequence[RevisionFiles], direction: str) -> tuple[str, str]:
    """Ask for the run and wait; where the target stands then, and the revision that failed."""
    body = {"service": road.service, "environment": road.environment, "direction": direction}
    if direction == "down":
        body["to"] = next((one.revision_id for one in reversed(files) if one.down is None), "zero")
    status, run = api.ask("POST", "/runs", body)
    if status != 201:
        print(f"{road.environment} {direction}: {status} {sentence(run)}")
        return _head(api, road), ""
    while run["status"] not in ENDED:
        time.sleep(0.2)
        run = api.need("GET", f"/runs/{run['id']}")
    took = f"{run['steps_done']} of {run['steps_total']} steps"
    print(f"{road.environment} {direction}: {run['status']}, {len(run['revisions'])} revisions, {took}.")
    print(f"    {run['sentence']}")
    return _head(api, road), str((run["error"] or {}).get("revision_id", ""))


def _head(api: Api, road: Road) -> str:
    return str(api.need("GET", f"/services/{road.service}/environments/{road.environment}")["head_revision"])


def _psql_to(road: Road, files: Sequence[RevisionFiles], folder: Path, direction: str, head: str) -> list[str]:
    """Bring psql's database to the same revision; what failed there."""
    here = _mark(road)
    place = {"": -1} | {one.revision_id: number for number, one in enumerate(files)}
    if direction == "up":
        wanted = [one.revision_id for one in files[place[here] + 1 : place[head] + 1]]
    else:
        wanted = [one.revision_id for one in reversed(files[place[head] + 1 : place[here] + 1])]
    failures = [told for name in wanted if (told := psql(road.psqls, folder / f"{name}.{direction}.sql"))]
    _mark(road, head)
    return failures


def _mark(road: Road, head: str | None = None) -> str:
    """The revision psql's database stands at, kept as the database's comment."""
    with psycopg.connect(road.psqls, autocommit=True) as connection:
        name = psycopg.sql.Identifier(connection.info.dbname)
        if head is not None:
            connection.execute(psycopg.sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, head))
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        row = connection.execute(query).fetchone()
    return (row and row[0]) or ""


def psql(url: str, file: Path, *options: str) -> str:
    """In one transaction, or without where PostgreSQL will not have that; the error, if any."""
    program = [str(postgres_bin(18) / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose"]
    done = subprocess.run([*program, *(options or ("-1",)), "-f", str(file), url], capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    if not options and NOT_IN_ONE.search(done.stderr):
        return psql(url, file, "-e")
    return f"psql fails at {file.name}: {' '.join(done.stderr.split())[:300]}"


def _differences(road: Road) -> list[str]:
    ours, psqls = _dump(road.ours), _dump(road.psqls)
    lines = list(difflib.unified_diff(psqls, ours, "psql", "lockstep", n=1, lineterm=""))
    counted = [f"rows {line}" for line in sorted(set(_rows(road.ours)) ^ set(_rows(road.psqls)))]
    print(f"    schema: {len(ours)} lines, {len(lines)} differ; row counts that differ: {len(counted)}", flush=True)
    return [*lines, *counted]


def _dump(url: str) -> list[str]:
    command = [str(postgres_bin(18) / "pg_dump"), "-s", "--exclude-schema=lockstep", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in text.splitlines() if not DUMP_NOISE.match(line)]


def _rows(url: str) -> Iterator[str]:
    tables = """SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname NOT IN ('lockstep', 'pg_catalog', 'information_schema') ORDER BY 1"""
    with psycopg.connect(url) as connection:
        for (table,) in connection.execute(tables).fetchall():
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            yield f"{table}: {row and row[0]}"


def _disagreements(api: Api, road: Road, files: Sequence[RevisionFiles]) -> list[str]:
    """Receipts against the ledger, and both against the files."""
    with psycopg.connect(road.ours) as connection:
        query = "SELECT seq, revision_id, direction, checksum FROM lockstep.migration_history ORDER BY seq"
        receipts = connection.execute(query).fetchall()
    ledger = sorted(_ledger(api, road))
    texts = {(one.revision_id, "up"): one.up for one in files}
    texts |= {(one.revision_id, "down"): one.down or "" for one in files}
    other = [row for row in receipts if checksum(texts[row[1], row[2]]) != row[3]]
    print(f"    receipts: {len(receipts)}, ledger: {len(ledger)}, other bytes than the files: {len(other)}", flush=True)
    return [f"receipt of other bytes: {row}" for row in other] + (
        [] if receipts == ledger else [f"receipts and ledger differ: {set(receipts) ^ set(ledger)}"]
    )


def _ledger(api: Api, road: Road) -> Iterator[tuple[int, str, str, str]]:
    after = ""
    while after is not None:
        query = urlencode({"environment": road.environment, "limit": 100, "after": after})
        told = api.need("GET", f"/services/{road.service}/history?{query}")
        for row in told["rows"]:
            yield row["seq"], row["revision_id"], row["direction"], row["checksum"]
        after = told["next"]


if __name__ == "__main__":
    sys.exit(main())
