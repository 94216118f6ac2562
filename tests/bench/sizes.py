"""How much is measured: a full report, a quick look, or just enough to see that everything runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    name: str
    revisions: int  # on one target, for the comparison with the peers
    rounds: int
    databases: int  # of the fleet
    fleet_revisions: int  # on each of them
    receipts: int  # that stand when nothing is left to do
    repeats: int  # of an apply with nothing to do
    uploads: int  # revisions put one by one


FULL = Sizes("full", 1000, 5, 50, 20, 10_000, 15, 500)
QUICK = Sizes("quick", 200, 3, 10, 20, 2000, 5, 100)
TINY = Sizes("tiny", 10, 1, 2, 2, 50, 2, 5)
