"""What a person may do with a run right now, and why the rest is off."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from migrations_app.models import Run
from migrations_app.permissions import may, needed_for
from migrations_app.runs.actions import allowed_actions
from migrations_app.runs.planning import ROOT
from migrations_app.statuses import HELD, TERMINAL, RunStatus

_TEXTS = {
    "pause": "The statement in progress ends, its step is recorded, then the run rests until someone resumes it.",
    "resume": "The run goes on after the last step that stands; nothing is done twice.",
    "cancel": "The run stops for good. A statement in progress is cancelled; what has its receipt stays applied.",
}
_CANCEL_HELD = "The run stops for good; what has its receipt stays applied."


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
    forbidden = "" if may(user, "control_run") else needed_for("control_run")
    reasons = allowed_actions(run)
    texts = _TEXTS | ({"cancel": _CANCEL_HELD} if run.status in HELD else {})
    return tuple(
        Offer(verb=verb, word=verb.capitalize(), text=text, why=forbidden or reasons[verb])
        for verb, text in texts.items()
    )


@dataclass(frozen=True)
class Onward:
    """What comes after this run: a plan to look at before anything is started. `why` is empty when it is open."""

    word: str
    direction: str
    to: str
    why: str

    @property
    def open(self) -> bool:
        return not self.why


def onward(run: Run, user: AbstractBaseUser | AnonymousUser) -> Onward:
    """After a run that applied: rolling it back. After one that did not, or was a rollback: applying."""
    why = "" if may(user, "create_run") else needed_for("create_run")
    if run.status not in TERMINAL:
        why = f"Run {run.pk} has to end first."
    undone = run.direction == "up" and run.status in (RunStatus.FAILED, RunStatus.CANCELLED)
    if run.direction == "up" and not undone:
        return Onward("Roll back", "down", run.from_revision or ROOT, why)
    if run.direction == "down" and run.status in (RunStatus.FAILED, RunStatus.CANCELLED):
        return Onward("Roll back again", "down", run.to_revision or ROOT, why)
    return Onward("Apply again", "up", run.to_revision if undone else "", why)


def drawn_key(run: Run) -> str:
    """Changes when the buttons would look different, and only then."""
    return f"{run.status}-{run.asked or 'nothing'}"
