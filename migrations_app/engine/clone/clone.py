"""What a finished clone is."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from migrations_app.engine.target.dsn import Dsn


@dataclass(frozen=True)
class CopiedTable:
    """`target_rows` is exact where all rows were copied, else an estimate; bytes are without indexes."""

    name: str
    rows: int
    target_rows: int
    target_bytes: int
    whole: bool
    bytes: int = 0


@dataclass(frozen=True)
class Clone:
    """`dsn` leads into it as `role`, the target's own user; `uid` is the environment it says it is."""

    name: str
    dsn: Dsn
    uid: UUID
    role: str
    fingerprint: str
    target_fingerprint: str
    tables: tuple[CopiedTable, ...]
