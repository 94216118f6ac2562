"""How long a measured plan will take, and hold its locks, on the real target: scaled by its rows and bytes.

Estimates are central ones: what the copy took, times how much larger each table is there. Whether a lock stays within
its budget is asked with a margin, since a target is busier than its copy.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from migrations_app.engine.clone.trace import StatementTrace
from migrations_app.engine.sql.locks import BLOCKS_WRITES, STRENGTH

MARGIN = 3.0
# What took less is over before anybody waits, and mostly measures the machine's mood: no forecast is judged by it.
TELLING_MS = 5.0
# On fewer rows what a statement costs for each row drowns in what it costs anyway.
_TELLING_ROWS = 1_000
_SMALL_ROWS = 10_000
# Parsing, planning and the catalogue take this much of any statement, whatever the size of the tables.
_FIXED_MS = 0.5
_SHORTEST_MS = 0.001
# These read the whole table without a counter that tells.
_WHOLE_TABLE = frozenset({"VACUUM", "CREATE INDEX", "REINDEX"})


@dataclass(frozen=True)
class TableSize:
    rows: int
    bytes: int


@dataclass(frozen=True)
class Forecast:
    """One lock of one statement, or a statement without any; `work_ms` is the statement's, whatever the lock."""

    revision_id: str
    step: int
    statement: int
    lock: str
    relation: str
    work_ms: float
    hold_ms: float  # until the step commits; 0 for a lock that keeps no writer out
    blocks_writers: bool
    over_budget: bool
    sentence: str


def forecast(
    traces: Sequence[StatementTrace],
    *,
    clone: Mapping[str, TableSize],
    target: Mapping[str, TableSize],
    budget_s: float,
) -> tuple[Forecast, ...]:
    """One for each lock that keeps writers out; for a statement that takes none, one for its strongest lock.

    A budget of 0 is none: no lock is over it.
    """
    scale = _Scale(clone, target)
    works = [_Work(one, scale.work_ms(one), scale.untold(one)) for one in traces]
    steps = groupby(works, key=lambda work: (work.trace.revision_id, work.trace.step))
    return tuple(found for _, step in steps for found in _step([*step], target, budget_s))


def error_factor(pairs: Sequence[tuple[float, float]]) -> float | None:
    """By which factor (forecast, measured) differ, in either direction: their median. None without any."""
    factors = [max(one / other, other / one) for one, other in map(_positive, pairs)]
    return statistics.median(factors) if factors else None


def _positive(pair: tuple[float, float]) -> tuple[float, float]:
    return max(pair[0], _SHORTEST_MS), max(pair[1], _SHORTEST_MS)


@dataclass(frozen=True)
class _Work:
    trace: StatementTrace
    ms: float
    untold: tuple[str, ...]


class _Scale:
    """How much larger the target's tables are. One that the plan itself fills is as much larger as its source."""

    def __init__(self, clone: Mapping[str, TableSize], target: Mapping[str, TableSize]) -> None:
        self._clone = clone
        self._target = target
        self._made: dict[str, float] = {}

    def work_ms(self, one: StatementTrace) -> float:
        ratio = self._ratio(one)
        for name, inserted, _, _ in one.rows:
            if inserted and name not in self._clone:
                self._made.setdefault(name, ratio)
        fixed = min(one.duration_ms, _FIXED_MS)
        return fixed + (one.duration_ms - fixed) * ratio

    def untold(self, one: StatementTrace) -> tuple[str, ...]:
        """Tables it reads or rewrites of which the copy holds too few rows to tell how long that takes.

        Of an empty one not even whether it would be read is seen, so that being locked is enough.
        """
        names = {*_touched(one), *(name for name, mode in one.locks if mode in BLOCKS_WRITES and self._is_bare(name))}
        return tuple(name for name in sorted(names) if self._is_untold(name))

    def _is_bare(self, name: str) -> bool:
        return name in self._clone and not self._clone[name].rows

    def _is_untold(self, name: str) -> bool:
        here, there = self._clone.get(name), self._target.get(name)
        if here is None or there is None:
            return False
        return here.rows < _TELLING_ROWS and there.rows > here.rows and there.rows >= _SMALL_ROWS

    def _ratio(self, one: StatementTrace) -> float:
        """The mean over what it touched, each table weighing as much as its rows did; 1 for what touched none."""
        weights = _touched(one)
        rewritten = set(one.rewritten)
        known = {name: ratio for name in weights if (ratio := self._of(name, by_bytes=name in rewritten)) is not None}
        if not known:
            return max((ratio for name in _unseen(one) if (ratio := self._of(name)) is not None), default=1.0)
        total = sum(weights[name] for name in known)
        return sum(weights[name] * ratio for name, ratio in known.items()) / total

    def _of(self, name: str, *, by_bytes: bool = False) -> float | None:
        if name in self._made:
            return self._made[name]
        here, there = self._clone.get(name), self._target.get(name)
        if here is None or there is None:
            return None
        if by_bytes and here.bytes and there.bytes:
            return there.bytes / here.bytes
        return there.rows / here.rows if here.rows else float(max(there.rows, 1))


def _touched(one: StatementTrace) -> dict[str, int]:
    """Tables whose rows it read, changed or copied, and how many."""
    found = dict.fromkeys(set(one.rewritten) - set(one.emptied), 1)
    for name, rows in one.scanned:
        found[name] = found.get(name, 0) + rows
    for name, *changed in one.rows:
        found[name] = found.get(name, 0) + sum(changed)
    return found


def _unseen(one: StatementTrace) -> tuple[str, ...]:
    """Where no counter tells, the tables it locks."""
    return tuple(name for name, _ in one.locks) if one.sampled and one.tag in _WHOLE_TABLE else ()


def _step(works: Sequence[_Work], target: Mapping[str, TableSize], budget_s: float) -> Iterator[Forecast]:
    """A lock is held from the statement that takes it to the end of its step."""
    for place, work in enumerate(works):
        until_commit = works[place:]
        blocking = [(name, mode) for name, mode in work.trace.locks if mode in BLOCKS_WRITES]
        for name, mode in blocking:
            yield _blocking(work, until_commit, name, mode, target.get(name), budget_s)
        if not blocking:
            yield _harmless(work, target)


def _blocking(
    work: _Work, until_commit: Sequence[_Work], name: str, mode: str, size: TableSize | None, budget_s: float
) -> Forecast:
    hold_ms = sum(one.ms for one in until_commit)
    untold = [table for one in until_commit for table in one.untold]
    grows = any(one.trace.touches_data for one in until_commit)
    # What touches no rows takes as long there as here; only what was measured itself can be too long.
    over = budget_s > 0 and (bool(untold) or hold_ms * (MARGIN if grows else 1) > budget_s * 1000)
    what = f"{mode} on {name}"
    if untold:
        sentence = (
            f"{what} while {_and(untold)} {'is' if len(set(untold)) == 1 else 'are'} read or rewritten: the copy holds "
            "too few rows of it to tell for how long."
            + (f" This counts as over the budget of {_seconds(budget_s)}." if over else "")
        )
    elif not grows and not over:
        sentence = f"{what} for a moment: no rows are read or rewritten under it."
    else:
        sentence = f"{what} for about {_told(hold_ms)}{_rows(size)}{_verdict(hold_ms, budget_s, over=over)}"
    return _of(work, mode, name, hold_ms, over=over, sentence=sentence)


def _verdict(hold_ms: float, budget_s: float, *, over: bool) -> str:
    if not budget_s:
        return "."
    if not over:
        return f": within the budget of {_seconds(budget_s)}."
    if hold_ms > budget_s * 1000:
        return f": over the budget of {_seconds(budget_s)}."
    return f", {_told(hold_ms * MARGIN)} with its margin: over the budget of {_seconds(budget_s)}."


def _harmless(work: _Work, target: Mapping[str, TableSize]) -> Forecast:
    took = f"about {_told(work.ms)} of work"
    if not work.trace.locks:
        return _of(work, "", "", 0.0, over=False, sentence=f"No lock on what existed before; {took}.")
    name, mode = max(work.trace.locks, key=lambda lock: STRENGTH[lock[1]])
    writers = "writers of other rows" if work.trace.rows else "writers"
    sentence = f"{mode} on {name}{_rows(target.get(name))}: readers and {writers} go on; {took}."
    return _of(work, mode, name, 0.0, over=False, sentence=sentence)


def _of(work: _Work, lock: str, relation: str, hold_ms: float, *, over: bool, sentence: str) -> Forecast:
    one = work.trace
    blocks = lock in BLOCKS_WRITES
    return Forecast(one.revision_id, one.step, one.statement, lock, relation, work.ms, hold_ms, blocks, over, sentence)


def _rows(size: TableSize | None) -> str:
    return f" ({size.rows:,} rows)" if size else ""


def _and(names: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(names))


def _told(ms: float) -> str:
    """In the unit that leaves few digits."""
    if ms < 10:
        return f"{max(ms, 0.1):.1f} ms"
    if ms < 950:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 60_000 else f"{ms / 60_000:.1f} min"


def _seconds(value: float) -> str:
    return f"{value:g} s"
