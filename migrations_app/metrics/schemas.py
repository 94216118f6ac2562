"""The schema at the head of each environment, and whether the release that runs there takes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import Metric

from migrations_app.metrics.telling import Row, gauge, rows_of
from migrations_app.models.environment import Reachability
from migrations_app.releases.contracts import Fit, Place, fits, place_of
from migrations_app.releases.schema_chain import SchemaChain, spans_of

# Where a name begins; it stands until another one does.
_CHAINS = """
SELECT service_id, position, schema_rev
  FROM (SELECT service_id, position, schema_rev,
               lag(schema_rev) OVER (PARTITION BY service_id ORDER BY position) AS before
          FROM migrations_app_revision WHERE schema_rev <> '') declared
 WHERE before IS DISTINCT FROM schema_rev ORDER BY service_id, position
"""
_HEADS = """
SELECT e.service_id, s.name, e.name, e.stage, e.region, e.head_revision, h.position,
       e.reconciled_at IS NULL AND e.head_seq = 0, e.reachability, e.reconcile_note, COALESCE(t.applied, 0),
       COALESCE(r.release_id, ''), COALESCE(r.schema_rev_min, ''), COALESCE(r.schema_rev_max, '')
  FROM migrations_app_environment e
  JOIN migrations_app_service s ON s.id = e.service_id
  LEFT JOIN migrations_app_appliedtally t ON t.environment_id = e.id
  LEFT JOIN migrations_app_revision h ON h.service_id = e.service_id AND h.revision_id = e.head_revision
  LEFT JOIN migrations_app_environmentrelease runs ON runs.environment_id = e.id AND runs.until IS NULL
  LEFT JOIN migrations_app_release r ON r.id = runs.release_id
 ORDER BY s.name, e.name
"""
_RELEASE = ("service", "environment", "release_id")


@dataclass(frozen=True)
class _Standing:
    """A head as releases.contracts looks at it, and the release that runs there; empty where none is known to."""

    service_id: int
    service: str
    name: str
    stage: str
    region: str
    head: str
    found_at: int | None
    never_read: bool
    reachability: str
    note: str
    applied: int
    release_id: str
    schema_rev_min: str
    schema_rev_max: str
    run_mark: str = ""

    @property
    def position(self) -> int:
        return self.found_at or 0

    @property
    def lag(self) -> int | None:
        """How far is of no matter here, only whether it is known."""
        return None if self.head and self.found_at is None else 0

    @property
    def reachable(self) -> bool:
        return self.reachability != Reachability.UNREACHABLE

    @property
    def has_holes(self) -> bool:
        return self.lag is not None and self.applied != self.position


def read() -> Iterator[Metric]:
    """Two queries."""
    chains = _chains()
    heads = [_Standing(*row) for row in rows_of(_HEADS)]  # type: ignore[arg-type]
    stands = [(head, place_of(head, chains[head.service_id])) for head in heads]
    running = [(head, _fit(head, place, chains[head.service_id])) for head, place in stands if head.release_id]
    yield gauge(
        "lockstep_schema_rev_info",
        "Always 1: the schema_rev at the head of an environment, empty where it is not known or nothing is applied",
        ("service", "environment", "stage", "revision_id", "schema_rev"),
        [((head.service, head.name, head.stage, head.head, place.schema_rev), 1) for head, place in stands],
    )
    yield gauge(
        "lockstep_release_schema_mismatch",
        "1 where an environment runs a release that refuses its schema; not there where that is not known",
        _RELEASE,
        [_row(head, fit == Fit.REFUSES) for head, fit in running if fit != Fit.UNKNOWN],
    )
    yield gauge(
        "lockstep_release_schema_unknown",
        "1 where it cannot be told whether the release that an environment runs takes its schema",
        _RELEASE,
        [_row(head, fit == Fit.UNKNOWN) for head, fit in running],
    )


def _chains() -> dict[int, SchemaChain]:
    begins: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for service, position, name in rows_of(_CHAINS):
        begins[int(str(service))].append((int(str(position)), str(name)))
    chains: defaultdict[int, SchemaChain] = defaultdict(lambda: SchemaChain(()))
    chains.update((service, SchemaChain(spans_of(found))) for service, found in begins.items())
    return chains


def _fit(head: _Standing, place: Place, chain: SchemaChain) -> Fit:
    return fits(head.schema_rev_min, head.schema_rev_max, chain, [place])[1][0].fit


def _row(head: _Standing, holds: bool) -> Row:
    return (head.service, head.name, head.release_id), float(holds)
