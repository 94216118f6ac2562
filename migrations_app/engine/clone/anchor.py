"""One session on the rehearsal server for as long as a rehearsal lasts: with it goes what was seen on that server.

A server that crashed may have lost rows of a clone without a word, so nothing that came of it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.errors import ConnectionLost, LockstepError, Stopped


@contextmanager
def anchored(server: RehearsalServer) -> Iterator[Callable[[], None]]:
    """What it hands out raises ConnectionLost("rehearsal_server_lost") once the server was away, if only for a moment.

    Whatever else fails after that is that failure too.
    """
    try:
        with server.administer() as conn:
            try:
                yield lambda: _require(conn, server)
            except Stopped:
                raise
            except LockstepError:
                _require(conn, server)
                raise
    except psycopg.OperationalError as error:
        raise _lost(server) from error


def _require(conn: psycopg.Connection, server: RehearsalServer) -> None:
    try:
        conn.execute("SELECT")
    except psycopg.OperationalError as error:
        raise _lost(server) from error


def _lost(server: RehearsalServer) -> ConnectionLost:
    return ConnectionLost(
        "rehearsal_server_lost",
        f"The rehearsal server {server.dsn.safe} went away during the rehearsal.",
        not_done="Of what was under way nothing is known; the target was only read.",
        next_step="Rehearse again when that server answers.",
    )
