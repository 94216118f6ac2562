"""What a form of a drill's pages asks for, read from what was sent; each verb answers with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.http import HttpRequest

from dashboard import access
from dashboard.pages.query import reason, sent
from dashboard.templatetags import text
from migrations_app.engine.errors import Refused
from migrations_app.rehearsals.drills import actions, refusals, remarks
from migrations_app.rehearsals.drills.clock import Press, Pressed
from migrations_app.rehearsals.drills.health import take_health
from migrations_app.rehearsals.drills.scenarios import STEPS

PRESSED = "That press was counted already; this is how the drill stands."
Act = Callable[[HttpRequest, access.Drill, access.User], str]


def read_press(request: HttpRequest) -> Press:
    return Press(
        lap=_number(request, "lap", "count of presses"),
        note=sent(request, "note", 1001),
        held_ms=_number(request, "held_ms", "time it was held back") if sent(request, "held_ms") else 0,
        pause=sent(request, "pause") == "yes",
    )


def pressed_words(done: Pressed) -> str:
    """Said after each press, and read aloud."""
    drill = done.drill
    steps = list(drill.steps.all())
    if drill.lap == 1:
        return "The clock runs: step 1."
    if not drill.resting and steps[drill.step - 1].started_at != steps[drill.step - 2].ended_at:
        return f"Step {drill.step} runs."
    ended = steps[drill.step - 1] if drill.resting else steps[drill.step - 2]
    words = f"Step {ended.number} ended after {text.duration(ended.actual_ms)}"
    if drill.resting:
        return f"{words}. All five have ended." if drill.step == STEPS else f"{words}; the clock rests."
    return f"{words}; step {drill.step} runs."


def _intervention(request: HttpRequest, drill: access.Drill, by: access.User) -> str:
    seconds = _number(request, "seconds", "time in seconds")
    what, note = sent(request, "what", 501), sent(request, "note", 1001)
    remarks.note_intervention(drill, seconds=seconds, what=what, note=note, by=by)
    return "The intervention is noted."


def _check(request: HttpRequest, drill: access.Drill, by: access.User) -> str:
    seen = remarks.Seen(
        side=sent(request, "side"),
        kind=sent(request, "kind"),
        name=sent(request, "name", 201),
        passed=sent(request, "passed") == "yes",
        expected=sent(request, "expected", 1001),
        got=sent(request, "got", 1001),
    )
    made = remarks.add_check(drill, seen=seen, by=by)
    return f"Noted: {made.name} {'passed' if made.passed else 'did not pass'}."


def _health(request: HttpRequest, drill: access.Drill, by: access.User) -> str:
    made = take_health(drill, side="after" if sent(request, "side") == "after" else "before", by=by)
    return f"The health address answered {made.got}: {'passed' if made.passed else 'not passed'}."


def _finish(request: HttpRequest, drill: access.Drill, by: access.User) -> str:
    names = ("from_release", "to_release", "runbook_rev")
    ending = actions.Ending(
        issues_found=sent(request, "issues_found", refusals.LONGEST_TEXT + 1),
        **{name: sent(request, name, 201) for name in names},
    )
    done = actions.finish_drill(drill, by=by, ending=ending)
    return f"The drill is finished: {done.get_result_display()}."


def _abandon(request: HttpRequest, drill: access.Drill, by: access.User) -> str:
    actions.abandon_drill(drill, by=by, reason=reason(request))
    return "The drill is abandoned; what was recorded stays."


def _write_step(request: HttpRequest, drill: access.Drill, by: access.User) -> str:
    number = _number(request, "step", "step")
    longest = refusals.LONGEST_TEXT + 1
    commands, output, note = (sent(request, name, longest) for name in ("commands", "output", "note"))
    remarks.write_step(drill, number=number, commands=commands, output=output, note=note, by=by)
    return f"What was written about step {number} is kept."


def _follow_up(request: HttpRequest, drill: access.Drill, by: access.User) -> str:
    due = sent(request, "due")
    try:
        day = date.fromisoformat(due) if due else None
    except ValueError:
        raise refusals.refuse("bad_date", f"{due} is no date.", "Write it as 2026-12-24.") from None
    remarks.add_follow_up(drill, what=sent(request, "what", 501), owner=sent(request, "owner", 151), due=day, by=by)
    return "The follow-up is noted."


def _follow_up_done(request: HttpRequest, drill: access.Drill, by: access.User) -> str:
    remarks.follow_up_done(drill, follow_up=_number(request, "follow_up", "number of the follow-up"), by=by)
    return "The follow-up is done."


def _runbook(request: HttpRequest, drill: access.Drill, by: access.User) -> str:
    updated = sent(request, "updated") != "no"
    remarks.mark_runbook(drill, updated=updated, link=sent(request, "link", 501), by=by)
    return "The runbook's change is linked." if updated else "The runbook is marked as not changed."


def _number(request: HttpRequest, name: str, what: str) -> int:
    value = sent(request, name)
    if not (value.isascii() and value.isdigit() and len(value) < 12):
        raise _no_number(what, value)
    return int(value)


def _no_number(what: str, value: str) -> Refused:
    return refusals.refuse("no_number", f"The {what} is “{value}”, which is no whole number.", "Write it in digits.")


VERBS: dict[str, Act] = {
    "intervention": _intervention,
    "check": _check,
    "health": _health,
    "finish": _finish,
    "abandon": _abandon,
    "step": _write_step,
    "follow-up": _follow_up,
    "follow-up-done": _follow_up_done,
    "runbook": _runbook,
}
