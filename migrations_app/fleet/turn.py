"""What an environment's page shows besides what the fleet's version covers, as one text that changes with it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from migrations_app.prepared import one_row


@cache
def _query() -> str:
    return (Path(__file__).parent / "turn.sql").read_text(encoding="utf-8")


def turn_of(environment_id: int) -> str:
    """Of its schema, its drift, its newest rehearsal and the request that waits, in one small query."""
    row = one_row(_query(), {"environment": environment_id})
    assert row is not None
    return str(row[0])
