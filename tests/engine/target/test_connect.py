from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

import psycopg
import pytest
from psycopg import sql

from migrations_app.engine.errors import ConnectionLost, LockstepError, Refused
from migrations_app.engine.target.connect import SESSION_SETTINGS, open_session
from migrations_app.engine.target.dsn import Dsn, parse
from tests.engine.target.conftest import MakeDatabase, OpenSession, as_user


def failure(dsn: Dsn, timeout: float = 5) -> LockstepError:
    with pytest.raises(LockstepError) as caught:
        open_session(dsn, application_name="lockstep:test", connect_timeout=timeout)
    return caught.value


@pytest.mark.parametrize("major", [16, 18])
def test_it_sets_what_exactly_once_relies_on(target_database: MakeDatabase, session: OpenSession, major: int) -> None:
    conn = session(parse(target_database(major=major), trusted=False), "lockstep:r1:0001_first")
    for name, value in SESSION_SETTINGS.items():
        shown = conn.execute("SELECT current_setting(%s)", [name]).fetchone()
        assert shown is not None and str(shown[0]).startswith(value), name
    row = conn.execute("SELECT current_setting('application_name'), current_setting('client_encoding')")
    assert row.fetchone() == ("lockstep:r1:0001_first", "UTF8")


def test_it_opens_autocommit_and_prepares_nothing(conn: psycopg.Connection) -> None:
    for _ in range(10):
        conn.execute("SELECT %s::int", [1])
    assert conn.autocommit
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert conn.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_it_watches_the_line_with_keepalives(conn: psycopg.Connection) -> None:
    with socket.socket(fileno=os.dup(conn.fileno())) as line:
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 5
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 25_000


def test_it_ends_the_statement_of_a_worker_that_is_killed(dsn: Dsn, conn: psycopg.Connection) -> None:
    """Without the check interval the server would sleep its minute out, and keep the locks."""
    script = (
        "import sys\n"
        "from migrations_app.engine.target.connect import open_session\n"
        "from migrations_app.engine.target.dsn import parse\n"
        "conn = open_session(parse(sys.stdin.read(), trusted=False), application_name='lockstep:victim')\n"
        "conn.execute('SELECT pg_sleep(60)')\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, text=True)
    assert worker.stdin is not None
    worker.stdin.write(_url(dsn))
    worker.stdin.close()
    try:
        _wait(lambda: _victims(conn) == 1)
        worker.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        _wait(lambda: _victims(conn) == 0)
        assert time.monotonic() - killed < 5
    finally:
        worker.kill()
        worker.wait()


def test_it_says_wrong_password_without_showing_it(dsn: Dsn) -> None:
    error = failure(as_user(dsn, dsn.user, "not-The-Password"))
    assert isinstance(error, Refused) and error.code == "wrong_password"
    assert error.message == (f"Cannot connect to {dsn.safe}: The server did not accept the user or the password.")
    told = "".join(traceback.format_exception(error)) + repr(error)
    assert "not-The-Password" not in told
    assert error.__cause__ is None and error.__context__ is None


def test_it_says_unknown_database(dsn: Dsn) -> None:
    error = failure(dsn.in_database("no_such_database"))
    assert isinstance(error, Refused) and error.code == "unknown_database"


def test_it_says_that_a_database_takes_no_connections(dsn: Dsn, conn: psycopg.Connection) -> None:
    name = sql.Identifier(f"{dsn.dbname}_closed")
    conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ALLOW_CONNECTIONS false").format(name))
    try:
        assert failure(dsn.in_database(f"{dsn.dbname}_closed")).code == "not_admitted"
    finally:
        conn.execute(sql.SQL("DROP DATABASE {}").format(name))


def test_it_says_that_a_role_may_not_log_in(dsn: Dsn, conn: psycopg.Connection, plain_role: Dsn) -> None:
    conn.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(plain_role.user)))
    assert failure(plain_role).code == "not_admitted"


def test_it_says_too_many_connections(dsn: Dsn, conn: psycopg.Connection, plain_role: Dsn) -> None:
    conn.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 0").format(sql.Identifier(plain_role.user)))
    error = failure(plain_role)
    assert isinstance(error, ConnectionLost) and error.code == "too_many_connections"


def test_it_says_that_nothing_listens(dsn: Dsn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = failure(parse(f"postgresql://ann:pw@127.0.0.1:{port}/x", trusted=False))
    assert isinstance(error, ConnectionLost) and error.code == "target_unreachable"
    assert "Nothing listens" in error.message


def test_it_says_that_nobody_answers_in_time() -> None:
    """A server that accepts and then keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = failure(parse(f"postgresql://ann:pw@127.0.0.1:{port}/x", trusted=False), timeout=2)
    assert error.code == "target_unreachable" and "did not answer in time" in error.message


def test_it_survives_a_stranger_that_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]

        def hang_up() -> None:
            for _ in range(2):
                try:
                    line, _address = stranger.accept()
                except OSError:
                    return  # nobody came a second time, and the socket is closed
                line.recv(8)
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                line.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        error = failure(parse(f"postgresql://ann:s3cret@127.0.0.1:{port}/x", trusted=False))
    assert error.code in ("target_unreachable", "tls_failed")
    assert "HTTP" not in error.sentence and "s3cret" not in error.sentence


def test_it_says_that_the_host_is_unknown() -> None:
    error = failure(parse("postgresql://ann:pw@no-such-host.invalid/x", trusted=False))
    assert error.code == "target_unreachable" and "host name is not known" in error.message


def test_it_says_that_encryption_failed(dsn: Dsn) -> None:
    error = failure(parse(f"{_url(dsn)}?sslmode=require", trusted=False))
    assert error.code == "tls_failed"


def test_it_is_not_misled_by_names(dsn: Dsn) -> None:
    """A database called timeout is unknown, not slow."""
    assert failure(dsn.in_database("connection refused timeout ssl")).code == "unknown_database"


def _url(dsn: Dsn) -> str:
    password = dsn.conninfo().partition("password=")[2].partition(" ")[0]
    return f"postgresql://{dsn.user}:{password}@{dsn.host}:{dsn.port}/{dsn.dbname}"


def _victims(conn: psycopg.Connection) -> int:
    row = conn.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lockstep:victim' AND state = 'active'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _wait(condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
