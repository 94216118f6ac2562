"""What the gate goes by, read with one statement. `ask` carries it out: the gate has connections of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from migrations_app.models.environment import Reachability
from migrations_app.prepared import one_row
from migrations_app.releases.boot.chains import Ask, chain_of
from migrations_app.releases.boot.known import MEMBER_FOR, Asked, Declared, Half, Known, Node, OpenRun
from migrations_app.releases.contracts import Place, place_of
from migrations_app.releases.schema_chain import SchemaChain

_TRIES = 3


@dataclass(frozen=True)
class TokenFacts:
    """`unused_s`: since it was last used; None: never."""

    id: int
    sha256: str
    role: str
    user: int
    state: str
    unused_s: float | None
    roles: list[str]


@dataclass(frozen=True)
class OwnReport:
    """What the asking node reported last."""

    release_id: str
    schema_rev: str
    index_hash: str
    secrets_rev: str
    probes_ok: bool | None
    retired: bool
    silent_s: float

    @property
    def member(self) -> bool:
        return not self.retired and self.silent_s <= MEMBER_FOR.total_seconds()

    def says(self, asked: Asked) -> bool:
        same = ("release_id", "schema_rev", "index_hash", "secrets_rev", "probes_ok")
        return not self.retired and all(getattr(self, name) == getattr(asked, name) for name in same)


@dataclass(frozen=True)
class Found:
    token: TokenFacts | None
    service: bool  # there is one of that name
    environment: int | None
    known: Known | None  # None without an environment
    own: OwnReport | None


@dataclass(frozen=True)
class _Head:
    """As contracts.place_of() wants it."""

    name: str
    stage: str
    region: str
    head: str
    position: int
    lag: int | None
    never_read: bool
    reachable: bool
    note: str
    has_holes: bool
    run_mark: str


class ChainChanges(RuntimeError):
    """Revisions are being put in faster than they can be read."""


@cache
def _statement() -> str:
    """Without comment and indentation: psycopg keeps what it made of a text of less than 4096 characters."""
    lines = (Path(__file__).parent / "gate.sql").read_text(encoding="utf-8").splitlines()
    return " ".join(line.strip() for line in lines if not line.startswith("--"))


def read(service: str, environment: str, asked: Asked, prefix: str = "", ask: Ask = one_row) -> Found:
    """Raises ChainChanges where the chain and the rest could not be read of one moment."""
    given = {
        "prefix": prefix,
        "service": service,
        "environment": environment,
        "release": asked.release_id,
        "node": asked.node,
        "member_s": MEMBER_FOR.total_seconds(),
    }
    for _ in range(_TRIES):
        row = ask(_statement(), given)
        assert row is not None
        found: dict[str, Any] = json.loads(row[0])
        chain = chain_of(found["service"], found["chain"], ask) if found["environment"] else SchemaChain(())
        if chain is not None:
            return _found(service, found, chain)
    raise ChainChanges(f"The revisions of {service} are changing.")


def _found(service: str, found: dict[str, Any], chain: SchemaChain) -> Found:
    here = found["environment"]
    return Found(
        token=TokenFacts(**found["token"]) if found["token"] else None,
        service=found["service"] is not None,
        environment=here and here["id"],
        known=_known(service, found, here, chain) if here else None,
        own=OwnReport(**found["own"]) if found["own"] else None,
    )


def _known(service: str, found: dict[str, Any], here: dict[str, Any], chain: SchemaChain) -> Known:
    return Known(
        service=service,
        environment=here["name"],
        place=_place(here, chain, running=found["run"] is not None),
        compared_s=here["compared_s"],
        secrets=tuple(here["secrets"]),
        chain=chain,
        release=Declared(**found["release"]) if found["release"] else None,
        run=OpenRun(**found["run"]) if found["run"] else None,
        planned=tuple(found["planned"]),
        nodes=tuple(Node(**node) for node in found["nodes"]),
        half=Half(here["half"], here["left_by"], here["left"]) if here["half"] else None,
    )


def _place(here: dict[str, Any], chain: SchemaChain, *, running: bool) -> Place:
    """A target that nobody has looked at is as unknown as one that cannot be reached."""
    position: int | None = here["position"]
    return place_of(
        _Head(
            name=here["name"],
            stage=here["stage"],
            region=here["region"],
            head=here["head"],
            position=position or 0,
            lag=None if position is None else 0,
            never_read=here["never_read"],
            reachable=here["reachability"] == Reachability.OK,
            note=here["note"],
            has_holes=position is not None and here["applied"] != position,
            run_mark="R" if running else "",
        ),
        chain,
    )
