"""The reasons that people give for what they decide: long enough to say something to whoever reads them later."""

from __future__ import annotations

from migrations_app.engine.errors import Refused

SHORTEST_REASON, LONGEST_REASON = 10, 500  # characters


def require_reason(reason: str, decision: str, *, not_done: str, next_step: str) -> None:
    """Raises Refused("reason_missing") or as `refuse_long_reason` does.

    `decision` is what it is for, as the beginning of a sentence.
    """
    # What cannot be seen says nothing.
    if sum(sign.isprintable() for sign in reason.strip()) < SHORTEST_REASON:
        message = f"{decision} needs a reason of {SHORTEST_REASON} characters or more."
        raise Refused("reason_missing", message, not_done=not_done, next_step=next_step)
    refuse_long_reason(reason, not_done=not_done)


def refuse_long_reason(reason: str, *, not_done: str) -> None:
    """Raises Refused("too_long")."""
    if len(reason) > LONGEST_REASON:
        message = f"The reason has {len(reason):,} characters, the limit is {LONGEST_REASON}."
        raise Refused("too_long", message, not_done=not_done, next_step="Shorten it.")
