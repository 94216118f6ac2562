"""What is refused of a drill, in the three sentences of every refusal, and the checks of what is given."""

from __future__ import annotations

from urllib.parse import urlsplit

from migrations_app.engine.errors import Refused
from migrations_app.models import Drill
from migrations_app.models.drill import RECOVERY_LIMIT_S, DrillStatus
from migrations_app.rehearsals.drills.scenarios import SCENARIOS, STEPS
from migrations_app.rehearsals.drills.states import SENTENCES

USUAL_LIMIT_S = RECOVERY_LIMIT_S
NOTE_ABOVE_S = 60  # whole seconds: at 61 a note is due
MOST_HELD_MS = 3_600_000
LONGEST_TEXT = 20_000
LONGEST_TIME_S = 86_400
NOTHING = "Nothing was recorded."


def refuse(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done=NOTHING, next_step=next_step)


def closed(drill: Drill, verb: str) -> Refused:
    """`drill` is read anew, so that its state is the one that was in the way."""
    state = DrillStatus(drill.status)
    return refuse(
        f"drill_is_{state.value}",
        f"A drill that is {state.label} cannot be {verb}.",
        f"{SENTENCES[state]} Open its page to see how it stands.",
    )


def required(what: str, value: str, most: int) -> str:
    value = value.strip()
    if not value:
        raise refuse("text_missing", f"The {what} is missing.", f"Give the {what} in a few words.")
    return short(what, value, most)


def short(what: str, value: str, most: int = LONGEST_TEXT) -> str:
    value = value.strip()
    if "\x00" in value:
        raise refuse("bad_text", f"The {what} holds a NUL character.", "Take it out.")
    if len(value) > most:
        raise refuse("too_long", f"The {what} has {len(value):,} characters, the most is {most:,}.", "Shorten it.")
    return value


def within(what: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise refuse("out_of_range", f"The {what} is {value}, and {least} to {most} is possible.", "Correct it.")
    return value


def scenario(key: str) -> str:
    if key not in SCENARIOS:
        raise refuse("no_such_scenario", f"There is no scenario {key!r}.", f"Use one of {', '.join(SCENARIOS)}.")
    return key


def step_number(number: int) -> int:
    return within("step", number, 1, STEPS)


def noted(what: str, seconds: int, note: str) -> str:
    """Above a minute a hand that helped, or a clock that rested, needs its reason written down."""
    note = short("note", note, 1000)
    if seconds > NOTE_ABOVE_S and not note:
        raise refuse(
            "note_missing",
            f"{what} took {seconds} s, and above {NOTE_ABOVE_S} s a note is required.",
            "Say in a few words what took so long.",
        )
    return note


def link(url: str) -> str:
    url = short("link", url, 500)
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        good = False
    if not good:
        raise refuse("bad_link", "The link is no http or https address.", "Give the address of the runbook's change.")
    return url
