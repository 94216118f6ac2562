"""Open one session on a target with the settings that exactly-once relies on, or say why not."""

from __future__ import annotations

import math

import psycopg

from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.unreachable import why_not
from migrations_app.engine.target.version import require_version

# Set by SQL, not by start-up options: a pooler drops those without a word.
SESSION_SETTINGS = {
    # A worker's death must end its statement; by default the server runs it to the end.
    "client_connection_check_interval": "1s",
    # The same for a worker that cannot be reached any more: noticed after 10 + 3 × 5 s.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
    # Waiting for a lock or a soak must not cost the session, and with it the advisory lock.
    "idle_session_timeout": "0",
    # timestamp <-> timestamptz rewrites the table under any other zone.
    "TimeZone": "UTC",
    # The statement splitter reads strings the standard way.
    "standard_conforming_strings": "on",
    # The fence check reads rows that a newer holder has just committed.
    "default_transaction_isolation": "read committed",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
}


def open_session(dsn: Dsn, *, application_name: str, connect_timeout: float = 5) -> psycopg.Connection:
    """An autocommit session, settings made, nothing prepared; lock and statement limits are the caller's."""
    try:
        conn = _connect(dsn, application_name, connect_timeout)
    except psycopg.Error as error:
        failure = why_not(dsn, str(error))
    else:
        return _made_ready(dsn, conn)
    # Raised outside the handler: the driver's error and its locals stay out of the traceback.
    raise failure


def _connect(dsn: Dsn, application_name: str, timeout: float) -> psycopg.Connection:
    return psycopg.connect(
        dsn.conninfo(),
        autocommit=True,
        prepare_threshold=None,
        application_name=application_name,
        client_encoding="UTF8",
        connect_timeout=max(2, math.ceil(timeout)),
        # A dead peer is noticed after 10 + 3 × 5 s, also when data is on its way.
        keepalives=1,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=25_000,
    )


def _made_ready(dsn: Dsn, conn: psycopg.Connection) -> psycopg.Connection:
    try:
        require_version(conn.info.server_version)
        _apply_settings(conn)
    except psycopg.OperationalError as error:
        failure: LockstepError = why_not(dsn, str(error))
    except psycopg.Error as error:
        failure = _setting_refused(dsn, error)
    except LockstepError:
        conn.close()
        raise
    else:
        return conn
    conn.close()
    raise failure


def _apply_settings(conn: psycopg.Connection) -> None:
    query = "SELECT " + ", ".join(["pg_catalog.set_config(%s, %s, false)"] * len(SESSION_SETTINGS))
    conn.execute(query, [text for pair in SESSION_SETTINGS.items() for text in pair])


def _setting_refused(dsn: Dsn, error: psycopg.Error) -> LockstepError:
    return Refused(
        "session_settings",
        f"{dsn.safe} refused a session setting that Lockstep relies on: {error.diag.message_primary}.",
        not_done="Nothing was changed in the target.",
        next_step="Use a PostgreSQL server on Linux, reached directly.",
    )
