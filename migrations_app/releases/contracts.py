"""Releases against environments: which would start on the schema that stands there, and which would refuse.

Places in the chain decide, never the order of names; whatever cannot be told is unknown, and that is never fine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from migrations_app.fleet.matrix_columns import read_columns
from migrations_app.models import Release, Service
from migrations_app.releases.schema_chain import SchemaChain, Span, read_schema_chain

WINDOW = 30
NOTHING = "nothing"


class Fit(StrEnum):
    FITS = "fits"
    REFUSES = "refuses"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """An environment and the schema at its head; `doubt` says why that is not known."""

    name: str
    stage: str
    region: str
    head: str
    position: int
    schema_rev: str  # empty where it is not known, or where nothing is applied
    doubt: str = ""
    running: bool = False  # a run is open; until its receipts are there, the schema is taken for what they say


class Head(Protocol):
    """What is known of an environment's head; a column of the matrix is one."""

    @property
    def name(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def head(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def lag(self) -> int | None: ...
    @property
    def never_read(self) -> bool: ...
    @property
    def reachable(self) -> bool: ...
    @property
    def note(self) -> str: ...
    @property
    def has_holes(self) -> bool: ...
    @property
    def run_mark(self) -> str: ...


@dataclass(frozen=True)
class Cell:
    fit: Fit
    sentence: str


@dataclass(frozen=True)
class ReleaseRow:
    id: int
    release_id: str
    schema_rev: str
    schema_rev_min: str
    schema_rev_max: str
    created_at: datetime
    created_by: str
    doubt: str  # why its window means nothing in the chain as it is now
    cells: tuple[Cell, ...]  # one for each place

    @property
    def window(self) -> str:
        if self.schema_rev_min == self.schema_rev_max:
            return f"{self.schema_rev_min} only"
        return f"{self.schema_rev_min} to {self.schema_rev_max}"


@dataclass(frozen=True)
class Contracts:
    """`older`: the number of the last release shown, where older ones follow. `later`: newer ones come before."""

    places: tuple[Place, ...]
    rows: tuple[ReleaseRow, ...]
    newest_schema_rev: str
    older: int | None
    later: bool = False

    @property
    def partial(self) -> bool:
        return self.later or self.older is not None


def read_contracts(service: Service, before: int | None = None, window: int = WINDOW) -> Contracts:
    """The newest releases first, in three queries; `before` is where to go on from."""
    releases = Release.objects.filter(service=service).order_by("-id").select_related("created_by")
    if before is not None:
        releases = releases.filter(id__lt=before)
    found = list(releases[: window + 1])
    shown = found[:window]
    chain = read_schema_chain(service)
    places = tuple(place_of(column, chain) for column in read_columns(service).columns)
    return Contracts(
        places=places,
        rows=tuple(row_of(release, chain, places) for release in shown),
        newest_schema_rev=chain.names[-1] if chain.names else "",
        older=shown[-1].pk if len(found) > window else None,
        later=before is not None,
    )


def place_of(column: Head, chain: SchemaChain) -> Place:
    span = chain.at(column.position)
    doubt = _doubt(column)
    if not doubt and column.head and span is None:
        doubt = "no revision at or below its head declares a schema_rev"
    return Place(
        name=column.name,
        stage=column.stage,
        region=column.region,
        head=column.head,
        position=column.position,
        schema_rev=span.name if span and not doubt else "",
        doubt=doubt,
        running=bool(column.run_mark),
    )


def _doubt(column: Head) -> str:
    if column.never_read:
        return "its target was never read"
    if not column.reachable:
        return "its target cannot be reached"
    if column.note:
        return "its receipts and the ledger disagree"
    if column.lag is None:
        return "its head is no revision of the chain"
    if column.has_holes:
        return "revisions below its head are missing, or some above it are applied"
    return ""


def fits(
    schema_rev_min: str, schema_rev_max: str, chain: SchemaChain, places: Sequence[Place]
) -> tuple[str, tuple[Cell, ...]]:
    """Why a window means nothing in the chain as it is now, or an empty text; and a cell for each place."""
    low, high = chain.of(schema_rev_min), chain.of(schema_rev_max)
    doubt = _window_doubt(schema_rev_min, low) or _window_doubt(schema_rev_max, high)
    if not doubt and low[0].first > high[0].first:
        doubt = "the chain has the ends of its window in the other order now"
    return doubt, _cells(_unknown(doubt) if doubt else None, low, high, places)


def row_of(release: Release, chain: SchemaChain, places: Sequence[Place]) -> ReleaseRow:
    doubt, cells = fits(release.schema_rev_min, release.schema_rev_max, chain, places)
    return ReleaseRow(
        id=release.pk,
        release_id=release.release_id,
        schema_rev=release.schema_rev,
        schema_rev_min=release.schema_rev_min,
        schema_rev_max=release.schema_rev_max,
        created_at=release.created_at,
        created_by=release.created_by.get_username(),
        doubt=doubt,
        cells=cells,
    )


def _cells(
    doubtful: Cell | None, low: Sequence[Span], high: Sequence[Span], places: Sequence[Place]
) -> tuple[Cell, ...]:
    """Environments at the same place stand alike, and most of them do: their cell is made once."""
    if doubtful is not None:
        return (doubtful,) * len(places)
    made: dict[tuple[int, str, str], Cell] = {}
    for place in places:
        key = (place.position, place.schema_rev, place.doubt)
        if key not in made:
            made[key] = _cell(low[0], high[0], place)
    return tuple(made[place.position, place.schema_rev, place.doubt] for place in places)


def _window_doubt(name: str, found: Sequence[Span]) -> str:
    """The chain may have changed since, for a revision that is applied nowhere can be replaced."""
    if not found:
        return f"no revision declares {name} any more"
    return "" if len(found) == 1 else f"{name} stands at {len(found)} separate places of the chain"


def _unknown(doubt: str) -> Cell:
    return Cell(Fit.UNKNOWN, f"Unknown: {doubt}.")


def _cell(low: Span, high: Span, place: Place) -> Cell:
    if place.doubt:
        return _unknown(place.doubt)
    stands = f"stands at {place.schema_rev or NOTHING}"
    if place.position < low.first:
        behind = _revisions(low.first - place.position)
        return Cell(Fit.REFUSES, f"Needs {low.name}, {stands}: {behind} behind its window.")
    if place.position > high.last:
        past = _revisions(place.position - high.last)
        return Cell(Fit.REFUSES, f"Takes {high.name} at most, {stands}: {past} past its window.")
    return Cell(Fit.FITS, f"Fits: {stands}.")


def _revisions(count: int) -> str:
    return "one revision" if count == 1 else f"{count:,} revisions"
