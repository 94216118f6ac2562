"""Going back to a release: how far the schema of each environment has to be rolled back for the release to start."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.engine.errors import Refused
from migrations_app.fleet.matrix_columns import read_columns
from migrations_app.models import Environment, Release, Revision, Service
from migrations_app.releases.contracts import Cell, Fit, Place, place_of, row_of
from migrations_app.releases.schema_chain import SchemaChain, read_schema_chain

MOST_BROUGHT = 100


@dataclass(frozen=True)
class Schemas:
    """What releases of a service are held against."""

    chain: SchemaChain
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Back:
    """`to` is the newest revision that the release's window allows; empty where nothing has to be rolled back."""

    place: Place
    cell: Cell
    to: str = ""
    revisions: int = 0  # to be rolled back


def previous_release(release: Release) -> Release | None:
    """The one that was registered before it for the same service."""
    earlier = Release.objects.filter(service_id=release.service_id, pk__lt=release.pk).order_by("-pk")
    return earlier.select_related("service", "created_by").first()


def schemas_of(service: Service) -> Schemas:
    """Two queries."""
    chain = read_schema_chain(service)
    return Schemas(chain, tuple(place_of(column, chain) for column in read_columns(service).columns))


def going_back(release: Release, schemas: Schemas) -> tuple[Back, ...]:
    """The last stage first: rollouts go from the first to the last, and this is their way back. One query."""
    row = row_of(release, schemas.chain, schemas.places)
    top = highest_place(release, schemas)
    to = _revision_at(release, top) if top is not None else ""
    backs = [_back(place, cell, top, to) for place, cell in zip(schemas.places, row.cells, strict=True)]
    return tuple(reversed(backs))


def brought_by(release: Release, earlier: Release | None, schemas: Schemas) -> tuple[tuple[str, str], ...]:
    """Revisions, each with its schema_rev, that this release takes and the one before it does not; one query."""
    top, below = highest_place(release, schemas), highest_place(earlier, schemas) if earlier else 0
    if top is None or below is None:
        return ()
    chain = Revision.objects.filter(service_id=release.service_id, position__gt=below, position__lte=top)
    return tuple(chain.order_by("position").values_list("revision_id", "schema_rev")[:MOST_BROUGHT])


def highest_place(release: Release, schemas: Schemas) -> int | None:
    """The last place of the chain that its window holds; None where the window means nothing."""
    row = row_of(release, schemas.chain, ())
    return None if row.doubt else schemas.chain.of(release.schema_rev_max)[0].last


def way_to(release: Release, environment: Environment) -> str:
    """The revision to roll back to. Raises Refused("nothing_to_roll_back"), Refused("release_unknown")."""
    backs = going_back(release, schemas_of(release.service))
    found = next(back for back in backs if back.place.name == environment.name)
    if found.to:
        return found.to
    if found.cell.fit == Fit.UNKNOWN:
        raise Refused(
            "release_unknown",
            f"How far {environment.name} would have to go back for {release.release_id} cannot be told. "
            f"{found.cell.sentence}",
            not_done="Nothing was rolled back.",
            next_step="Give the revision itself, with --to.",
        )
    raise Refused(
        "nothing_to_roll_back",
        f"{environment.name} does not have to go back for {release.release_id}. {found.cell.sentence}",
        not_done="Nothing was rolled back.",
        next_step="Deploy the release."
        if found.cell.fit == Fit.FITS
        else "Apply what it needs, or take an older release.",
    )


def _revision_at(release: Release, place: int) -> str:
    chain = Revision.objects.filter(service_id=release.service_id, position=place)
    return chain.values_list("revision_id", flat=True).first() or ""


def _back(place: Place, cell: Cell, top: int | None, to: str) -> Back:
    if place.doubt or top is None or place.position <= top:
        return Back(place, cell)
    return Back(place, cell, to, place.position - top)
