"""Time-outs in a file: they may tighten the runner's own limits, never loosen them."""

from __future__ import annotations

import re

from migrations_app.engine.sql.tree import words

NAMES = words(
    """lock_timeout statement_timeout idle_in_transaction_session_timeout transaction_timeout
    idle_session_timeout"""
)
VALUE = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>us|ms|s|min|h|d)?\s*\Z")
UNITS = {None: 1.0, "us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}


def milliseconds(value: str) -> int | None:
    """As PostgreSQL reads a time-out; None when it is none. 0 means no limit."""
    match = VALUE.match(value)
    return round(float(match["number"]) * UNITS[match["unit"]]) if match else None


def tighten_sql(name: str, limit_ms: str) -> str:
    """Sets the parameter for the transaction only when what is in force is longer, or is no limit."""
    only_if = f"WHERE name = '{name}' AND setting::bigint NOT BETWEEN 1 AND {limit_ms}"
    return f"SELECT pg_catalog.set_config(name, '{limit_ms}', true) FROM pg_catalog.pg_settings {only_if}"  # noqa: S608  a name of NAMES and a number
