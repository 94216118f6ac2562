from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.dsn import Dsn, parse
from migrations_app.engine.target.facts import prove
from migrations_app.engine.target.pooler import refuse_pooler, refuse_shared_backend
from tests.engine.target.conftest import MakeDatabase, OpenSession
from tests.engine.target.pooling_proxy import Order, PoolingProxy


@contextmanager
def pooled(dsn: Dsn, *, sessions: int, order: Order = "oldest") -> Iterator[Dsn]:
    proxy = PoolingProxy(dsn, sessions=sessions, order=order)
    try:
        yield parse(f"postgresql://{dsn.user}@127.0.0.1:{proxy.port}/{dsn.dbname}", trusted=False)
    finally:
        proxy.close()


@pytest.mark.parametrize("major", [16, 18])
def test_it_is_content_with_a_direct_connection(target_database: MakeDatabase, major: int) -> None:
    refuse_pooler(parse(target_database(major=major), trusted=False))


def test_it_leaves_no_trace_in_the_sessions(dsn: Dsn, session: OpenSession) -> None:
    first, second = session(dsn), session(dsn)
    refuse_shared_backend(first, second)
    for conn in (first, second):
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert conn.execute("SELECT current_setting('lockstep.probe', true)").fetchone() in ((None,), ("",))


@pytest.mark.parametrize(
    ("sessions", "order", "evidence"),
    [
        (1, "oldest", "two sessions got the same server process"),
        (5, "newest", "two sessions got the same server process"),
        (2, "oldest", "a session's server process changed while another one was busy"),
        (3, "oldest", "a session's setting was lost"),
    ],
)
def test_it_refuses_a_pooler_whatever_its_order(dsn: Dsn, sessions: int, order: Order, evidence: str) -> None:
    with pooled(dsn, sessions=sessions, order=order) as through, pytest.raises(Refused) as caught:
        refuse_pooler(through)
    assert caught.value.code == "behind_pooler"
    assert caught.value.message == f"The target is reached through a connection pooler: {evidence}."


def test_no_luck_gets_a_pooler_through(dsn: Dsn) -> None:
    """Of 20 probes of a pool of two in any order one would pass in some 50,000 runs of this test."""
    with pooled(dsn, sessions=2, order="any") as through:
        for _ in range(20):
            with pytest.raises(Refused, match="connection pooler"):
                refuse_pooler(through)


def test_a_proof_through_a_pooler_fails(dsn: Dsn) -> None:
    with pooled(dsn, sessions=4) as through, pytest.raises(Refused) as caught:
        prove(through)
    assert caught.value.code == "behind_pooler"
