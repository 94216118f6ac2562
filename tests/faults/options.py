"""What a fault run may be told on its command line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# What an installation has when nothing is set; --fast shortens it and says so.
LEASE_S, STALE_S = 15.0, 90.0
FAST: Mapping[str, str] = MappingProxyType(
    {
        "LOCKSTEP_LEASE_SECONDS": "3",
        "LOCKSTEP_BEAT_SECONDS": "0.6",
        "LOCKSTEP_STALE_SECONDS": "8",
        "LOCKSTEP_RECONCILE_SECONDS": "0.5",
    }
)


@dataclass(frozen=True)
class Options:
    """`minutes` is a limit on starting faults; what runs then is still brought to its end and checked."""

    faults: int
    revisions: int
    seed: int
    minutes: float
    workers: int
    targets: int
    fast: bool
    keep: bool
    only: str

    @property
    def settings(self) -> Mapping[str, str]:
        return FAST if self.fast else {}

    @property
    def lease_s(self) -> float:
        return float(self.settings.get("LOCKSTEP_LEASE_SECONDS", LEASE_S))

    @property
    def stale_s(self) -> float:
        return float(self.settings.get("LOCKSTEP_STALE_SECONDS", STALE_S))

    @property
    def timing(self) -> str:
        if not self.fast:
            return f"lease {LEASE_S:g} s, stale after {STALE_S:g} s (the defaults)"
        return f"SHORTENED by --fast: lease {self.lease_s:g} s, stale after {self.stale_s:g} s"


def read_options(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=500, metavar="N")
    parser.add_argument("--revisions", type=int, default=1000, metavar="N", help="counted over all targets")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--minutes", type=float, default=20.0, metavar="LIMIT")
    parser.add_argument("--workers", type=int, default=8, metavar="N")
    parser.add_argument("--targets", type=int, default=12, metavar="N")
    parser.add_argument("--fast", action="store_true", help="short leases; takeovers are then no measure")
    parser.add_argument("--keep", action="store_true", help="leave the folder with logs and traces behind")
    parser.add_argument("--only", default="", metavar="TEXT", help="only fault kinds whose name contains this")
    return Options(**vars(parser.parse_args(arguments)))
