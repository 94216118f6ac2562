"""One target: run after run over its chain, each with its faults, each brought to its end."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection

from migrations_app.models import Run
from migrations_app.statuses import TERMINAL, RunStatus
from tests.faults import control, surgeon
from tests.faults.files import Exchange, Fired, Line
from tests.faults.outcome import Happened, RunEnd, Tally, measure
from tests.faults.plan import HELPER, Fault, Placed, draw, easier
from tests.faults.proxy import MODES, Cut, Proxy
from tests.faults.scripts import Text

LOOK_S = 0.02
STATUS_S = 0.25


@dataclass(frozen=True)
class Shared:
    """What all lanes use."""

    exchange: Exchange
    tally: Tally
    operator: User
    chore: Callable[[str], None]  # have the main thread do something to a server, and wait for it
    flush_redis: Callable[[], None]
    request_and_die: Callable[[int, str, str, Sequence[Placed]], bool]
    stops: threading.Semaphore
    closing: threading.Event
    stuck_after_s: float
    stale_s: float


@dataclass(frozen=True)
class Site:
    """An environment, the way to its target past the proxy, and the proxy."""

    name: str
    environment: int
    address: str
    proxy: Proxy
    texts: Sequence[Text]
    planned: int  # the revisions after these are only used to place faults that found no place before


class Lane(threading.Thread):
    def __init__(self, site: Site, pool: list[Fault], shared: Shared, rng: random.Random) -> None:
        super().__init__(name=site.name, daemon=True)
        self._site = site
        self._pool = pool
        self._shared = shared
        self._rng = rng
        self._at = 0
        self._runs = 0
        self.doing = ""
        self.revisions = 0

    def run(self) -> None:
        try:
            while (texts := self._next_texts()) and not self._shared.closing.is_set():
                self._one_run(texts)
        except BaseException as error:
            self._shared.tally.wrong.append(f"{self.name}: the harness failed: {error!r}")
            raise
        finally:
            self.doing = "done"
            connection.close()

    @property
    def reached(self) -> Sequence[Text]:
        return self._site.texts[: self._at]

    def _next_texts(self) -> Sequence[Text]:
        spare = self._at >= self._site.planned
        if spare and not self._pool:
            return ()
        if spare:
            self._pool[:] = [easier(fault) for fault in self._pool]
        size = 4 if spare else self._rng.randint(4, 8)
        end = min(self._at + size, len(self._site.texts) if spare else self._site.planned)
        return self._site.texts[self._at : end]

    def _one_run(self, texts: Sequence[Text]) -> None:
        left = max(math.ceil((self._site.planned - self._at) / 6), 1)
        # The first run makes the tables the others need; one fault more than the mean, so none is left at the end.
        count = min(math.ceil(len(self._pool) / left) + 1, 6)
        placed, stops = self._draw(texts, count)
        try:
            OneRun(self._site, self._shared, self._rng, texts, placed, self._key(), self).carry_out(self._pool)
        finally:
            if stops:
                self._shared.stops.release()
        self._at += len(texts)
        self.revisions = self._at

    def _draw(self, texts: Sequence[Text], count: int) -> tuple[list[Placed], bool]:
        """A run with a stop waits for its turn only when nothing else is left to do meanwhile."""
        placed = draw(self._pool, texts, count, self._rng)
        stops = [one for one in placed if one.fault.kind.part == "stop"]
        if not stops:
            return placed, False
        rest = [one for one in placed if one not in stops]
        if self._shared.stops.acquire(blocking=not rest):
            return placed, True
        self._pool.extend(one.fault for one in stops)
        return rest, False

    def _key(self) -> str:
        self._runs += 1
        return f"{self.name}-{self._runs}"


class OneRun:
    """From the request to the end, attending to every fault that needs a hand."""

    def __init__(
        self,
        site: Site,
        shared: Shared,
        rng: random.Random,
        texts: Sequence[Text],
        placed: Sequence[Placed],
        key: str,
        lane: Lane,
    ) -> None:
        self._site, self._shared, self._rng = site, shared, rng
        self._texts, self._placed, self._key, self._lane = texts, placed, key, lane
        self._run = 0
        self._happened: dict[int, Happened] = {}
        self._unlock: contextlib.ExitStack | None = None
        self._stopped: Happened | None = None
        self._stopped_pids: tuple[int, ...] = ()
        self._stale = 0

    def carry_out(self, pool: list[Fault]) -> None:
        self._request()
        try:
            ended = self._attend_until_ended()
        finally:
            self._unlock_table()
        self._shared.exchange.withdraw(self._run)
        self._wake_stopped()
        trace = self._shared.exchange.trace(self._run)
        for happened in self._happened.values():
            measure(happened, trace, time.monotonic())
            self._shared.tally.happened.append(happened)
        pool.extend(one.fault for one in self._placed if one.fault.number not in self._happened)
        last = max((one.over_at for one in self._happened.values()), default=None)
        settled = 0.0 if last is None else max(self._ended_at(trace) - last, 0.0)
        self._shared.tally.ends.append(RunEnd(self._run, ended.status, settled))
        if ended.status != RunStatus.SUCCEEDED:
            self._go_on(ended)

    def _request(self) -> None:
        unsent = next((one for one in self._placed if one.fault.kind.part == "unsent"), None)
        to = self._texts[-1].revision_id
        self._say(f"requesting {to}")
        if unsent and self._shared.request_and_die(self._site.environment, to, self._key, self._placed):
            at = time.monotonic()
            found = control.find(self._shared.operator, self._key)
            if found is not None:
                self._run = found
                self._happened[unsent.fault.number] = Happened(unsent, found, "unsent", at)
                return
        self._run = control.start(
            self._site.environment, to, self._key, self._shared.operator, self._shared.exchange, self._placed
        )

    def _attend_until_ended(self) -> Run:
        next_look = 0.0
        moved_at = time.monotonic()
        while True:
            if self._attend():
                moved_at = time.monotonic()
            if time.monotonic() >= next_look:
                run = control.look(self._run)
                self._say(f"run {self._run} {run.status}")
                next_look = time.monotonic() + STATUS_S
                if run.status in TERMINAL or run.status == RunStatus.NEEDS_OPERATOR:
                    return run
                if time.monotonic() - moved_at > self._shared.stuck_after_s:
                    self._shared.tally.wrong.append(
                        f"{self._lane.name}: run {self._run} is {run.status} (token {run.token}, {run.waiting}) "
                        f"{self._shared.stuck_after_s:.0f} s after its last fault"
                    )
                    self._shared.exchange.withdraw(self._run)
                    self._wake_stopped()
                    moved_at = time.monotonic() + 600
            time.sleep(LOOK_S)

    def _attend(self) -> bool:
        """Whether a fault happened since the last look."""
        moved = False
        for one in self._placed:
            moved |= self._prepare(one)
            if one.fault.number in self._happened:
                continue
            fired = self._shared.exchange.fired(one.fault.number)
            if fired is None or one.fault.kind.part == "unsent":
                continue
            moved = True
            self._say(f"run {self._run}: {one.fault.kind.name} at {fired.point}")
            getattr(self, "_on_" + one.fault.kind.part.replace(" ", "_"))(one, fired)
            self._shared.exchange.let_go(one.fault.number)
        if self._stopped is not None and self._is_taken_over():
            self._wake_stopped()
            moved = True
        return moved

    def _prepare(self, one: Placed) -> bool:
        if one.fault.kind.part != "kill at lock" or self._unlock is not None:
            return False
        helper = one.fault.number + HELPER
        if self._shared.exchange.fired(helper) is None:
            return False
        self._unlock = contextlib.ExitStack()
        self._unlock.enter_context(surgeon.locked_table(self._site.address))
        self._shared.exchange.let_go(helper)
        return True

    def _note(self, one: Placed, fired: Fired, at: float | None = None) -> Happened:
        happened = Happened(one, self._run, fired.point, at or fired.at, fired.token)
        self._happened[one.fault.number] = happened
        return happened

    def _on_kill(self, one: Placed, fired: Fired) -> None:
        self._note(one, fired)

    _on_popped = _on_kill

    def _on_kill_at_lock(self, one: Placed, fired: Fired) -> None:
        self._note(one, fired)
        self._unlock_table()

    def _unlock_table(self) -> None:
        if self._unlock is not None:
            self._unlock.close()

    def _on_kill_in_index(self, one: Placed, fired: Fired) -> None:
        self._in_index(one, fired, lambda: os.kill(fired.pid, signal.SIGKILL))

    def _on_terminate_in_index(self, one: Placed, fired: Fired) -> None:
        self._in_index(one, fired, lambda: surgeon.terminate(self._site.address, fired.backend))

    def _in_index(self, one: Placed, fired: Fired, strike: Callable[[], None]) -> None:
        with surgeon.old_snapshot(self._site.address):
            self._shared.exchange.let_go(one.fault.number)
            building = surgeon.wait_until(lambda: surgeon.is_building(self._site.address, fired.backend), 10)
            happened = self._note(one, fired, time.monotonic())
            happened.note = "" if building else "not seen building"
            strike()

    def _on_terminate(self, one: Placed, fired: Fired) -> None:
        self._note(one, fired, time.monotonic())
        surgeon.terminate(self._site.address, fired.backend)

    def _on_cut(self, one: Placed, fired: Fired) -> None:
        cut = Cut(f"lockstep:{self._uid()}", self._rng.choice(MODES))
        self._site.proxy.arm(cut)
        self._shared.exchange.let_go(one.fault.number)
        struck = surgeon.wait_until(lambda: cut.at > 0, 10)
        self._site.proxy.arm(None)
        if struck:
            self._note(one, fired, cut.at).point = f"COMMIT, {cut.mode}"

    def _uid(self) -> str:
        return str(control.look(self._run).uid)

    def _on_flush(self, one: Placed, fired: Fired) -> None:
        self._shared.flush_redis()
        self._note(one, fired, time.monotonic())

    def _on_server(self, one: Placed, fired: Fired) -> None:
        self._note(one, fired, time.monotonic())
        # The worker goes on while its server is away; holding it would only spare it.
        self._shared.exchange.let_go(one.fault.number)
        self._shared.chore(one.fault.kind.part)

    _on_redis = _on_redis_minute = _on_control = _on_server

    def _on_stop(self, one: Placed, fired: Fired) -> None:
        self._stopped = self._note(one, fired)
        both = one.fault.action == "stop both"
        self._stopped_pids = (fired.parent, fired.pid) if both else (fired.pid,)
        self._stale = fired.pid

    def _is_taken_over(self) -> bool:
        assert self._stopped is not None
        trace = self._shared.exchange.trace(self._run)
        return any(line.token > self._stopped.token and line.kind == "locked" for line in trace)

    def _wake_stopped(self) -> None:
        """Continue the stale process and see that it ends by itself."""
        if self._stopped is None:
            return
        self._stopped = None
        for pid in self._stopped_pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if surgeon.wait_until(lambda: not _lives(self._stale), 20):
            self._shared.tally.stale_ended += 1
        else:
            self._shared.tally.wrong.append(f"{self._lane.name}: stale process {self._stale} went on for 20 s")

    @staticmethod
    def _ended_at(trace: Sequence[Line]) -> float:
        return trace[-1].at if trace else time.monotonic()

    def _go_on(self, ended: Run) -> None:
        """What a person would do: resume, or ask again. Counted, because nobody should have to."""
        tally, code = self._shared.tally, (ended.error or {}).get("code", "")
        tally.restarted.append(RunEnd(self._run, ended.status, 0.0, str((ended.error or {}).get("message", code))))
        for number in range(1, 6):
            if ended.status == RunStatus.NEEDS_OPERATOR:
                control.resume(self._run, self._shared.operator)
            else:
                to = self._texts[-1].revision_id
                try:
                    self._run = control.start(
                        self._site.environment,
                        to,
                        f"{self._key}-again-{number}",
                        self._shared.operator,
                        self._shared.exchange,
                        (),
                    )
                except Exception as error:
                    tally.wrong.append(f"{self._lane.name}: {to} cannot be asked for again: {error}")
                    return
            ended = self._attend_until_ended()
            if ended.status == RunStatus.SUCCEEDED:
                return
        tally.wrong.append(f"{self._lane.name}: run {self._run} does not succeed however often it is started")

    def _say(self, what: str) -> None:
        self._lane.doing = what


def _lives(pid: int) -> bool:
    try:
        state = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
