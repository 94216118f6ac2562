"""A release's cutover from a terminal: the same verbs as on its pages."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.management import asking
from migrations_app.models import BreakGlass, Cutover, Release
from migrations_app.releases.gates.glass import ask_to_break, decline_glass
from migrations_app.rollouts.cutting_over import break_glass, cut_over, give_up, go_on, take_back
from migrations_app.rollouts.planning import Window, cutover_plan, needed_to_carry
from migrations_app.statuses import CUTOVER_SENTENCES

# verb: what a user needs for it
NEEDS = {
    "plan": "view",
    "start": "cut_over",
    "show": "view",
    "go-on": "cut_over",
    "give-up": "cut_over",
    "take-back": "take_release_back",
    "ask-glass": "break_glass",
    "break-glass": "break_glass",
    "decline-glass": "break_glass",
}
_OF_RELEASE = ("plan", "start", "ask-glass")


class Command(BaseCommand):
    help = (
        "plan, start SERVICE RELEASE; show, go-on, give-up, take-back NUMBER; ask-glass SERVICE RELEASE, "
        "break-glass, decline-glass NUMBER. plan exits with 1 where something is in the way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        found = parser.add_subparsers(dest="verb", required=True)
        for name in NEEDS:
            sub = found.add_parser(name)
            if name in _OF_RELEASE:
                sub.add_argument("service")
                sub.add_argument("release")
            else:
                sub.add_argument("number", type=int)
            if name in ("plan", "start", "break-glass"):
                sub.add_argument("--environment", action="append", help="of these only; left out: all of the service")
            if name == "start":
                _add_window(sub)
            if name == "ask-glass":
                sub.add_argument("--typed", required=True, help="the release's id once more, to confirm it")
            sub.add_argument("--reason", default="")
            sub.add_argument("--as", dest="user", required=True, help="the user who asks")

    def handle(self, *args: Any, **options: Any) -> None:
        verb: str = options["verb"]
        with asking.refusals():
            needs = needed_to_carry(_cutover(options)) if verb == "go-on" else NEEDS[verb]
            by = asking.person(options["user"], needs)
            getattr(self, f"_{verb.replace('-', '_')}")(options, by)

    def _plan(self, options: dict[str, Any], by: User) -> None:
        found = cutover_plan(_release(options), options["environment"], by=by)
        self.stdout.write(found.verdict.sentence)
        if found.remark:
            self.stdout.write(found.remark)
        for stop in found.stops:
            count = len(stop.preview.revisions) if stop.preview else 0
            self.stdout.write(f"{stop.environment.name}: {count} to apply, up to {found.head}")
        unmet = [*found.conditions, *(one for stop in found.stops for one in stop.conditions)]
        for condition in unmet:
            self.stdout.write(f"  {condition.sentence} {condition.clears}")
        if unmet:
            raise CommandError("Something is in the way. Nothing was started.")

    def _start(self, options: dict[str, Any], by: User) -> None:
        window = Window(options["begins"], options["ends"])
        self._tell(
            cut_over(
                release=_release(options),
                environments=options["environment"],
                window=window,
                reason=options["reason"],
                by=by,
            )
        )

    def _show(self, options: dict[str, Any], by: User) -> None:
        self._tell(_cutover(options))

    def _go_on(self, options: dict[str, Any], by: User) -> None:
        self._tell(go_on(_cutover(options), reason=options["reason"], by=by))

    def _give_up(self, options: dict[str, Any], by: User) -> None:
        self._tell(give_up(_cutover(options), reason=options["reason"], by=by))

    def _take_back(self, options: dict[str, Any], by: User) -> None:
        self._tell(take_back(_cutover(options), reason=options["reason"], by=by))

    def _ask_glass(self, options: dict[str, Any], by: User) -> None:
        asked = ask_to_break(release=_release(options), typed=options["typed"], reason=options["reason"], by=by)
        for gate, sentence in asked.blockers:
            self.stdout.write(f"{gate}: {sentence}")
        self.stdout.write(f"request {asked.pk} waits for a second person until {asked.expires_at:%Y-%m-%d %H:%M} UTC")

    def _break_glass(self, options: dict[str, Any], by: User) -> None:
        self._tell(break_glass(_glass(options), reason=options["reason"], environments=options["environment"], by=by))

    def _decline_glass(self, options: dict[str, Any], by: User) -> None:
        decline_glass(_glass(options), reason=options["reason"], by=by)
        self.stdout.write(f"request {options['number']} is declined")

    def _tell(self, cutover: Cutover) -> None:
        self.stdout.write(f"cutover {cutover.pk} of {cutover.release.release_id}: {CUTOVER_SENTENCES[cutover.status]}")
        if cutover.sentence:
            self.stdout.write(f"  {cutover.sentence}")
        for step in cutover.steps.select_related("environment").order_by("ordinal"):
            run = f", run {step.back_run_id or step.run_id}" if step.run_id else ""
            self.stdout.write(f"{step.ordinal} {step.environment.name}: {step.get_status_display()}{run}")


def _add_window(parser: ArgumentParser) -> None:
    parser.add_argument("--from", dest="begins", type=_moment, help="its planned window, such as 2027-01-31T08:00Z")
    parser.add_argument("--until", dest="ends", type=_moment)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a moment without an offset from UTC is no moment")
    return found


def _release(options: dict[str, Any]) -> Release:
    owner = asking.service(options["service"])
    found = Release.objects.select_related("service").filter(service=owner, release_id=options["release"]).first()
    if found is None:
        raise CommandError(f"{owner.name} has no release {options['release']!r}. Nothing was done.")
    return found


def _cutover(options: dict[str, Any]) -> Cutover:
    found = Cutover.objects.select_related("release__service").filter(pk=options["number"]).first()
    if found is None:
        raise CommandError(f"There is no cutover {options['number']}. Nothing was done.")
    return found


def _glass(options: dict[str, Any]) -> BreakGlass:
    rows = BreakGlass.objects.select_related("release__service", "asked_by")
    found = rows.filter(pk=options["number"]).first()
    if found is None:
        raise CommandError(f"There is no request {options['number']} to break the glass. Nothing was done.")
    return found
