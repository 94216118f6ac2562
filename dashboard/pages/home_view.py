"""The context of the front page and of its live fragment: the same blocks for both, so that they cannot differ.

The blocks share two reads: where the environments stand, and their open or failed runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TypedDict, TypeVar

from django.http import HttpRequest
from django.utils import timezone

from dashboard.access import Run
from dashboard.glance import doubt, glance_of
from dashboard.pages.blocks import Block, draw
from dashboard.pages.home_groups import folds, groups_of
from dashboard.pages.home_rows import draw_places
from dashboard.pages.kept import Kept, fleet_version
from migrations_app.fleet.overview import Verdict, fleet_verdict, unreadable
from migrations_app.fleet.standing import Standing, reconciliation, standings
from migrations_app.permissions import may, roles_of
from migrations_app.runs.attention import first_steps, moving_runs, needs_person, telling_runs, waiting_consents
from migrations_app.runs.events import last_events

T = TypeVar("T")


class HomeContext(TypedDict):
    verdict: Verdict
    lead: Block
    left: tuple[Block, ...]
    right: tuple[Block, ...]
    any_rows: bool
    failed: bool  # a part could not be read or drawn


class _Reading:
    """What the blocks read, each part once; a part that failed fails again without being asked again."""

    def __init__(self, request: HttpRequest) -> None:
        self._user = request.user
        self._glance = glance_of(request)
        self._failures: dict[str, Exception] = {}

    @cached_property
    def rows(self) -> tuple[Standing, ...]:
        return self._once("rows", standings)

    @cached_property
    def runs(self) -> dict[int, Run]:
        rows = self.rows
        return self._once("runs", lambda: telling_runs(rows))

    def _once(self, part: str, read: Callable[[], T]) -> T:
        if part in self._failures:
            raise self._failures[part]
        try:
            return read()
        except Exception as failure:
            self._failures[part] = failure
            raise

    def knows(self, *parts: str) -> bool:
        """Whether none of these has failed so far."""
        return not self._failures.keys() & set(parts)

    @property
    def verdict(self) -> Verdict:
        return fleet_verdict(self.rows, self._glance.services)

    def needs(self) -> Mapping[str, object]:
        return {"needs": needs_person(self.rows, self.runs, self._user, waiting_consents())}

    def environments(self) -> Mapping[str, object]:
        many = len({row.service for row in self.rows}) > 1
        groups = groups_of(self.rows)
        told = {"groups": groups, "many_services": many, "total": len(self.rows)}
        if folds(self.rows):
            return told | {"folds": True}
        return told | {"drawn": draw_places((row for group in groups for row in group.rows), with_service=many)}

    def running(self) -> Mapping[str, object]:
        return {"running": moving_runs(self.runs, timezone.now())}

    def events(self) -> Mapping[str, object]:
        audit = may(self._user, "view_audit")
        going = self.runs.values() if self.knows("rows", "runs") else ()
        return {"events": last_events(going, audit=audit), "audit": audit}

    def steps(self) -> Mapping[str, object]:
        glance = self._glance
        if not self.knows("rows"):
            return {"steps": ()}
        steps = first_steps(has_service=glance.services > 0, has_revision=glance.has_revisions, rows=self.rows)
        return {"steps": steps, "may_edit": may(self._user, "edit_fleet")}

    def lead(self, verdict: Verdict) -> Mapping[str, object]:
        rows = self.rows if verdict.reasons or verdict.tone == "ok" else ()
        return {
            "verdict": verdict,
            "reconciliation": reconciliation(rows),
            "known": bool(rows),
            "overdue": any(reason.state == "stale" for reason in verdict.reasons),
        }


KEPT: Kept[HomeContext] = Kept(20, lambda context: not context["failed"])


def version_of(request: HttpRequest) -> str:
    """What is offered depends on the reader's roles, and everything else on the fleet."""
    return f"{fleet_version(request)} {sorted(roles_of(request.user))}"


def home_context(request: HttpRequest) -> HomeContext:
    context = KEPT.get(version_of(request), lambda: _draw(request))
    if context["failed"]:
        doubt(request)
    return context


def _draw(request: HttpRequest) -> HomeContext:
    reading = _Reading(request)
    request_id = getattr(request, "request_id", "")
    needs = draw("needs", "what needs a person", "home/_needs.html", reading.needs, request_id)
    places = draw("environments", "the environments", "home/_environments.html", reading.environments, request_id)
    running = draw("running", "the runs on the way", "home/_running.html", reading.running, request_id)
    events = draw("events", "what happened last", "home/_events.html", reading.events, request_id)
    # Last though it stands first: it has nothing to say while the others cannot be read.
    steps = draw("first-steps", "the first steps", "home/_first_steps.html", reading.steps, request_id)
    blocks = (steps, needs, places, running, events)
    failed = [block.what for block in blocks if block.failed]
    verdict = _verdict(reading, failed)
    there = not reading.knows("rows") or bool(reading.rows)
    if not there:
        needs, places, running, events = (block.blank() for block in (needs, places, running, events))
    return HomeContext(
        verdict=verdict,
        lead=draw("lead", "the verdict", "home/_lead.html", lambda: reading.lead(verdict), request_id),
        left=(steps, needs, places),
        right=(running, events),
        any_rows=there,
        failed=bool(failed),
    )


def _verdict(reading: _Reading, failed: list[str]) -> Verdict:
    """Nothing is called fine while a part of the page could not be read."""
    known = reading.verdict if reading.knows("rows") else None
    return known if known is not None and not failed else unreadable(failed, known)
