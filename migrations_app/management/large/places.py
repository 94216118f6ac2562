"""The made-up environments: four stages in many regions, the later stages further behind."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass

STAGES = ("dev", "test", "staging", "prod")
REGIONS = (
    "eu-west", "eu-north", "eu-central", "eu-south", "us-east", "us-west", "us-central", "ca-east", "sa-east",
    "ap-south", "ap-east", "ap-north", "au-east", "me-south", "af-south",
)  # fmt: skip
# A variable that nobody sets: the scheduler and workers learn at once that there is nothing to connect to.
REFERENCE = "GENERATED_HISTORY_HAS_NO_TARGET"


@dataclass(frozen=True)
class Place:
    """`behind` counts releases that the environment has not got yet."""

    uid: uuid.UUID
    name: str
    stage: str
    region: str
    order: int
    behind: int
    reachable: bool = True
    note: str = ""


def places(service: str, count: int, *, most_behind: int, seed: int, unreachable: int, drifted: int) -> list[Place]:
    dice = random.Random(f"{seed}/{service}")  # noqa: S311  the same fleet for the same seed
    troubled = dice.sample(range(count), min(unreachable + drifted, count))
    return [
        Place(
            uid=uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/{service}/{number}"),
            name=_name(number, count),
            stage=_stage(number, count),
            region=REGIONS[_within(number, count) % len(REGIONS)],
            order=10 * (number + 1),
            behind=_behind(number, count, most_behind, dice),
            reachable=number not in troubled[:unreachable],
            note=_DIFFERENCE if number in troubled[unreachable:] else "",
        )
        for number in range(count)
    ]


_DIFFERENCE = "2 ledger rows from receipt 7 on have no receipt in the target; it may have been restored."


def _stage(number: int, count: int) -> str:
    return STAGES[number * len(STAGES) // count]


def _within(number: int, count: int) -> int:
    """The place among those of the same stage."""
    first = next(one for one in range(count) if _stage(one, count) == _stage(number, count))
    return number - first


def _name(number: int, count: int) -> str:
    within = _within(number, count)
    again = f"-{within // len(REGIONS) + 1}" if within >= len(REGIONS) else ""
    return f"{_stage(number, count)}-{REGIONS[within % len(REGIONS)]}{again}"


def _behind(number: int, count: int, most: int, dice: random.Random) -> int:
    """The first is the newest and the last the oldest; between them later stages are further behind."""
    if number in (0, count - 1):
        return 0 if number == 0 else most
    return round(most * min((number + dice.random() * count / len(STAGES)) / count, 1.0))
