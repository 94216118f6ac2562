"""What can be changed about a stored environment without touching its target."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from migrations_app.engine.errors import Refused
from migrations_app.fleet.place import Place
from migrations_app.models import Environment
from migrations_app.statuses import RehearsalPolicy

LONGEST_LOCK_WINDOW = 86_400
LONGEST_LOCK_BUDGET = 3600
MOST_REHEARSAL_DAYS = 365
LONGEST_SECRETS_REV = 200
_SECRETS_REV = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:@/-]*\Z")


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
    rehearsal_policy: str | None = None
    rehearsal_days: int | None = None
    lock_budget_seconds: int | None = None
    secrets_rev: str | None = None
    secrets_rev_next: str | None = None

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
            window = stored.lock_window_seconds
        else:
            check_lock_window(window)
        budget = stored.lock_budget_seconds if self.lock_budget_seconds is None else self.lock_budget_seconds
        _check_lock_budget(budget)
        rest = {"lock_window_seconds": window, "lock_budget_seconds": budget}
        return {**vars(place), **rest, **self._rehearsals(stored), **self._secrets(stored)}

    def _secrets(self, stored: Environment) -> dict[str, str]:
        now = stored.secrets_rev if self.secrets_rev is None else self.secrets_rev
        later = stored.secrets_rev_next if self.secrets_rev_next is None else self.secrets_rev_next
        _check_secrets_rev(now)
        _check_secrets_rev(later)
        if later and not now:
            raise _refused(
                "bad_secrets_rev",
                "The next set of secrets is named, and none that holds now.",
                "Name the set that holds now as well, or no next one.",
            )
        return {"secrets_rev": now, "secrets_rev_next": later}

    def _rehearsals(self, stored: Environment) -> dict[str, str | int]:
        policy = stored.rehearsal_policy if self.rehearsal_policy is None else self.rehearsal_policy
        days = stored.rehearsal_days if self.rehearsal_days is None else self.rehearsal_days
        if policy not in RehearsalPolicy.values:
            known = ", ".join(value or "empty (by stage)" for value in RehearsalPolicy.values)
            raise _refused("bad_rehearsal_policy", f"{policy!r} is no rehearsal policy.", f"Use one of: {known}.")
        if not 1 <= days <= MOST_REHEARSAL_DAYS:
            raise _refused(
                "bad_rehearsal_days",
                f"A rehearsal cannot count for {days} days.",
                f"Use 1 to {MOST_REHEARSAL_DAYS} days.",
            )
        return {"rehearsal_policy": str(policy), "rehearsal_days": days}


def editable(stored: Environment) -> dict[str, str | int | None]:
    """The same fields as they are."""
    place = Place(stored.stage, stored.region, stored.order, stored.health_url)
    return {
        **vars(place),
        "lock_window_seconds": stored.lock_window_seconds,
        "lock_budget_seconds": stored.lock_budget_seconds,
        "rehearsal_policy": stored.rehearsal_policy,
        "rehearsal_days": stored.rehearsal_days,
        "secrets_rev": stored.secrets_rev,
        "secrets_rev_next": stored.secrets_rev_next,
    }


def check_lock_window(seconds: int | None) -> None:
    if seconds is None or 1 <= seconds <= LONGEST_LOCK_WINDOW:
        return
    raise _refused(
        "bad_lock_window",
        f"A lock window of {seconds} seconds is out of range.",
        f"Use 1 to {LONGEST_LOCK_WINDOW} seconds, or none for the installation's default.",
    )


def _check_lock_budget(seconds: int) -> None:
    if not 0 <= seconds <= LONGEST_LOCK_BUDGET:
        raise _refused(
            "bad_lock_budget",
            f"A lock budget of {seconds} seconds is out of range.",
            f"Use 1 to {LONGEST_LOCK_BUDGET} seconds, or 0 to let any lock pass.",
        )


def _check_secrets_rev(name: str) -> None:
    if name and not (len(name) <= LONGEST_SECRETS_REV and _SECRETS_REV.match(name)):
        raise _refused(
            "bad_secrets_rev",
            "That cannot be the name of a set of secrets.",
            f"Use at most {LONGEST_SECRETS_REV} letters, digits and . _ + : @ / -; never a secret itself.",
        )


def _refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="Nothing was stored.", next_step=next_step)
