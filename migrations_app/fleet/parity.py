"""One service's schemas side by side: environments grouped by what they have, and the objects in which they differ.

Only what one major version of PostgreSQL printed is compared; a target that nobody could read lately is in no group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef

from migrations_app.engine.target.compare import Difference, compare
from migrations_app.engine.target.fingerprint import BESIDE_THE_SHAPE, CatalogueObject
from migrations_app.fleet.contents import Entry, definitions, entries, measured
from migrations_app.fleet.schema_words import STALE_AFTER
from migrations_app.models import Environment, Run, SchemaContent, SchemaReading, SchemaState, Service
from migrations_app.statuses import OPEN

MOST_GROUPS = 12  # kinds of schema that are compared object by object; more than that is no parity


class Depth(StrEnum):
    """How much has to be alike."""

    SHAPE = ""
    PRIVILEGES = "privileges"
    EXACT = "exact"


@dataclass(frozen=True)
class Place:
    """Where an environment stands in this; `doubt` says why what is known of it does not count."""

    name: str
    stage: str
    head: str
    read_at: datetime | None
    doubt: str = ""
    running: bool = False


@dataclass(frozen=True)
class Group:
    """Environments with the same schema; `hash` names it within the major version."""

    hash: str
    content: str  # the fingerprint of one of them
    places: tuple[Place, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(place.name for place in self.places)

    @property
    def heads(self) -> tuple[str, ...]:
        """The revisions they stand at: the same schema may be reached by more than one."""
        return tuple(sorted({place.head for place in self.places if place.head}))


@dataclass(frozen=True)
class Major:
    number: int
    groups: tuple[Group, ...]  # the largest first

    @property
    def count(self) -> int:
        return sum(len(group.places) for group in self.groups)


@dataclass(frozen=True)
class Variant:
    """One way an object stands, and where; `sha256` is empty where it is missing."""

    sha256: str
    position: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Differing:
    """An object that is not alike everywhere; the commonest variant first."""

    kind: str
    name: str
    variants: tuple[Variant, ...]
    parted: str | None  # a head at which some have one variant and some another: no receipt accounts for that


@dataclass(frozen=True)
class Compared:
    """What differs between a major version's groups, and how many objects are alike in all of them."""

    objects: tuple[Differing, ...] = ()
    same: int = 0

    @property
    def parted(self) -> int:
        return sum(one.parted is not None for one in self.objects)


@dataclass(frozen=True)
class Parity:
    depth: Depth
    majors: tuple[Major, ...]  # the one with the most environments first
    unknown: tuple[Place, ...]

    @property
    def known(self) -> int:
        return sum(major.count for major in self.majors)

    @property
    def version(self) -> str:
        """Changes with every group and the heads in it; what was computed under it stays true."""
        told = [
            (major.number, group.content, [(place.name, place.head) for place in group.places])
            for major in self.majors
            for group in major.groups
        ]
        return f"{self.depth} {told}"

    def major(self, number: int | None) -> Major | None:
        if number is None:
            return self.majors[0] if self.majors else None
        return next((major for major in self.majors if major.number == number), None)


def read_parity(service: Service, depth: Depth, now: datetime) -> Parity:
    """One query, whatever the number of objects."""
    running = Run.objects.filter(environment=OuterRef("environment"), status__in=OPEN)
    rows = SchemaState.objects.filter(environment__service=service).annotate(running=Exists(running))
    states = {
        state.environment_id: state
        for state in rows.select_related("reading__content").defer("reading__content__objects_read")
    }
    groups: dict[tuple[int, str], list[tuple[Place, SchemaReading]]] = {}
    unknown: list[Place] = []
    for environment in Environment.objects.filter(service=service).order_by("order", "name"):
        state = states.get(environment.pk)
        place = _place(environment, state, now)
        reading = state.reading if state else None
        if reading is None or place.doubt:
            unknown.append(place)
        else:
            groups.setdefault((reading.server_version_num // 10_000, _hash(reading.content, depth)), []).append(
                (place, reading)
            )
    return Parity(depth, _majors(groups), tuple(unknown))


def compare_groups(major: Major, depth: Depth) -> Compared:
    """Every object that is not alike in all groups, by kind and name. Their contents are loaded whole.

    Those that part environments at one revision come first: the others go with the revisions in between.
    """
    groups = major.groups[:MOST_GROUPS]
    loaded = SchemaContent.objects.in_bulk([group.content for group in groups])
    sides = [_by_key(entries(loaded[group.content]), depth) for group in groups]
    keys = sorted({key for side in sides for key in side})
    found = (_differing(key, groups, [side.get(key) for side in sides], depth) for key in keys)
    objects = sorted((one for one in found if len(one.variants) > 1), key=lambda one: one.parted is None)
    return Compared(tuple(objects), len(keys) - len(objects))


def against_first(one: Differing) -> tuple[tuple[Variant, Difference], ...]:
    """Each other variant beside the commonest."""
    texts = definitions(variant.sha256 for variant in one.variants if variant.sha256)
    first, *others = ([_object(one, variant, texts)] if variant.sha256 else [] for variant in one.variants)
    pairs = zip(one.variants[1:], others, strict=True)
    return tuple((variant, difference) for variant, side in pairs for difference in compare(first, side))


def _place(environment: Environment, state: SchemaState | None, now: datetime) -> Place:
    read_at = state.read_at if state else None
    return Place(
        name=environment.name,
        stage=environment.stage,
        head=environment.head_revision,
        read_at=read_at,
        doubt=_doubt(state, now),
        running=bool(state and getattr(state, "running", False)),
    )


def _doubt(state: SchemaState | None, now: datetime) -> str:
    if state is None or state.read_at is None or state.reading is None:
        return state.failure if state and state.failure else "never read"
    if state.failure:
        return state.failure
    if state.read_at < now - STALE_AFTER:
        return "read too long ago"
    return "" if measured(state.reading.content_id) else "read by other rules; it is read anew"


def _hash(content: SchemaContent, depth: Depth) -> str:
    if depth == Depth.EXACT:
        return content.fingerprint.rpartition(":")[2]
    return content.shape if depth == Depth.SHAPE else content.logical


def _majors(found: Mapping[tuple[int, str], Sequence[tuple[Place, SchemaReading]]]) -> tuple[Major, ...]:
    by_major: dict[int, list[Group]] = {}
    for (number, digest), rows in found.items():
        group = Group(digest, rows[0][1].content_id, tuple(place for place, _ in rows))
        by_major.setdefault(number, []).append(group)
    majors = (
        Major(number, tuple(sorted(groups, key=lambda group: -len(group.places))))
        for number, groups in by_major.items()
    )
    return tuple(sorted(majors, key=lambda major: (-major.count, -major.number)))


def _by_key(found: Iterable[Entry], depth: Depth) -> dict[tuple[str, str], Entry]:
    return {one.key: one for one in found if depth != Depth.SHAPE or one.kind not in BESIDE_THE_SHAPE}


def _differing(key: tuple[str, str], groups: Sequence[Group], found: Sequence[Entry | None], depth: Depth) -> Differing:
    names: dict[tuple[str, int], list[str]] = {}
    for group, entry in zip(groups, found, strict=True):
        position = entry.position if entry and depth == Depth.EXACT else 0
        names.setdefault((entry.sha256 if entry else "", position), []).extend(group.names)
    common = Counter({variant: len(where) for variant, where in names.items()}).most_common()
    variants = tuple(Variant(digest, position, tuple(names[digest, position])) for (digest, position), _ in common)
    heads = {place.name: place.head for group in groups for place in group.places}
    return Differing(*key, variants, _parted(variants, heads))


def _parted(variants: Sequence[Variant], heads: Mapping[str, str]) -> str | None:
    seen: dict[str, Variant] = {}
    for variant in variants:
        for name in variant.names:
            if seen.setdefault(heads[name], variant) is not variant:
                return heads[name]
    return None


def _object(one: Differing, variant: Variant, texts: Mapping[str, str]) -> CatalogueObject:
    return CatalogueObject(one.kind, one.name, texts[variant.sha256], variant.position)
