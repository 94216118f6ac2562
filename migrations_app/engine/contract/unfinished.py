"""A revision that stands half-way bars the other direction: its done steps would be believed on a changed target."""

from __future__ import annotations

from collections.abc import Mapping

from migrations_app.engine.contract.plan import Plan
from migrations_app.engine.contract.step_rows import HalfDone, Key
from migrations_app.engine.errors import Refused

# By what was begun: what stands, what was not done, the way out.
SENTENCES = {
    "up": (
        "is half applied: steps of it stand in the target and it has no receipt yet.",
        "Nothing was rolled back.",
        "Apply it to its end first, then roll back; the SQL of the steps that were not run may be corrected.",
    ),
    "down": (
        "is half rolled back: steps of its down file stand in the target and it has no receipt of that.",
        "Nothing was applied.",
        "Roll it back to its end first; what its down file misses may have to be put right in the target.",
    ),
}


def refuse_to_turn_back(plan: Plan, half_done: Mapping[Key, HalfDone]) -> None:
    """Raises Refused("half_done") when a revision was begun in the other direction and not finished."""
    for (revision_id, _, begun), half in half_done.items():
        if half.started and begun != plan.direction:
            what, not_done, next_step = SENTENCES[begun]
            raise Refused("half_done", f"{revision_id} {what}", not_done=not_done, next_step=next_step)
