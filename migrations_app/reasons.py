"""The reasons that people give for what they decide: long enough to say something to whoever reads them later."""

from __future__ import annotations

from migrations_app.engine.errors import Refused

SHORTEST_REASON = 10  # characters


def require_reason(reason: str, decision: str, *, not_done: str, next_step: str) -> None:
    """Raises Refused("reason_missing"); `decision` is what it is for, as the beginning of a sentence."""
    if len(reason.strip()) < SHORTEST_REASON:
        message = f"{decision} needs a reason of {SHORTEST_REASON} characters or more."
        raise Refused("reason_missing", message, not_done=not_done, next_step=next_step)
