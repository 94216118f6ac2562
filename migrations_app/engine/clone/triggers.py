"""Event triggers in a copy: which objects a statement dropped, cascades included, and what it ran inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import errors

_INSTALL = Path(__file__).with_name("triggers.sql").read_text(encoding="utf-8")
_NAMES = ("dropped", "rewritten", "ran")
_CLEAR = "SELECT " + ", ".join(f"pg_catalog.set_config('lockstep_trace.{name}', '', false)" for name in _NAMES)
_READ = "SELECT " + ", ".join(f"pg_catalog.current_setting('lockstep_trace.{name}', true)" for name in _NAMES)
_REASONS = {1: "persistence", 2: "default", 4: "type", 8: "access method"}


@dataclass(frozen=True)
class Dropped:
    """`original`: the statement named it. `normal`: it depended on what was named, rather than being part of it."""

    kind: str
    name: str
    original: bool
    normal: bool


@dataclass(frozen=True)
class Heard:
    dropped: tuple[Dropped, ...] = ()
    reasons: tuple[tuple[int, str], ...] = ()  # oid of a rewritten table, why
    ran: tuple[str, ...] = ()


def install(conn: psycopg.Connection) -> bool:
    """Create them anew; False where the role may not, which takes a superuser."""
    try:
        with conn.transaction():
            conn.execute(_INSTALL)
    except errors.InsufficientPrivilege:
        return False
    return True


def clear(conn: psycopg.Connection) -> None:
    """Forget what an earlier statement left."""
    conn.execute(_CLEAR)


def heard(conn: psycopg.Connection) -> Heard:
    """What the statements since `clear` did."""
    row = conn.execute(_READ).fetchone()
    assert row is not None
    dropped, rewritten, ran = (json.loads(text or "[]") for text in row)
    return Heard(
        tuple(Dropped(*found) for found in dropped),
        tuple((oid, _reason(bits)) for oid, bits in rewritten),
        tuple(ran),
    )


def _reason(bits: int) -> str:
    return ", ".join(word for bit, word in _REASONS.items() if bits & bit) or "unknown"
