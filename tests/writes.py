"""How much was ever written in a database."""

from __future__ import annotations

from typing import Any

import psycopg

# Of this database alone, and without what autovacuum writes on its own: statistics.
_QUERY = """SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del)
    FROM pg_stat_all_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE NOT c.relisshared AND s.schemaname <> 'pg_toast' AND s.relname NOT LIKE 'pg_statistic%'"""


def writes(url: str) -> tuple[Any, ...] | None:
    """Rows inserted, updated and deleted, in the catalogue too; this session's own counts are handed in before."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SELECT pg_stat_force_next_flush()")
        return conn.execute(_QUERY).fetchone()
