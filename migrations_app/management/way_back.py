"""How far back: what `plan` and `rollback` read from their arguments alike, and the plan of a way back in lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError, CommandParser

from migrations_app.admission.rollback import RollbackPlan
from migrations_app.management import asking
from migrations_app.models import Environment, Release, Run
from migrations_app.releases.going_back import way_to
from migrations_app.runs.undo import undo_of


@dataclass(frozen=True)
class Aim:
    """`to` is empty for one step; `run` is the one whose work is undone, where that was asked for."""

    environment: Environment
    to: str
    run: Run | None = None


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("service", nargs="?", help="not needed with --run")
    parser.add_argument("environment", nargs="?", help="not needed with --run")
    how_far = parser.add_mutually_exclusive_group()
    how_far.add_argument("--to", help="the revision that is the head afterwards (zero: none)")
    how_far.add_argument("--run", type=int, metavar="NUMBER", help="exactly what this run applied")
    how_far.add_argument("--release", metavar="NAME", help="as far as this release needs it to start")


def aim(options: dict[str, Any]) -> Aim:
    """Raises CommandError for what does not exist, Refused where that way back does not."""
    if options["run"] is not None:
        return _run(options)
    if not options["service"] or not options["environment"]:
        raise CommandError("Give SERVICE and ENVIRONMENT, or --run NUMBER. Nothing was done.")
    environment = asking.environment(options["service"], options["environment"])
    if options["release"] is not None:
        return Aim(environment, way_to(_release(environment, options["release"]), environment))
    return Aim(environment, options["to"] or "")


def _run(options: dict[str, Any]) -> Aim:
    run = Run.objects.select_related("environment__service").filter(pk=options["run"]).first()
    if run is None:
        raise CommandError(f"There is no run {options['run']}. Nothing was done.")
    named = (run.environment.service.name, run.environment.name)
    given = (options["service"] or named[0], options["environment"] or named[1])
    if given != named:
        raise CommandError(f"Run {run.pk} was on {named[1]} of {named[0]}, not on {' of '.join(given[::-1])}.")
    return Aim(run.environment, undo_of(run).to, run)


def _release(environment: Environment, name: str) -> Release:
    releases = Release.objects.select_related("service", "created_by").filter(service=environment.service)
    found = releases.filter(release_id=name).first()
    if found is None:
        known = ", ".join(releases.values_list("release_id", flat=True)[:10]) or "none yet"
        raise CommandError(f"{environment.service.name} has no release {name!r} (known: {known}). Nothing was done.")
    return found


def lines(found: RollbackPlan) -> Iterator[str]:
    """What a plan down says beside its statements."""
    for loss in found.plan.blast.losses:
        yield f"lost: {loss.what} ({loss.revision_id})"
    if found.back.ms is None:
        yield "on a clone: not known"
    else:
        yield f"on a clone: {found.back.ms / 1000:.1f} s"
    if found.back.start_by is not None:
        yield f"start it by: {found.back.start_by:%Y-%m-%d %H:%M:%S} UTC"
    if found.no_return is not None:
        yield f"point of no return: {found.no_return.sentence}"
