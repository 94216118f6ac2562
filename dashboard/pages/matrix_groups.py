"""Columns in groups: a stage, and within it a region that holds several environments. A folded group is one column."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from migrations_app.fleet.matrix_columns import Column

Key = Callable[[Column], str]


@dataclass(frozen=True)
class Slot:
    """One drawn column: an environment, or a folded group of them. `start` and `stop` count the environments."""

    start: int
    stop: int
    stage: str
    region: str  # the region group it belongs to, empty when regions are not grouped
    column: Column | None
    folded: str = ""  # the folded group's key

    @property
    def size(self) -> int:
        return self.stop - self.start


def moved(slot: Slot, by: int) -> Slot:
    """Counted from the first environment of a window."""
    return replace(slot, start=slot.start - by, stop=slot.stop - by)


def region_key(stage: str, region: str) -> str:
    return f"{stage}/{region}"


def group_keys(columns: Sequence[Column]) -> set[str]:
    """Every stage and every region, also one of a single environment: a group that shrank to it is still meant."""
    return {key for column in columns for key in (column.stage, region_key(column.stage, column.region))}


def slots_of(columns: Sequence[Column], folded: Collection[str]) -> list[Slot]:
    slots: list[Slot] = []
    place = 0
    for stage, here in _grouped(columns, lambda column: column.stage):
        if stage in folded:
            slots.append(Slot(place, place + len(here), stage, "", None, stage))
        else:
            slots.extend(_within(stage, here, place, folded))
        place += len(here)
    return slots


def _within(stage: str, columns: Sequence[Column], place: int, folded: Collection[str]) -> list[Slot]:
    regions = _grouped(columns, lambda column: column.region)
    by_region = len(regions) > 1 and any(len(here) > 1 for _, here in regions)
    slots: list[Slot] = []
    for region, here in regions:
        key = region_key(stage, region)
        group = region if by_region else ""
        if by_region and len(here) > 1 and key in folded:
            slots.append(Slot(place, place + len(here), stage, group, None, key))
        else:
            slots.extend(Slot(place + n, place + n + 1, stage, group, column) for n, column in enumerate(here))
        place += len(here)
    return slots


def _grouped(columns: Sequence[Column], key: Key) -> list[tuple[str, list[Column]]]:
    return [(name, list(here)) for name, here in groupby(columns, key=key)]
