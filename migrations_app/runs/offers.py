"""What a person may do with a run right now, and why the rest is off."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from migrations_app.models import Run
from migrations_app.permissions import may, who_may
from migrations_app.runs.actions import allowed_actions
from migrations_app.statuses import TERMINAL

_TEXTS = {
    "pause": "The statement in progress ends, its step is recorded, then the run rests until someone resumes it.",
    "resume": "The run goes on after the last step that stands; nothing is done twice.",
    "cancel": "The run stops for good. A statement in progress is cancelled; what has its receipt stays applied.",
}


@dataclass(frozen=True)
class Offer:
    """`why` is empty when the verb may be used."""

    verb: str
    word: str
    text: str
    why: str

    @property
    def open(self) -> bool:
        return not self.why


def offers(run: Run, user: AbstractBaseUser | AnonymousUser) -> tuple[Offer, ...]:
    """Pause, resume and cancel, in that order; none for a run that has ended."""
    if run.status in TERMINAL:
        return ()
    forbidden = "" if may(user, "control_run") else f"Needs one of these roles: {who_may('control_run')}."
    reasons = allowed_actions(run)
    return tuple(
        Offer(verb=verb, word=verb.capitalize(), text=text, why=forbidden or reasons[verb])
        for verb, text in _TEXTS.items()
    )


def drawn_key(run: Run) -> str:
    """Changes when the buttons would look different, and only then."""
    return f"{run.status}-{run.asked or 'nothing'}"
