"""A target, revisions written in a line or two, and the executor around them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, StopRequest
from migrations_app.engine.contract.executor import Outcome
from migrations_app.engine.contract.plan import Decision, Direction, Plan, PlannedRevision
from migrations_app.engine.contract.receipts import Receipt, read_after
from migrations_app.engine.contract.recovery import execute_to_the_end
from migrations_app.engine.contract.work import Job, Limits
from migrations_app.engine.sql.checksum import checksum
from migrations_app.engine.sql.script import read_script, read_verify
from migrations_app.engine.target.dsn import parse
from migrations_app.engine.target.identity import claim_identity


@dataclass
class Target:
    """One database, claimed for one environment, with everything the engine reported about it."""

    url: str
    environment: uuid.UUID = field(default_factory=uuid.uuid4)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.connect() as conn:
            ensure_objects(conn)
            claim_identity(conn, installation=uuid.uuid4(), environment=self.environment, service="shop", name="test")

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url, autocommit=True)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as conn:
            return conn.execute(query).fetchall()

    def value(self, query: str) -> object:
        return self.rows(query)[0][0]

    def receipts(self) -> tuple[Receipt, ...]:
        with self.connect() as conn:
            return read_after(conn, 0)

    def messages(self, kind: str) -> list[str]:
        return [event.message for event in self.events if event.kind == kind]

    def execute(
        self,
        plan: Plan,
        *,
        limits: Limits | None = None,
        stop: Callable[[], StopRequest | None] = lambda: None,
        on_event: Callable[[Event], None] = lambda event: None,
        decisions: tuple[Decision, ...] = (),
        run_id: uuid.UUID | None = None,
        canceller: Canceller | None = None,
    ) -> Outcome:
        def report(event: Event) -> None:
            self.events.append(event)
            on_event(event)

        return execute_to_the_end(
            plan,
            parse(self.url, trusted=True),
            job=Job(run_id or uuid.uuid4(), "olga", "worker-1", self.environment, decisions),
            limits=limits or Limits(lock_window_s=5, poll_s=0.2, reconnect_window_s=10),
            report=report,
            should_stop=stop,
            canceller=canceller or Canceller(),
        )

    def apply(self, *revisions: PlannedRevision, **more: object) -> Outcome:
        return self.execute(Plan("up", revisions), **more)  # type: ignore[arg-type]

    def roll_back(self, *revisions: PlannedRevision, **more: object) -> Outcome:
        return self.execute(Plan("down", revisions), **more)  # type: ignore[arg-type]


def revision(
    revision_id: str,
    sql: str,
    *,
    parent: str = "",
    verify: str = "",
    direction: Direction = "up",
    up: str | None = None,
) -> PlannedRevision:
    """`sql` is what runs; for a roll-back `up` gives the bytes of the up file."""
    return PlannedRevision(
        revision_id=revision_id,
        parent=parent,
        checksum=checksum(sql),
        up_checksum=checksum(sql if direction == "up" else up or ""),
        phase="expand",
        schema_rev="",
        script=read_script(sql),
        verify=read_verify(verify) if verify else (),
    )


def chain(*scripts: str) -> tuple[PlannedRevision, ...]:
    """Revisions 0001_r, 0002_r … one after the other."""
    names = ["", *(f"{number:04}_r" for number in range(1, len(scripts) + 1))]
    return tuple(
        revision(name, sql, parent=parent) for parent, name, sql in zip(names, names[1:], scripts, strict=False)
    )
