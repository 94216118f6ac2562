"""What the gate knows, as plain values: a place where everything holds, to be changed in one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migrations_app.releases.boot.known import Asked, Declared, Known, Node, OpenRun
from migrations_app.releases.contracts import Place
from migrations_app.releases.schema_chain import SchemaChain, spans_of

# Names whose order as text is not their order in the chain.
CHAIN = SchemaChain(spans_of([(1, "sc-9"), (2, "sc-10"), (3, "sc-10"), (4, "sc-11"), (5, "sc-12")]))
RELEASE = Declared("1.0", "sc-10", "sc-9", "sc-10", index_hash="h1", secrets_rev="")
GOOD = Asked(release_id="1.0", schema_rev="sc-10", index_hash="h1", secrets_rev="set-1", node="n1", probes_ok=True)


def place(position: int, doubt: str = "") -> Place:
    span = CHAIN.at(position)
    return Place("prod", "prod", "eu", f"000{position}_step", position, span.name if span and not doubt else "", doubt)


KNOWN = Known(
    service="orders",
    environment="prod",
    place=place(2),
    compared_s=30.0,
    secrets=("set-1",),
    chain=CHAIN,
    release=RELEASE,
    run=None,
    planned=(),
    nodes=(),
)


def known(**changed: Any) -> Known:
    return replace(KNOWN, **changed)


def asked(**changed: Any) -> Asked:
    return replace(GOOD, **changed)


def run(ends_at: int | None, status: str = "running") -> OpenRun:
    return OpenRun(7, status, ends_at, "7:3:1.5")


def node(name: str = "n2", **changed: Any) -> Node:
    return replace(Node(name, "1.0", "h1", True, 5.0), **changed)
