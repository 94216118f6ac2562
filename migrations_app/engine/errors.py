"""Named failures: what happened, what was not done, what to do next.

Only failures that an operator can act on live here; anything else is a crash and keeps its traceback.
"""

from __future__ import annotations


class LockstepError(Exception):
    """An expected failure with a stable code and three sentences for the reader."""

    def __init__(self, code: str, message: str, *, not_done: str = "", next_step: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.not_done = not_done
        self.next_step = next_step

    @property
    def sentence(self) -> str:
        """All three sentences as one paragraph."""
        return " ".join(part for part in (self.message, self.not_done, self.next_step) if part)

    def __str__(self) -> str:
        return self.sentence


class Refused(LockstepError):
    """The request cannot be done as asked; nothing was changed."""


class LockExhausted(LockstepError):
    """Every lock attempt of the window was used up; the step was not applied."""


class Fenced(LockstepError):
    """Another worker holds a newer fence; this one must stop at once."""


class ConnectionLost(LockstepError):
    """The target went away; what was in flight is unknown until the receipts are read again."""


class StatementFailed(LockstepError):
    """PostgreSQL refused a statement or a verify script did not hold; its step was rolled back."""


class NeedsOperator(LockstepError):
    """The catalogue cannot tell whether a statement took effect; a person decides."""


class Stopped(LockstepError):
    """A person or a deployment asked the run to stop between statements."""
