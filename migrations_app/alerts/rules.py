"""The rules themselves: tables over what was observed, without a clock or a database of their own.

A sample is one look at the health of something. One that is missed got no answer: it says nothing, so it neither counts
nor resets; after more than three in a row nothing can be told at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from statistics import median
from typing import TypeVar

from migrations_app.wording import counted, duration

T = TypeVar("T")
MOST_MISSED = 3
BUCKET = timedelta(minutes=5)


class Standing(StrEnum):
    """How a rule stands at one moment."""

    NORMAL = "normal"  # what was observed is on the right side
    PENDING = "pending"  # on the wrong side, but not for long or often enough
    FIRING = "firing"  # for long or often enough
    NO_DATA = "no_data"  # nothing was observed lately, so nothing can be told


@dataclass(frozen=True)
class Sample:
    """`reason` is a degraded_reason, empty where healthy; `saturation` 0 to 1, None where it was not told."""

    at: datetime
    reason: str = ""
    saturation: float | None = None
    missed: bool = False


@dataclass(frozen=True)
class Reading:
    """One rule at one moment. `value` and `limit` share a unit; `sentence` has the arithmetic in words.

    `since` is when what counts began, None where nothing does.
    """

    standing: Standing
    value: float | None
    limit: float
    sentence: str
    since: datetime | None = None


@dataclass(frozen=True)
class Streak:
    """What counted by `at`, the sample that was judged last: it goes on while no answer since then ended it."""

    at: datetime
    since: datetime
    count: int


def degraded_for(samples: Sequence[Sample], limit_s: float, streak: Streak | None = None) -> Reading:
    """From the first to the newest degraded sample of one stretch, in seconds. Oldest sample first.

    A changed reason goes on, an answer without one ends the stretch, and what was not observed lasts no time at all.
    """
    if (silent := _silent(samples, limit_s)) is not None:
        return silent
    answered = [one for one in samples if not one.missed]
    stretch = _newest(answered, lambda one: bool(one.reason))
    if not stretch:
        return Reading(Standing.NORMAL, 0, limit_s, "Healthy at the newest look.")
    began, newest = stretch[0].at, stretch[-1]
    if streak is not None and len(stretch) == len(answered):
        began = min(began, streak.since)
    lasted = (newest.at - began).total_seconds()
    standing = Standing.FIRING if lasted >= limit_s else Standing.PENDING
    told = f"{newest.reason} for {duration(lasted * 1000)} of {duration(limit_s * 1000)}."
    return Reading(standing, lasted, limit_s, told, began)


def saturated_in_a_row(samples: Sequence[Sample], limit: float, times: int, streak: Streak | None = None) -> Reading:
    """How many of the newest answers in a row are at or above the limit. A null is a missed one."""
    samples = [replace(one, missed=one.missed or one.saturation is None) for one in samples]
    if (silent := _silent(samples, times)) is not None:
        return silent
    told = [(one.at, one.saturation or 0.0) for one in samples if not one.missed]
    row = [at for at, _ in _newest(told, lambda one: one[1] >= limit)]
    count, began = len(row), row[0] if row else None
    if streak is not None and row and len(row) == len(told):
        count, began = max(count, streak.count + sum(at > streak.at for at in row)), min(row[0], streak.since)
    sentence = f"Saturation {told[-1][1]:.4g} against {limit:.2f}: {count} of {times} probes in a row."
    if not row:
        return Reading(Standing.NORMAL, 0, times, sentence)
    return Reading(Standing.FIRING if count >= times else Standing.PENDING, count, times, sentence, began)


def restarts_within(executed: Iterable[datetime], now: datetime, window_s: float, times: int) -> Reading:
    """Executed restarts younger than the window: one that is exactly as old is out."""
    begin = now - timedelta(seconds=window_s)
    within = sorted(at for at in executed if begin < at <= now)
    told = f"{counted(len(within), 'restart')} of {times} in {duration(window_s * 1000)}."
    sentence = told[0].upper() + told[1:]
    if not within:
        return Reading(Standing.NORMAL, 0, times, sentence)
    standing = Standing.FIRING if len(within) >= times else Standing.PENDING
    return Reading(standing, len(within), times, sentence, within[0])


@dataclass(frozen=True)
class Baseline:
    """Of the completed buckets of the day before, those without an event among them."""

    median: float
    deviation: float  # the median of how far each bucket is from it
    buckets: int


def baseline(counts: Sequence[int]) -> Baseline:
    if not counts:
        return Baseline(0.0, 0.0, 0)
    middle = float(median(counts))
    return Baseline(middle, float(median(abs(one - middle) for one in counts)), len(counts))


def retry_pressure(
    events: Iterable[datetime], now: datetime, *, counts: Sequence[int], factor: float, least: int
) -> Reading:
    """Events of the last five minutes: at least `factor` times the median of `counts`, and at least `least`."""
    found = sum(1 for at in events if now - BUCKET < at <= now)
    usual = baseline(counts)
    limit = max(factor * usual.median, float(least))
    spread = f"the median {usual.median:g} ± {usual.deviation:g} of {counted(usual.buckets, 'bucket')}"
    told = counted(found, "retry", "retries").capitalize()
    sentence = f"{told} in 5 min against {limit:g}: {factor:g} × {spread}, and at least {least}."
    standing = Standing.FIRING if found >= limit else Standing.NORMAL
    return Reading(standing, found, limit, sentence)


def over_limit(value: float | None, limit: float, what: str) -> Reading:
    """A single figure that must not pass its limit; to be at the limit is to have passed it."""
    if value is None:
        return Reading(Standing.NO_DATA, None, limit, f"{what} was not measured.")
    standing = Standing.FIRING if value >= limit else Standing.NORMAL
    return Reading(standing, value, limit, f"{what}: {value:g} against {limit:g}.")


def _silent(samples: Sequence[Sample], limit: float) -> Reading | None:
    """The reading where nothing can be told."""
    missed = len(_newest(samples, lambda one: one.missed))
    if samples and missed < len(samples) and missed <= MOST_MISSED:
        return None
    told = f"{counted(missed, 'look')} in a row got no answer." if missed else "Nothing was observed yet."
    return Reading(Standing.NO_DATA, None, limit, told[0].upper() + told[1:])


def _newest(row: Sequence[T], holds: Callable[[T], bool]) -> Sequence[T]:
    """Those at its end for which it holds, without a gap."""
    count = sum(1 for _ in takewhile(holds, reversed(row)))
    return row[len(row) - count :]
