"""The floor: `psql -f` with the same statements, each in a transaction with one insert into a history table.

Less than this cannot be done by anybody who commits every revision together with its record.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg import conninfo

from migrations_app.embedded.wheels import postgres_bin
from tests.bench.timing import stopwatch
from tests.bench.workload import Change

_HISTORY = "CREATE TABLE history (revision_id text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());\n"


def write_script(path: Path, wanted: Sequence[Change]) -> Path:
    parts = (
        f"BEGIN;\n{change.sql}INSERT INTO history (revision_id) VALUES ('{change.revision_id}');\nCOMMIT;\n"
        for change in wanted
    )
    path.write_text(_HISTORY + "".join(parts))
    return path


def run(url: str, script: Path) -> float:
    """Seconds of the whole psql process."""
    command = [str(postgres_bin(18) / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)]
    with stopwatch() as watch:
        subprocess.run(command, env={**os.environ, **_libpq(url)}, check=True, stdout=subprocess.DEVNULL)
    return watch.seconds


def _libpq(url: str) -> Mapping[str, str]:
    """In the environment, so that no password stands on a command line."""
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    given = conninfo.conninfo_to_dict(url)
    return {variable: str(given[name]) for name, variable in names.items() if name in given}
