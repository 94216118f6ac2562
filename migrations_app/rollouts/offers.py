"""What a person may do about a cutover right now, and why the rest is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from migrations_app.models import Cutover, CutoverStep
from migrations_app.permissions import may, needed_for
from migrations_app.rollouts.planning import needed_to_carry
from migrations_app.rollouts.words import REACHED
from migrations_app.statuses import CUTOVER_EDGES, CutoverStatus

GO_ON, GIVE_UP, TAKE_BACK = "go-on", "give-up", "take-back"
# name: the permission, the word on the button, what it does, whether it changes targets
_VERBS = {
    GO_ON: ("cut_over", "Go on", "The gates are judged anew, then the step that failed is tried again.", True),
    GIVE_UP: (
        "cut_over",
        "Give up",
        "Nothing further is started. What is applied stands until it is taken back.",
        False,
    ),
    TAKE_BACK: (
        "take_release_back",
        "Take back",
        "What its runs applied is rolled back, the last environment first, each by the conditions of any roll-back.",
        True,
    ),
}
_LEADS_TO = {
    GO_ON: CutoverStatus.RUNNING,
    GIVE_UP: CutoverStatus.CANCELLED,
    TAKE_BACK: CutoverStatus.ROLLING_BACK,
}


@dataclass(frozen=True)
class Offer:
    """`why` is empty when the verb may be used. `changes` tells that targets are changed by it."""

    verb: str
    needs: str  # a verb of permissions.VERBS
    word: str
    text: str
    changes: bool
    why: str

    @property
    def open(self) -> bool:
        return not self.why


def offers(cutover: Cutover, steps: Sequence[CutoverStep], user: AbstractBaseUser | AnonymousUser) -> tuple[Offer, ...]:
    """In the order of their buttons; none for a cutover that is taken back."""
    if cutover.status == CutoverStatus.ROLLED_BACK:
        return ()
    return tuple(_offer(verb, cutover, steps, user) for verb in _VERBS)


def _offer(verb: str, cutover: Cutover, steps: Sequence[CutoverStep], user: AbstractBaseUser | AnonymousUser) -> Offer:
    needs, (_, word, text, changes) = needs_of(verb, cutover) or "", _VERBS[verb]
    return Offer(verb, needs, word, text, changes, _forbidden(needs, user) or _why_not(verb, cutover, steps))


def needs_of(verb: str, cutover: Cutover) -> str | None:
    """The permission that a verb needs; None for what is none."""
    if verb == GO_ON:
        return needed_to_carry(cutover)
    return _VERBS[verb][0] if verb in _VERBS else None


def _forbidden(needs: str, user: AbstractBaseUser | AnonymousUser) -> str:
    return "" if may(user, needs) else needed_for(needs)


def _why_not(verb: str, cutover: Cutover, steps: Sequence[CutoverStep]) -> str:
    if (cutover.status, _LEADS_TO[verb]) not in CUTOVER_EDGES:
        return f"It is {CutoverStatus(cutover.status).label}."
    if verb == GO_ON and cutover.back_since is not None:
        return "It is on its way back."
    if verb == TAKE_BACK and not any(step.started_at or step.status in REACHED for step in steps):
        return "It came to no environment."
    return ""
