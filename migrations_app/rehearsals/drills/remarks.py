"""What is written down beside the clock: interventions, checks, output, follow-ups and the runbook's change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from migrations_app.audit.record import record
from migrations_app.models import Drill, DrillCheck, DrillFollowUp, DrillIntervention, DrillStep
from migrations_app.models.drill import OPEN_DRILL, CheckKind, Side
from migrations_app.rehearsals.drills import refusals
from migrations_app.rehearsals.drills.actions import fresh
from migrations_app.rehearsals.drills.states import touch


@dataclass(frozen=True)
class Seen:
    """One check as it was seen. A CSV header passes when it is the expected one, whatever was said of it."""

    side: str
    kind: str
    name: str
    passed: bool = False
    expected: str = ""
    got: str = ""


def note_intervention(drill: Drill, *, seconds: int, what: str, by: User, note: str = "") -> DrillIntervention:
    """What a hand did that the runbook does not say, and how long it took; above 60 s with a note."""
    refusals.within("time in seconds", seconds, 0, refusals.LONGEST_TIME_S)
    what = refusals.required("intervention", what, 500)
    note = refusals.noted("The intervention", seconds, note)
    with transaction.atomic():
        held = _open(drill, "noted on")
        made = DrillIntervention.objects.create(
            drill=held, step=max(held.step, 1), seconds=seconds, what=what, note=note, by=by
        )
        _record(held, "drill.intervention", by, seconds=seconds, what=what)
    return made


def add_check(drill: Drill, *, seen: Seen, by: User, measured: bool = False) -> DrillCheck:
    if seen.side not in Side.values or seen.kind not in CheckKind.values:
        raise refusals.refuse(
            "bad_check",
            "A check is of no such kind or side.",
            f"Use {', '.join(CheckKind.values)}, and {' or '.join(Side.values)}.",
        )
    expected, got = refusals.short("expected text", seen.expected, 1000), refusals.short("text seen", seen.got, 1000)
    passed = bool(expected) and expected == got if seen.kind == CheckKind.CSV_HEADER else seen.passed
    name = refusals.required("name of the check", seen.name, 200)
    with transaction.atomic():
        held = _open(drill, "checked")
        made = DrillCheck.objects.create(
            drill=held, side=seen.side, kind=seen.kind, name=name, expected=expected, got=got, passed=passed,
            measured=measured, by=by,
        )  # fmt: skip
        _record(held, "drill.check", by, side=seen.side, kind=seen.kind, name=name, passed=passed)
    return made


def write_step(drill: Drill, *, number: int, by: User, commands: str, output: str, note: str) -> None:
    """What was typed in a step, what it answered, and what is to be said about it; also after the drill ended."""
    texts = {
        name: refusals.short(f"{name} of step {number}", value)
        for name, value in (("commands", commands), ("output", output), ("note", note))
    }
    with transaction.atomic():
        _kept(drill)
        DrillStep.objects.filter(drill=drill, number=refusals.step_number(number)).update(**texts)
        _record(drill, "drill.write_step", by, step=number, **{name: len(text) for name, text in texts.items()})


def add_follow_up(drill: Drill, *, what: str, owner: str, by: User, due: date | None = None) -> DrillFollowUp:
    what, owner = refusals.required("follow-up", what, 500), refusals.required("owner", owner, 150)
    with transaction.atomic():
        _kept(drill)
        made = DrillFollowUp.objects.create(drill=drill, what=what, owner=owner, due=due)
        _record(drill, "drill.follow_up", by, what=what, owner=owner, due=due.isoformat() if due else "")
    return made


def follow_up_done(drill: Drill, *, follow_up: int, by: User) -> None:
    """Once: a second time it is there already, which is no failure."""
    with transaction.atomic():
        rows = DrillFollowUp.objects.filter(drill=drill, pk=follow_up)
        found = rows.first()
        if found is None:
            raise refusals.refuse("no_such_follow_up", f"This drill has no follow-up {follow_up}.", "Look at its list.")
        if rows.filter(done_at=None).update(done_at=Now(), done_by=by) == 1:
            _kept(drill)
            _record(drill, "drill.follow_up_done", by, what=found.what, owner=found.owner)


def mark_runbook(drill: Drill, *, by: User, link: str, updated: bool = True) -> Drill:
    """“Runbook updated”, with the address of the change; or that it needed none."""
    link = refusals.link(link)
    if updated and not link:
        raise refusals.refuse("link_missing", "An updated runbook has a link to its change.", "Give its address.")
    with transaction.atomic():
        _kept(drill, runbook_updated=updated, runbook_link=link)
        _record(drill, "drill.runbook", by, updated=updated, link=link)
    return fresh(drill)


def _open(drill: Drill, verb: str) -> Drill:
    """Locked until the end of the transaction, so that nothing is written after the drill was judged."""
    held = Drill.objects.filter(status__in=OPEN_DRILL).select_for_update().filter(pk=drill.pk).first()
    if held is None:
        raise refusals.closed(fresh(drill), verb)
    touch(held.pk)
    return held


def _kept(drill: Drill, **fields: object) -> None:
    if not touch(drill.pk, **fields):
        raise refusals.closed(fresh(drill), "changed")


def _record(drill: Drill, action: str, by: User, **after: object) -> None:
    record(actor=by, action=action, object=f"drill:{drill.uid}", after=after)
