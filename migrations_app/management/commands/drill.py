"""Operational drills from a terminal: the same verbs as the pages and the API."""

from __future__ import annotations

import json
import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.management import asking
from migrations_app.models import Drill
from migrations_app.models.drill import CheckKind, Side
from migrations_app.rehearsals.drills import actions, remarks
from migrations_app.rehearsals.drills.clock import Press, next_step
from migrations_app.rehearsals.drills.detail import detail_of
from migrations_app.rehearsals.drills.health import take_health
from migrations_app.rehearsals.drills.listing import RESULTS, DrillFilter, every_drill
from migrations_app.rehearsals.drills.refusals import USUAL_LIMIT_S
from migrations_app.rehearsals.drills.rows import LIST_COLUMNS, document, list_rows
from migrations_app.rehearsals.drills.scenarios import SCENARIOS
from migrations_app.rehearsals.drills.states import RESULTS as RESULT_SENTENCES
from migrations_app.rehearsals.drills.states import SENTENCES
from migrations_app.rehearsals.drills.words import took
from migrations_app.spreadsheet import csv_lines, json_lines

MOST = 100_000


class Command(BaseCommand):
    help = "Hold an operational drill: start it, press its stopwatch, note what happens, finish it, look and export."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        self._add_beginning(verbs.add_parser)
        self._add_clock(verbs.add_parser)
        self._add_remarks(verbs.add_parser)
        self._add_looking(verbs.add_parser)

    def _add_beginning(self, add: Callable[..., ArgumentParser]) -> None:
        start = _by(add("start", help="prepare a drill and start its clock"))
        start.add_argument("service")
        start.add_argument("environment")
        start.add_argument("scenario", choices=sorted(SCENARIOS))
        start.add_argument("--reason", required=True, help="why it is held")
        start.add_argument("--limit", type=int, default=USUAL_LIMIT_S, help="seconds a recovery may take")
        start.add_argument("--from-release", default="")
        start.add_argument("--to-release", default="")
        start.add_argument("--runbook-rev", default="")
        start.add_argument("--stopped", action="store_true", help="only prepare it; the first press starts the clock")

    def _add_clock(self, add: Callable[..., ArgumentParser]) -> None:
        press = _one(add("next", help="end the step in hand and start the next"))
        press.add_argument("--lap", type=int, help="how many presses were seen; default: as many as there are")
        press.add_argument("--note", default="", help="required after a pause above 60 s")
        press.add_argument("--pause", action="store_true", help="end the step in hand and start none")
        finish = _one(add("finish", help="end the drill and judge it"))
        finish.add_argument("--issues", default="")
        finish.add_argument("--runbook-rev", default="")
        abandon = _one(add("abandon", help="give the drill up"))
        abandon.add_argument("--reason", required=True)

    def _add_remarks(self, add: Callable[..., ArgumentParser]) -> None:
        hand = _one(add("intervention", help="note what a hand had to do"))
        hand.add_argument("seconds", type=int)
        hand.add_argument("what")
        hand.add_argument("--note", default="", help="required above 60 s")
        check = _one(add("check", help="note a check"))
        check.add_argument("side", choices=Side.values)
        check.add_argument("kind", choices=CheckKind.values)
        check.add_argument("name")
        check.add_argument("--failed", action="store_true")
        check.add_argument("--expected", default="")
        check.add_argument("--got", default="")
        _one(add("health", help="ask the health address")).add_argument("side", choices=Side.values)
        follow = _one(add("follow-up", help="note what is to be done"))
        follow.add_argument("what")
        follow.add_argument("--owner", required=True)
        follow.add_argument("--due", type=date.fromisoformat)
        _one(add("follow-up-done", help="a follow-up is done")).add_argument("follow_up", type=int)
        runbook = _one(add("runbook", help="the runbook is updated"))
        runbook.add_argument("link", help="the address of its change")
        step = _one(add("step", help="write down output and note of a step"))
        step.add_argument("number", type=int)
        step.add_argument("--output", default="")
        step.add_argument("--note", default="")

    def _add_looking(self, add: Callable[..., ArgumentParser]) -> None:
        show = add("show", help="print one drill")
        show.add_argument("uid", type=uuid.UUID)
        export = _by(add("export", help="print one drill as JSON, or all that fit as CSV or JSON"))
        export.add_argument("uid", nargs="?", type=uuid.UUID)
        export.add_argument("--format", choices=("csv", "json"), default="json")
        for name in ("service", "environment"):
            export.add_argument(f"--{name}", default="")
        export.add_argument("--scenario", choices=sorted(SCENARIOS), default="")
        export.add_argument("--result", choices=sorted(RESULTS), default="")

    def handle(self, *args: Any, **options: Any) -> None:
        verb: str = options["verb"]
        with asking.refusals():
            if verb == "start":
                self._start(options)
            elif verb == "show":
                self._tell(_found(options["uid"]))
            elif verb == "export":
                self._export(options)
            else:
                drill = _found(options["uid"])
                VERBS[verb](drill, asking.person(options["user"], "run_drill"), options)
                self._tell(_found(drill.uid))

    def _start(self, options: dict[str, Any]) -> None:
        by = asking.person(options["user"], "run_drill")
        plan = actions.Plan(
            scenario=options["scenario"],
            trigger_reason=options["reason"],
            limit_s=options["limit"],
            from_release=options["from_release"],
            to_release=options["to_release"],
            runbook_rev=options["runbook_rev"],
        )
        environment = asking.environment(options["service"], options["environment"])
        drill = actions.start_drill(environment=environment, plan=plan, by=by)
        if not options["stopped"]:
            drill = next_step(drill, given=Press(lap=0), by=by).drill
        self._tell(drill)

    def _export(self, options: dict[str, Any]) -> None:
        asking.person(options["user"], "export")
        if options["uid"]:
            self.stdout.write(json.dumps(document(detail_of(_found(options["uid"]))), ensure_ascii=False, indent=2))
            return
        wanted = DrillFilter(*(options[name] for name in ("service", "environment", "scenario", "result")))
        rows = list_rows(every_drill(wanted, MOST))
        for line in csv_lines(LIST_COLUMNS, rows) if options["format"] == "csv" else json_lines(rows):
            self.stdout.write(line, ending="")

    def _tell(self, drill: Drill) -> None:
        detail = detail_of(drill)
        state = drill.get_result_display() if drill.result else drill.get_status_display()
        place = f"{drill.environment.service.name}/{drill.environment.name}"
        self.stdout.write(f"drill {drill.uid} on {place}, {detail.scenario.word.lower()}: {state}")
        self.stdout.write(RESULT_SENTENCES.get(drill.result) or SENTENCES[drill.status])
        for reason in detail.verdict.reasons if drill.result else ():
            self.stdout.write(f"  {reason}")
        for timed in detail.steps:
            actual = took(timed.actual_ms) if timed.actual_ms is not None else "–"
            planned = took(timed.planned_ms)
            self.stdout.write(f"  {timed.step.number} {timed.step.name}: {timed.state}, {actual} of {planned}")
        recovery = detail.recovering_ms
        if recovery is not None:
            self.stdout.write(f"  recovery {took(recovery)}, limit {took(drill.limit_s * 1000)}")
        self.stdout.write(f"  lap {drill.lap}")


def _by(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("--as", dest="user", required=True, help="the user who acts; goes into the audit log")
    return parser


def _one(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("uid", type=uuid.UUID)
    return _by(parser)


def _found(uid: uuid.UUID) -> Drill:
    drill = Drill.objects.select_related("environment__service", "operator").filter(uid=uid).first()
    if drill is None:
        raise CommandError(f"There is no drill {uid}. Nothing was done.")
    return drill


def _next(drill: Drill, by: Any, given: dict[str, Any]) -> None:
    lap = drill.lap if given["lap"] is None else given["lap"]
    next_step(drill, given=Press(lap=lap, note=given["note"], pause=given["pause"]), by=by)


def _finish(drill: Drill, by: Any, given: dict[str, Any]) -> None:
    ending = actions.Ending(issues_found=given["issues"], runbook_rev=given["runbook_rev"])
    actions.finish_drill(drill, by=by, ending=ending)


def _check(drill: Drill, by: Any, given: dict[str, Any]) -> None:
    kept = {name: given[name] for name in ("side", "kind", "name", "expected", "got")}
    remarks.add_check(drill, seen=remarks.Seen(passed=not given["failed"], **kept), by=by)


def _step(drill: Drill, by: Any, given: dict[str, Any]) -> None:
    """The commands stay as they were planned."""
    commands = drill.steps.filter(number=given["number"]).values_list("commands", flat=True).first() or ""
    remarks.write_step(
        drill, number=given["number"], commands=commands, output=given["output"], note=given["note"], by=by
    )


VERBS: dict[str, Callable[[Drill, Any, dict[str, Any]], object]] = {
    "next": _next,
    "finish": _finish,
    "abandon": lambda drill, by, given: actions.abandon_drill(drill, by=by, reason=given["reason"]),
    "intervention": lambda drill, by, given: remarks.note_intervention(
        drill, seconds=given["seconds"], what=given["what"], note=given["note"], by=by
    ),
    "check": _check,
    "health": lambda drill, by, given: take_health(drill, side=given["side"], by=by),
    "follow-up": lambda drill, by, given: remarks.add_follow_up(
        drill, what=given["what"], owner=given["owner"], due=given["due"], by=by
    ),
    "follow-up-done": lambda drill, by, given: remarks.follow_up_done(drill, follow_up=given["follow_up"], by=by),
    "runbook": lambda drill, by, given: remarks.mark_runbook(drill, link=given["link"], by=by),
    "step": _step,
}
