"""How full the pool of a web process is, in the words that health uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

# What the list of processes says of each.
PROCESS_FIELDS = ("worker_pid", "saturation", "checked_out", "max_capacity", "requests_waiting", "sampled_at")


@dataclass(frozen=True)
class PoolState:
    size: int
    checked_out: int  # with those that are just being opened
    overflow: int
    checked_in: int
    max_capacity: int
    saturation: float
    requests_waiting: int
    worker_pid: int
    sampled_at: datetime

    @classmethod
    def of(cls, stats: Mapping[str, int], pool_min: int, pool_max: int, worker_pid: int, at: datetime) -> PoolState:
        """From what the pool's `get_stats()` says, where what has not happened yet is absent."""
        if at.tzinfo is None:
            raise ValueError("the moment of a sample needs its time zone")
        size, available, waiting = (stats.get(name, 0) for name in ("pool_size", "pool_available", "requests_waiting"))
        out = size - available
        return cls(
            size=size,
            checked_out=out,
            overflow=max(0, size - pool_min),
            checked_in=available,
            max_capacity=pool_max,
            saturation=1.0 if waiting > 0 else round(min(max(out / max(pool_max, 1), 0.0), 1.0), 4),
            requests_waiting=waiting,
            worker_pid=worker_pid,
            sampled_at=at,
        )

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "sampled_at": self.sampled_at.isoformat()}

    def as_process(self) -> dict[str, object]:
        """One line of the list of processes."""
        told = self.as_json()
        return {name: told[name] for name in PROCESS_FIELDS}


def worst(states: Iterable[PoolState]) -> PoolState | None:
    """The most saturated one; of several, the one where most wait, then the newest."""
    return max(states, key=lambda one: (one.saturation, one.requests_waiting, one.sampled_at), default=None)
