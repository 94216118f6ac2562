"""Stopping between two tables or two chunks, whenever the caller wishes."""

from __future__ import annotations

from collections.abc import Callable

from migrations_app.engine.errors import Stopped

ShouldStop = Callable[[], bool]


def stop_if_asked(should_stop: ShouldStop) -> None:
    """Raises Stopped; whoever made the clone removes it on the way out."""
    if should_stop():
        raise Stopped(
            "clone_stopped",
            "Making the clone was stopped.",
            not_done="The clone was removed again, and nothing was changed in the target.",
        )
