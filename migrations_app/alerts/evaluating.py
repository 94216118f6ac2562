"""Every rule at every place as it stands now, from the samples that are kept; and the same at a moment that was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from migrations_app.alerts.catalogue import RULES, Key, Rule
from migrations_app.alerts.rules import (
    MOST_MISSED,
    Reading,
    Sample,
    Standing,
    Streak,
    degraded_for,
    restarts_within,
    saturated_in_a_row,
)
from migrations_app.alerts.samples import SLOT, read
from migrations_app.alerts.thresholds import Threshold, Thresholds
from migrations_app.models.health_sample import ITSELF

# So many looks in a row tell that nothing can be told. What counted before these is in the streak.
_SPARE = (MOST_MISSED + 2) * SLOT


@dataclass(frozen=True)
class Restarts:
    """What the watchdog did, and whether its policy lets it do more."""

    executed: Sequence[datetime] = ()
    blocked: str = ""  # why, empty where it is not


@dataclass(frozen=True)
class Judged:
    rule: Rule
    place: int
    threshold: Threshold
    reading: Reading


def evaluate(
    places: Iterable[int],
    thresholds: Thresholds,
    restarts: Restarts,
    now: datetime,
    streaks: Mapping[tuple[str, int, str], Streak] | None = None,
) -> tuple[Judged, ...]:
    """Rules that are off are left out. `streaks`: what counted before, by rule, place and share_of(). One query."""
    wanted = [
        (rule, place, threshold)
        for place in places
        for rule in RULES.values()
        if (rule.everywhere or place == ITSELF) and (threshold := thresholds.of(rule, place)).on
    ]
    looks_back = max((_looks_back(rule, threshold) for rule, _, threshold in wanted), default=timedelta())
    samples = read({place for _, place, _ in wanted}, now - looks_back, now)
    before = streaks or {}
    found = []
    for rule, place, threshold in wanted:
        streak = before.get((rule.key, place, share_of(threshold.figures)))
        reading = reading_of(rule.key, threshold.figures, samples.get(place, ()), restarts, now, streak)
        found.append(Judged(rule, place, threshold, reading))
    return tuple(found)


def share_of(figures: Mapping[str, float]) -> str:
    """What says which answers count: under another one a streak begins anew. Empty where there is no choice."""
    return f"{figures['share']:g}" if "share" in figures else ""


def reading_of(
    key: Key,
    figures: Mapping[str, float],
    samples: Sequence[Sample],
    restarts: Restarts,
    now: datetime,
    streak: Streak | None = None,
) -> Reading:
    if key == Key.DEGRADED:
        return degraded_for(samples, figures["seconds"], streak)
    if key == Key.SATURATION:
        return saturated_in_a_row(samples, figures["share"], int(figures["times"]), streak)
    if key == Key.CHURN:
        return restarts_within(restarts.executed, now, figures["window_s"], int(figures["times"]))
    standing = Standing.FIRING if restarts.blocked else Standing.NORMAL
    told = restarts.blocked or "A restart is allowed, or only waits for its cooldown."
    return Reading(standing, float(bool(restarts.blocked)), 1, told)


def _looks_back(rule: Rule, threshold: Threshold) -> timedelta:
    """How old the oldest sample is that can matter where no streak is known."""
    if rule.key == Key.DEGRADED:
        return timedelta(seconds=threshold.figures["seconds"]) + _SPARE
    if rule.key == Key.SATURATION:
        return int(threshold.figures["times"]) * SLOT + _SPARE
    return timedelta()
