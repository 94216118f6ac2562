"""Runs the lanes of lock_cases.py through the tracer and tells what it found in their words."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from migrations_app.embedded.postgres import Server
from migrations_app.engine.clone.trace import StatementTrace, trace
from migrations_app.engine.contract.plan import Plan
from migrations_app.engine.sql import locks
from tests.engine.clone.tracing.lock_cases import Case, Found
from tests.engine.clone.tracing.world import Copy, copy_of, drop
from tests.engine.contract.support import chain

SHORT = {getattr(locks, name): name for name in ("AS", "RS", "RE", "SUE", "S", "SRE", "E", "AE")}


def measured(admin: psycopg.Connection, server: Server, template: str, lane: tuple[Case, ...]) -> Iterator[Found]:
    """One for each case, from a copy that is made for the lane and removed with it."""
    copy = copy_of(admin, server, template)
    try:
        traces = traced(copy, *(case.sql for case in lane))
    finally:
        drop(admin, copy.name)
    assert len(traces) == len(lane)
    yield from map(found, traces)


def traced(copy: Copy, *scripts: str) -> tuple[StatementTrace, ...]:
    return trace(copy.dsn, Plan("up", chain(*scripts)), clone=copy.uid, report=lambda said: None)


def found(one: StatementTrace) -> Found:
    held = ", ".join(f"{name.removeprefix('public.')} {SHORT[mode]}" for name, mode in one.locks)
    return Found(held, len(one.rewritten), sum(rows for _, rows in one.scanned))


def in_words(one: Found) -> tuple[list[str], str]:
    """To compare two, whatever the order of their locks."""
    return sorted(one.locks.split(", ")), f"{one.files} new files, {one.read} rows read"
