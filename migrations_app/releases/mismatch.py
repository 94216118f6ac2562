"""Which release runs where, and on which schema: what an environment runs may refuse what stands there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from migrations_app.models import EnvironmentRelease
from migrations_app.releases.contracts import Cell, Fit, row_of
from migrations_app.releases.going_back import schemas_of


@dataclass(frozen=True)
class Running:
    """One environment that runs a release, since when; `cell` holds the release against the schema at its head."""

    service: str
    environment: str
    stage: str
    release_id: str
    since: datetime
    schema_rev: str  # empty where it is not known, or where nothing is applied
    cell: Cell

    @property
    def mismatch(self) -> bool:
        return self.cell.fit == Fit.REFUSES

    @property
    def sentence(self) -> str:
        place = f"{self.environment} of {self.service}"
        return f"{place} runs {self.release_id}, which refuses its schema. {self.cell.sentence}"


def running_where(service: str = "", most: int | None = None) -> tuple[Running, ...]:
    """The last stage first; one query, and two for each service that runs a release."""
    rows = EnvironmentRelease.objects.filter(until=None).order_by(
        "environment__service__name", "-environment__order", "environment__name"
    )
    if service:
        rows = rows.filter(environment__service__name=service)
    found = rows.select_related("environment", "release__service", "release__created_by")[:most]
    by_service = groupby(found, key=lambda row: row.release.service_id)
    return tuple(one for _, group in by_service for one in _held_against(list(group)))


def mismatches(service: str = "") -> list[Running]:
    """The environments whose schema is outside the window of what they run, of one service or of all."""
    return [one for one in running_where(service) if one.mismatch]


def _held_against(rows: Sequence[EnvironmentRelease]) -> Iterator[Running]:
    """All of one service."""
    service = rows[0].release.service
    schemas = schemas_of(service)
    places = {place.name: place for place in schemas.places}
    for row in rows:
        place = places[row.environment.name]
        yield Running(
            service=service.name,
            environment=place.name,
            stage=place.stage,
            release_id=row.release.release_id,
            since=row.since,
            schema_rev=place.schema_rev,
            cell=row_of(row.release, schemas.chain, [place]).cells[0],
        )
