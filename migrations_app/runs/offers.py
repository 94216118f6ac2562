"""What a person may do with a run right now, and why the rest is off."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from migrations_app.models import Run
from migrations_app.permissions import may, needed_for
from migrations_app.runs.actions import allowed_actions
from migrations_app.runs.planning import ROOT
from migrations_app.runs.undo import CannotUndo, undo_of
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


def onward(run: Run, user: AbstractBaseUser | AnonymousUser) -> Onward | None:
    """After a run that did not end as it should, or was a roll-back: once more, or forward again."""
    why = _why_not(run, user)
    stopped = run.status in (RunStatus.FAILED, RunStatus.CANCELLED)
    if run.direction == "down":
        if stopped:
            return Onward("Roll back again", "down", run.to_revision or ROOT, why)
        return Onward("Apply again", "up", "", why)
    return Onward("Apply again", "up", run.to_revision, why) if stopped else None


def undoing(run: Run, user: AbstractBaseUser | AnonymousUser) -> Onward | None:
    """To roll back what a run applied, after its end; where later revisions stand on that, its page says so."""
    if run.direction == "down":
        return None
    why = _why_not(run, user)
    to = ""
    if not why:
        try:
            to = undo_of(run).to
        except CannotUndo as refusal:
            why = "" if refusal.to else refusal.message
            to = refusal.to
    return Onward("Roll back what it applied", "down", to, why)


def _why_not(run: Run, user: AbstractBaseUser | AnonymousUser) -> str:
    if run.status not in TERMINAL:
        return f"Run {run.pk} has to end first."
    return "" if may(user, "create_run") else needed_for("create_run")


def drawn_key(run: Run) -> str:
    """Changes when the buttons would look different, and only then."""
    return f"{run.status}-{run.asked or 'nothing'}"
