"""What can be changed about a stored environment without touching its target."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from migrations_app.engine.errors import Refused
from migrations_app.fleet.place import Place
from migrations_app.models import Environment

LONGEST_LOCK_WINDOW = 86_400


class Unchanged(Enum):
    """For a field whose None means something."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True)
class Edit:
    """None leaves a field as it is; a lock window of None is the installation's default."""

    stage: str | None = None
    region: str | None = None
    order: int | None = None
    health_url: str | None = None
    lock_window_seconds: int | Unchanged | None = UNCHANGED

    def of(self, stored: Environment) -> dict[str, str | int | None]:
        """The fields as they will be; raises for the first one that is of no use."""
        place = Place(
            stage=stored.stage if self.stage is None else self.stage,
            region=stored.region if self.region is None else self.region,
            order=stored.order if self.order is None else self.order,
            health_url=stored.health_url if self.health_url is None else self.health_url,
        )
        place.check()
        window = self.lock_window_seconds
        if isinstance(window, Unchanged):
            return {**vars(place), "lock_window_seconds": stored.lock_window_seconds}
        check_lock_window(window)
        return {**vars(place), "lock_window_seconds": window}


def editable(stored: Environment) -> dict[str, str | int | None]:
    """The same fields as they are."""
    place = Place(stored.stage, stored.region, stored.order, stored.health_url)
    return {**vars(place), "lock_window_seconds": stored.lock_window_seconds}


def check_lock_window(seconds: int | None) -> None:
    if seconds is None or 1 <= seconds <= LONGEST_LOCK_WINDOW:
        return
    raise Refused(
        "bad_lock_window",
        f"A lock window of {seconds} seconds is out of range.",
        not_done="Nothing was stored.",
        next_step=f"Use 1 to {LONGEST_LOCK_WINDOW} seconds, or none for the installation's default.",
    )
