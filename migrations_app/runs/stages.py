"""The five named stages of a run, folded from events: where it stands, and waits kept apart from work."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from django.utils.dateparse import parse_datetime

from migrations_app.engine.contract.events import Event
from migrations_app.engine.target.blockers import Blocker
from migrations_app.models import Run
from migrations_app.statuses import RunStatus

Stage = Literal["lock", "run", "verify", "record", "release"]

WAITING = frozenset({"lock_wait", "lock_attempt", "blocked"})
_AFTER_RUN: tuple[Stage, ...] = ("verify", "record")
# These end a wait; a step that only begins again has got nothing yet.
GOT_ON = frozenset({"locked", "fenced", "statement_done", "step_done", "nontx_done", "unblocked"})
_BEGINS = frozenset({"step_started", "statement_started", "intent"})


class Stages:
    """A fold: `after(events)` gives the next state, so that a failed write can be tried again."""

    def __init__(self, run: Run) -> None:
        self._up = run.direction == "up"
        self._phases: dict[str, dict[str, object]] = copy.deepcopy(run.phases)
        self._status: str | None = None
        self._waiting: dict[str, object] | None = None
        self._fields: dict[str, object] = {}
        self._marks: dict[str, datetime] = {}
        self._revision = ""

    def after(self, events: Sequence[tuple[datetime, Event]]) -> Stages:
        """The state after these events, leaving this one as it is."""
        following = copy.copy(self)
        following._phases = copy.deepcopy(self._phases)
        following._marks = dict(self._marks)
        following._fields = {}
        following._status = None
        for at, event in events:
            following._take(at, event)
        return following

    def run_fields(self) -> dict[str, object]:
        """What to write on the run's row; nothing when nothing happened."""
        if not self._fields and self._status is None:
            return {}
        fields = {**self._fields, "phases": self._phases, "waiting": self._waiting}
        if self._status is not None:
            fields["status"] = self._status
        return fields

    def _take(self, at: datetime, event: Event) -> None:
        self._fields.setdefault("phases", self._phases)
        if event.fence is not None:
            self._fields["fence"] = event.fence
        if event.backend_pid is not None:
            self._fields.update(backend_pid=event.backend_pid, backend_start=event.backend_start)
        if event.kind in WAITING:
            self._wait(at, event)
        elif event.kind in GOT_ON or (event.kind in _BEGINS and self._waiting is None):
            self._waiting = None
            self._status = RunStatus.RUNNING if self._up else RunStatus.ROLLING_BACK
        self._begin_revision(event)
        self._count_step(at, event)
        self._stage(at, event)

    def _wait(self, at: datetime, event: Event) -> None:
        since = (self._waiting or {}).get("since") or at.isoformat()
        self._waiting = {
            "since": since,
            "sentence": event.message,
            "blockers": [_shown(blocker) for blocker in event.blockers[:10]],
            "windowed": event.windowed,
        }
        self._status = RunStatus.WAITING_FOR_LOCK

    def _count_step(self, at: datetime, event: Event) -> None:
        """The time since `since` is not in the stage yet; a step that ends otherwise than done counts, too."""
        run = self._phases.setdefault("run", {"wait_ms": 0, "work_ms": 0})
        since = parse_datetime(str(run.get("since", "")))
        match event.kind:
            case "step_started" if since is None:
                run["since"] = at.isoformat()
            case "lock_attempt" if event.wait_ms:
                run["since"] = at.isoformat()
            case "step_done":
                run.pop("since", None)
            case "ended" | "connection_lost" | "connected" if since is not None:
                waited = event.kind == "connected" or self._waiting is not None
                verifying = self._marks.pop("verifying", None)
                if verifying is not None:
                    self._add("run", 0, _ms(since, verifying))
                passed = _ms(verifying or since, at)
                self._add("verify" if verifying else "run", passed if waited else 0, 0 if waited else passed)
                del run["since"]

    def _stage(self, at: datetime, event: Event) -> None:
        match event.kind:
            case "connected":
                self._set("lock", "active", "connected, waiting for the target's lock")
                self._marks["connected"] = at
            case "locked":
                self._set("lock", "done", event.message)
                self._add("lock", event.wait_ms, self._since("connected", at) - event.wait_ms)
            case "step_started" | "intent" | "statement_started":
                self._set("run", "active", event.message)
            case "lock_attempt":
                self._set("run", "active", f"{event.revision_id}: waiting for a table lock")
                self._add("run", event.wait_ms, 0)
            case "step_done":
                self._set("run", "done", event.message)
                self._add("run", event.wait_ms, event.work_ms)
            case "verifying":
                self._status = RunStatus.VERIFYING
                self._set("run", "done", str(self._phases["run"].get("detail", "")))
                self._set("verify", "active", event.message)
                self._marks.setdefault("verifying", at)
            case "recording":
                self._verified(at)
                self._set("record", "active", event.message)
                self._marks["recording"] = at
            case "recorded":
                self._recorded(at, event)
            case "released":
                self._set("release", "done", event.message)
                self._add("release", 0, self._since("recorded", at))

    def _begin_revision(self, event: Event) -> None:
        """Verify and record are ahead again when the next revision begins."""
        if event.kind == "step_started" and event.revision_id != self._revision:
            self._revision = event.revision_id
            for stage in _AFTER_RUN:
                self._set(stage, "pending", "")
            for mark in ("verifying", "recording"):
                self._marks.pop(mark, None)

    def _verified(self, at: datetime) -> None:
        began = self._marks.pop("verifying", None)
        if began is None:
            self._set("verify", "done", "no verify script; the receipt's constraints held")
            return
        self._set("verify", "done", "every value was true")
        self._add("verify", 0, _ms(began, at))

    def _recorded(self, at: datetime, event: Event) -> None:
        """What was sent together with its statement was not announced, and its time is the statement's."""
        if "recording" not in self._marks:
            self._verified(at)
        self._set("record", "done", event.message)
        self._add("record", 0, self._since("recording", at))
        self._marks["recorded"] = at

    def _since(self, mark: str, at: datetime) -> int:
        began = self._marks.get(mark)
        return 0 if began is None else _ms(began, at)

    def _set(self, stage: Stage, state: str, detail: str) -> None:
        self._phases.setdefault(stage, {"wait_ms": 0, "work_ms": 0}).update(state=state, detail=detail)

    def _add(self, stage: Stage, wait_ms: int, work_ms: int) -> None:
        phase = self._phases[stage]
        phase["wait_ms"] = int(str(phase.get("wait_ms", 0))) + max(wait_ms, 0)
        phase["work_ms"] = int(str(phase.get("work_ms", 0))) + max(work_ms, 0)


def _ms(began: datetime, ended: datetime) -> int:
    return int((ended - began).total_seconds() * 1000)


def _shown(blocker: Blocker) -> dict[str, object]:
    """A holder as the page and the API show it; another session's query text is left out."""
    return {
        "pid": blocker.pid,
        "application": blocker.application,
        "user": blocker.user,
        "state": blocker.state,
        "transaction_age_s": blocker.transaction_age_s,
        "query_age_s": blocker.query_age_s,
        "mode": blocker.mode,
        "relation": blocker.relation,
        "queued": blocker.queued,
        "sentence": blocker.sentence,
    }
