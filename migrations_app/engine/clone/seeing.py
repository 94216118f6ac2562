"""What stands in a clone, and what is lost of it against a copy made before: seen, or proven by nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg

from migrations_app.engine.clone.clone import Clone
from migrations_app.engine.clone.contents import Loss, compare_contents, unfilled_views
from migrations_app.engine.clone.guard import require_clone
from migrations_app.engine.clone.overwriting import Spot, without_effect
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.clone.source import named_failures
from migrations_app.engine.clone.standing import Standings, find, search_path, standing
from migrations_app.engine.clone.trace import StatementTrace
from migrations_app.engine.clone.unproven import Look, Unfilled, unproven_losses
from migrations_app.engine.clone.unseen import unseen_losses
from migrations_app.engine.sql.script import Script
from migrations_app.engine.target.compare import Difference, compare, table_of
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.fingerprint import (
    BESIDE_THE_SHAPE,
    CatalogueObject,
    beside,
    catalogue,
    hash_of,
)

_NAME = "lockstep:rehearsal"
_WHOLE = frozenset({"table", "view", "materialized view", "foreign table", "composite type"})
_PARTS = frozenset({"column", "constraint", "trigger", "rule", "policy"})
# Whatever the target's role or database is set to, a comparison sees every row and each digit, and calls nobody else's
# functions.
_ALL_OF_IT = """
SELECT pg_catalog.set_config('search_path', '', false), pg_catalog.set_config('row_security', 'off', false),
       pg_catalog.set_config('extra_float_digits', '3', false), pg_catalog.set_config('statement_timeout', '0', false)
"""


@dataclass(frozen=True)
class Seen:
    """`schema` is what a fingerprint tells, `aside` what it leaves out and can be lost all the same."""

    schema: tuple[CatalogueObject, ...]
    aside: tuple[CatalogueObject, ...]
    standing: Standings

    @property
    def fp(self) -> str:
        return str(hash_of(self.schema))


def see(server: RehearsalServer, clone: Clone) -> Seen:
    """A copy of the clone would not do: it has privileges and settings of its own."""
    with named_failures("the clone"), _looking(server, clone) as conn:
        return Seen(catalogue(conn), beside(conn), standing(conn))


def seen_losses(server: RehearsalServer, before: Clone, clone: Clone, was: Seen, back: Seen) -> tuple[Loss, ...]:
    """Rows, then the schema."""
    with named_failures("the clone"), _looking(server, before) as old, _looking(server, clone) as new:
        contents = compare_contents(old, new)
    gone = {(loss.kind, loss.object) for loss in contents if loss.kind in ("table", "column")}
    differences = [
        one
        for one in _by_the_whole(compare((*was.schema, *was.aside), (*back.schema, *back.aside)))
        if one.sign != "-" or (one.kind, one.name) not in gone  # with what it held
    ]
    return (*contents, *(Loss("schema", f"{one.kind} {one.name}", one.sentence) for one in differences))


def _by_the_whole(differences: Sequence[Difference]) -> Iterator[Difference]:
    """Without what only goes or comes with its table or view, and without what is said of what goes or comes."""
    whole = {(one.name, one.sign) for one in differences if one.kind in _WHOLE}
    objects = {(f"{one.kind} {one.name}", one.sign) for one in differences}
    for one in differences:
        part = one.kind in _PARTS and (table_of(one.name), one.sign) in whole
        if not part and not (one.kind in BESIDE_THE_SHAPE and (one.name, one.sign) in objects):
            yield one


def statements_without_effect(
    server: RehearsalServer, before: Clone, clone: Clone, script: Script, traces: Sequence[StatementTrace]
) -> frozenset[Spot]:
    """Those that overwrote rows and changed no value; the clone has the script applied."""
    with named_failures("the clone"), _looking(server, before) as old, _looking(server, clone) as new:
        return without_effect(old, new, script, traces)


def losses_not_seen(
    server: RehearsalServer,
    before: Clone,
    stood: tuple[Standings, Standings],
    script: Script,
    traces: Sequence[StatementTrace],
    idle: frozenset[Spot],
) -> tuple[Loss, ...]:
    """`stood`: before the script ran and after it; `idle`: the statements without effect."""
    with _look(server, before, stood, script) as look:
        return unproven_losses(look, script, traces, idle)


def losses_not_known(
    server: RehearsalServer,
    back: Clone,
    stood: tuple[Standings, Standings],
    script: Script,
    traces: Sequence[StatementTrace],
) -> tuple[Loss, ...]:
    """`back` was rolled back; `stood`: then, and with the script applied; `traces`: of applying it once more."""
    with _look(server, back, stood, script) as look:
        return unseen_losses(look, script, traces)


def emptied_views(server: RehearsalServer, before: Clone, clone: Clone) -> tuple[Loss, ...]:
    """Materialized views that rolling back made and left unfilled; nothing can be read from them."""
    with named_failures("the clone"), _looking(server, before) as old, _looking(server, clone) as new:
        return tuple(unfilled_views(old, new))


def unfilled(
    server: RehearsalServer, before: Clone, stood: tuple[Standings, Standings], script: Script
) -> tuple[Unfilled, ...]:
    """`stood`: before the script, which takes away, and after it. What it took could be filled by the time it runs."""
    with _look(server, before, stood, script) as look:
        return tuple(look.unfilled())


@contextmanager
def _look(server: RehearsalServer, clone: Clone, stood: tuple[Standings, Standings], script: Script) -> Iterator[Look]:
    names = {name for step in script.steps for statement in step.statements for name in statement.relations}
    with named_failures("the clone"):
        with closing(open_session(clone.dsn, application_name=_NAME)) as conn:
            schemas = search_path(conn, script.settings)
        with _looking(server, clone) as conn:
            yield Look(conn, *stood, find(conn, names, schemas))


@contextmanager
def _looking(server: RehearsalServer, clone: Clone) -> Iterator[psycopg.Connection]:
    """As the one who sees every row."""
    with closing(open_session(server.admin_dsn(clone.name), application_name=_NAME)) as conn:
        require_clone(conn, clone.uid)
        conn.execute(_ALL_OF_IT)
        yield conn
