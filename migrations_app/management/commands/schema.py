"""Schemas on the command line: the same verbs as on the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from migrations_app.engine.contract.folder import FILE
from migrations_app.fleet import drift as verbs
from migrations_app.fleet.drift_plan import Finished, offer, plan_drift
from migrations_app.fleet.parity import Depth, compare_groups, read_parity
from migrations_app.fleet.schema_view import view_of
from migrations_app.fleet.watching import unwatch, watch
from migrations_app.management import asking
from migrations_app.models import Environment

# verb: what a user needs for it, and whether it is about one environment
NEEDS = {
    "read": "read_schema",
    "diff": "view_sql",
    "draft": "view_sql",
    "ignore": "decide_drift",
    "accept": "decide_drift",
    "plan": "decide_drift",
    "past": "view",
    "policy": "decide_drift",
    "watch": "edit_fleet",
    "unwatch": "edit_fleet",
    "parity": "view",
}


class Command(BaseCommand):
    help = (
        "read, diff, draft, plan, past, ignore, accept, policy, watch, unwatch SERVICE ENVIRONMENT; parity SERVICE. "
        "diff and parity exit with 1 where something differs or is unknown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        found = parser.add_subparsers(dest="verb", required=True)
        one = {name: found.add_parser(name) for name in NEEDS}
        for name, sub in one.items():
            sub.add_argument("service")
            if name != "parity":
                sub.add_argument("environment")
            sub.add_argument("--as", dest="user", required=True, help="the user who asks")
        one["draft"].add_argument("--way", choices=["adopt", "revert"], default="adopt")
        one["ignore"].add_argument("--until", required=True, help="a date, to its end in UTC")
        for name in ("accept", "plan"):
            one[name].add_argument("--found", required=True, help="the fingerprint that was looked at")
        one["plan"].add_argument("--way", choices=["adopt", "revert"], required=True)
        one["plan"].add_argument("--planned", default="", help="the checksum that `draft` tells, if it tells one")
        one["plan"].add_argument("--up", required=True, metavar="FILE", help="such as 0008_adopt_drift.up.sql")
        one["plan"].add_argument("--down", metavar="FILE", help="without it the revision is irreversible")
        for name in ("ignore", "accept"):
            one[name].add_argument("--reason", required=True)
        one["policy"].add_argument("policy", choices=sorted(verbs.POLICIES))
        one["parity"].add_argument("--depth", choices=["objects", "privileges", "exact"], default="objects")

    def handle(self, *args: Any, **options: Any) -> None:
        verb: str = options["verb"]
        with asking.refusals():
            if verb == "parity":
                asking.person(options["user"], NEEDS[verb])
                self._parity(options)
                return
            by = asking.person(options["user"], NEEDS[verb])
            environment = asking.environment(options["service"], options["environment"])
            told: dict[str, Callable[[], object]] = {
                "read": lambda: verbs.look_now(environment=environment, by=by),
                "ignore": lambda: verbs.ignore_drift(
                    environment=environment, until=_day(options["until"]), reason=options["reason"], by=by
                ),
                "accept": lambda: verbs.accept_drift(
                    environment=environment, found=options["found"], reason=options["reason"], by=by
                ),
                "plan": lambda: plan_drift(environment=environment, finished=_finished(options), by=by),
                "policy": lambda: verbs.set_policy(
                    environment=environment, blocks=verbs.POLICIES[options["policy"]], by=by
                ),
                "watch": lambda: watch(environment=environment, by=by),
                "unwatch": lambda: unwatch(environment=environment, by=by),
            }
            if verb in told:
                told[verb]()
                self._stands(environment)
            elif verb == "draft":
                self._draft(environment, options["way"])
            elif verb == "past":
                self._past(environment)
            else:
                self._diff(environment)

    def _stands(self, environment: Environment) -> None:
        word = view_of(environment, timezone.now()).brief.word
        self.stdout.write(f"{environment.name}: {word.sentence} {word.more}".rstrip())

    def _draft(self, environment: Environment, way: str) -> None:
        offered = offer(environment, way)
        planned = f" --planned {offered.planned}" if offered.planned else ""
        self.stdout.write(f"{offered.up}\n-- down\n{offered.down}")
        self.stdout.write(f"-- {offered.revision_id}: finish it, then plan it with --found {offered.found}{planned}")

    def _past(self, environment: Environment) -> None:
        for one in view_of(environment, timezone.now()).episodes:
            drift = one.drift
            who = drift.planned_by if drift.way else drift.decided_by
            by = f" ({drift.revision_id + ', ' if drift.way else ''}{who.get_username()})" if who else ""
            self.stdout.write(f"{drift.found_at.isoformat()} {drift.get_state_display()}{by}: {drift.summary}")

    def _diff(self, environment: Environment) -> None:
        """As last read; exit code 1 unless it is known to be as expected."""
        view = view_of(environment, timezone.now())
        for told in view.differences:
            self.stdout.write(told.sentence)
            for sign, text in (("-", told.difference.before), ("+", told.difference.after)):
                self.stdout.writelines(f"  {sign} {line}\n" for line in text.splitlines())
        for doer in view.doers:
            told_by = f"{doer.who} from {doer.address} with {doer.application or 'no name'}"
            self.stdout.write(f"{doer.at.isoformat()} {told_by}: {doer.tag} {doer.object}")
        if view.brief.drift is not None and view.brief.drift.found_id:
            self.stdout.write(f"found {view.brief.drift.found_id}")
        word = view.brief.word
        if view.brief.drift is not None or word.unknown:
            raise CommandError(f"{environment.name}: {word.sentence} {word.more}".rstrip())
        self.stdout.write(f"{environment.name}: {word.sentence}")

    def _parity(self, options: dict[str, Any]) -> None:
        depth = Depth.SHAPE if options["depth"] == "objects" else Depth(options["depth"])
        parity = read_parity(asking.service(options["service"]), depth, timezone.now())
        differing = 0
        for major in parity.majors:
            compared = compare_groups(major, depth)
            differing += len(compared.objects)
            for group in major.groups:
                self.stdout.write(f"PostgreSQL {major.number} {group.hash[:10]}: {', '.join(group.names)}")
            for one in compared.objects:
                where = "; ".join(f"{v.sha256[:10] or 'without it'}: {', '.join(v.names)}" for v in one.variants)
                self.stdout.write(f"  {one.kind} {one.name}: {where}")
        for place in parity.unknown:
            self.stdout.write(f"unknown: {place.name}: {place.doubt}")
        if differing or parity.unknown or any(len(major.groups) > 1 for major in parity.majors):
            raise CommandError(f"{differing} objects differ, {len(parity.unknown)} environments are unknown.")


def _finished(options: dict[str, Any]) -> Finished:
    """The id of the revision is that of its up file, as in a folder of revisions."""
    up = Path(options["up"])
    named = FILE.match(up.name)
    if named is None or named["part"] != "up":
        raise CommandError(f"{up.name} is no up file. Nothing was stored. Name it like 0008_adopt_drift.up.sql.")
    return Finished(
        way=options["way"],
        revision_id=named["id"],
        up=_text(up),
        down=_text(Path(options["down"])) if options["down"] else None,
        found=options["found"],
        planned=options["planned"],
    )


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read as UTF-8: {error}. Nothing was stored.") from None


def _day(text: str) -> datetime:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"{text!r} is no date. Nothing was done. Write it like 2026-12-24.")
    return datetime.combine(day, time(23, 59), UTC)
