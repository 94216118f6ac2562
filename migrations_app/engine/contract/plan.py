"""The plan as plain data: what a page shows and what the executor runs are the same object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from migrations_app.engine.sql.script import Script, Statement, Step

Direction = Literal["up", "down"]


@dataclass(frozen=True)
class PlannedRevision:
    """One revision of a plan; `checksum` belongs to the script that runs (the down file's when rolling back)."""

    revision_id: str
    parent: str
    checksum: str
    up_checksum: str
    phase: str
    schema_rev: str
    script: Script
    verify: tuple[Statement, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.script.steps


@dataclass(frozen=True)
class Plan:
    """Revisions in the order of execution: up the chain, or back down it."""

    direction: Direction
    revisions: tuple[PlannedRevision, ...]


@dataclass(frozen=True)
class Decision:
    """A person's verdict on a statement whose outcome the catalogue cannot tell."""

    revision_id: str
    step: int
    verdict: Literal["done", "not_done"]
    by: str
    reason: str
