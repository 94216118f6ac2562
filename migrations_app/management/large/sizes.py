"""How large: the four numbers of the command, and what follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from migrations_app.engine.errors import Refused

FRONTIER = 40  # heads differ over at most so many of the newest revisions
MOST_ENVIRONMENTS = 400


@dataclass(frozen=True)
class Sizes:
    """Of the main service; a second one is a fraction of it, and shares the runs and the log lines."""

    environments: int = 60
    revisions: int = 5_000
    runs: int = 100_000
    lines: int = 10_000_000
    seed: int = 1
    drifted: int = 0  # environments whose last comparison found a difference

    @property
    def second_environments(self) -> int:
        return max(self.environments // 15, 1)

    @property
    def second_revisions(self) -> int:
        return max(self.revisions // 40, 3)

    @property
    def frontier(self) -> int:
        return max(min(FRONTIER, self.revisions // 4), 1)

    def releases(self, revisions: int) -> int:
        """Into how many releases a chain is cut: an environment takes each of them with one run.

        A twentieth of the runs is kept for those that failed, were cancelled or rolled something back.
        """
        everywhere = self.environments + self.second_environments
        useful = 0.95 * (self.runs - 3 * everywhere) - self.second_environments * self.second_revisions
        return min(revisions, max(math.floor(useful / self.environments), 1))

    def check(self) -> None:
        """Refuse numbers of which no consistent history can be made."""
        least = 6 * (self.environments + self.second_environments) + self.second_environments * self.second_revisions
        wrong = (
            f"--environments {self.environments} is not between 2 and {MOST_ENVIRONMENTS}."
            if not 2 <= self.environments <= MOST_ENVIRONMENTS
            else f"--revisions {self.revisions} is less than 8."
            if self.revisions < 8
            else f"--runs {self.runs} is less than {least}, which these environments and revisions need."
            if self.runs < least
            else f"--lines {self.lines} is less than a line for each of {self.runs} runs."
            if self.lines < self.runs
            else ""
        )
        if wrong:
            raise Refused(
                "demo_sizes", wrong, not_done="Nothing was generated.", next_step="Give numbers that fit together."
            )
