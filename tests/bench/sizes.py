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
    # The large fleet that pages are measured on.
    large_environments: int = 60
    large_revisions: int = 5_000
    large_runs: int = 100_000
    large_lines: int = 10_000_000
    load_share: float = 1.0  # of each page's target rate
    load_seconds: float = 10.0
    load_rounds: int = 5
    page_rounds: int = 20
    browser_rounds: int = 8  # visits of each page
    forecast_rows: int = 20_000  # on the copy; ten times as many where it is run
    forecast_rounds: int = 3
    schema_tables: int = 2_000  # whose fingerprint is taken


FULL = Sizes("full", 1000, 9, 50, 20, 10_000, 15, 500)
QUICK = Sizes("quick", 200, 3, 10, 20, 2000, 5, 100, 60, 1_000, 10_000, 500_000, 1.0, 10.0, 1, 15, 3, 20_000, 1, 500)
TINY = Sizes("tiny", 10, 1, 2, 2, 50, 2, 5, 6, 60, 400, 5_000, 0.1, 1.0, 1, 2, 1, 200, 1, 20)
