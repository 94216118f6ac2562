"""Every condition that must hold before a run may start, each with what would clear it."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.engine.errors import Refused


@dataclass(frozen=True)
class Condition:
    """One unmet condition: `code` is stable, `sentence` says what is in the way, `clears` who or what removes it."""

    code: str
    sentence: str
    clears: str


class NotAdmitted(Refused):
    """The run was not created, or does not go on; `conditions` holds every reason, not only the first."""

    def __init__(
        self, conditions: tuple[Condition, ...], not_done: str = "No run was created and nothing was changed."
    ) -> None:
        super().__init__(
            "not_admitted",
            " ".join(condition.sentence for condition in conditions),
            not_done=not_done,
            next_step=" ".join(dict.fromkeys(condition.clears for condition in conditions)),
        )
        self.conditions = conditions
