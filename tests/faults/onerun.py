"""One run under faults, from the request to its end."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from migrations_app.models import Run
from migrations_app.statuses import TERMINAL, RunStatus
from tests.faults import control, surgeon
from tests.faults.files import Fired
from tests.faults.outcome import Happened, Missed, RunEnd, measure
from tests.faults.plan import HELPER, Placed
from tests.faults.proxy import MODES, Cut
from tests.faults.scripts import Text
from tests.faults.site import Shared, Site

LOOK_S = 0.02
STATUS_S = 0.25


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
        say: Callable[[str], None],
    ) -> None:
        self._site, self._shared, self._rng = site, shared, rng
        self._texts, self._placed, self._key, self._say = texts, placed, key, say
        self._run = 0
        self._asked_at = time.monotonic()
        self._happened: dict[int, Happened] = {}
        self._attended: set[int] = set()
        self._unlock: contextlib.ExitStack | None = None
        self._held_back = 0  # the process that finds its table locked
        self._stopped: Happened | None = None
        self._stopped_pids: tuple[int, ...] = ()
        self._stale = 0

    def carry_out(self) -> None:
        self._request()
        try:
            ended = self._attend_until_ended()
            ended_at = time.monotonic()
        finally:
            self._unlock_table()
        self._shared.exchange.withdraw(self._run)
        self._wake_stopped()
        self._tell(ended, ended_at)
        if ended.status != RunStatus.SUCCEEDED:
            self._go_on(ended)

    def _tell(self, ended: Run, ended_at: float) -> None:
        """What happened, and what did not and must be struck in another run."""
        tally, trace = self._shared.tally, self._shared.exchange.trace(self._run)
        for happened in self._happened.values():
            measure(happened, trace)
        tally.happened.extend(self._happened.values())
        missed = [one for one in self._placed if one.fault.number not in self._happened]
        for one in missed:
            self._shared.exchange.forget(one.fault.number)
            self._shared.exchange.forget(one.fault.number + HELPER)
        tally.missed.extend(Missed(one, self._run) for one in missed)
        self._shared.pool.put_back(missed)
        last = max((one.over_at for one in self._happened.values()), default=None)
        tally.ends.append(RunEnd(self._run, ended.status, self._asked_at, last, ended_at))

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
                    self._attend()
                    return run
                if time.monotonic() - moved_at > self._shared.stuck_after_s:
                    self._shared.tally.wrong.append(
                        f"{self._site.name}: run {self._run} is {run.status} (token {run.token}, {run.waiting}) "
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
            if one.fault.number in self._attended:
                continue
            fired = self._shared.exchange.fired(one.fault.number)
            if fired is None or one.fault.kind.part == "unsent":
                continue
            moved = True
            self._attended.add(one.fault.number)
            self._say(f"run {self._run}: {one.fault.kind.name} at {fired.point}")
            getattr(self, "_on_" + one.fault.kind.part.replace(" ", "_"))(one, fired)
            self._shared.exchange.let_go(one.fault.number)
        if self._held_back and not _lives(self._held_back):
            self._unlock_table()
        if self._stopped is not None and self._is_taken_over():
            self._wake_stopped()
            moved = True
        return moved

    def _prepare(self, one: Placed) -> bool:
        if one.fault.kind.part != "kill at lock" or self._unlock is not None:
            return False
        helper = one.fault.number + HELPER
        fired = self._shared.exchange.fired(helper)
        if fired is None:
            return False
        self._held_back = fired.pid
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
        """Also when another fault ended that worker first: whoever takes over has to read the table."""
        self._held_back = 0
        if self._unlock is not None:
            self._unlock.close()

    def _on_kill_in_index(self, one: Placed, fired: Fired) -> None:
        self._in_index(one, fired, lambda: os.kill(fired.pid, signal.SIGKILL))

    def _on_terminate_in_index(self, one: Placed, fired: Fired) -> None:
        self._in_index(one, fired, lambda: surgeon.terminate(self._site.address, fired.backend))

    def _in_index(self, one: Placed, fired: Fired, strike: Callable[[], None]) -> None:
        with surgeon.old_snapshot(self._site.address):
            self._shared.exchange.let_go(one.fault.number)
            if not surgeon.wait_until(lambda: surgeon.is_building(self._site.address, fired.backend), 10):
                return
            self._note(one, fired, time.monotonic())
            strike()
            # Without the snapshot, a backend that does not know yet could still finish its index.
            surgeon.wait_until(lambda: not surgeon.is_building(self._site.address, fired.backend), 10)

    def _on_kill_in_message(self, one: Placed, fired: Fired) -> None:
        self._shared.exchange.let_go(one.fault.number)
        if surgeon.wait_until(lambda: surgeon.is_sleeping(self._site.address, fired.backend), 10):
            self._note(one, fired, time.monotonic())
            os.kill(fired.pid, signal.SIGKILL)

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
        if self._shared.flush_redis():
            self._note(one, fired, time.monotonic())

    def _on_server(self, one: Placed, fired: Fired) -> None:
        at = time.monotonic()
        # The worker goes on while its server is away; holding it would only spare it.
        self._shared.exchange.let_go(one.fault.number)
        if self._shared.chore(one.fault.kind.part):
            self._note(one, fired, at)

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
        self._stopped.continued_at = time.monotonic()
        self._stopped = None
        for pid in self._stopped_pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if surgeon.wait_until(lambda: not _lives(self._stale), 20):
            self._shared.tally.stale_ended += 1
        else:
            self._shared.tally.wrong.append(f"{self._site.name}: stale process {self._stale} went on for 20 s")

    def _go_on(self, ended: Run) -> None:
        """What a person would do: resume, or ask again. Counted, because nobody should have to."""
        tally, code = self._shared.tally, (ended.error or {}).get("code", "")
        sentence = str((ended.error or {}).get("message", code))
        tally.restarted.append(RunEnd(self._run, ended.status, self._asked_at, None, time.monotonic(), sentence))
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
                    tally.wrong.append(f"{self._site.name}: {to} cannot be asked for again: {error}")
                    return
            ended = self._attend_until_ended()
            if ended.status == RunStatus.SUCCEEDED:
                return
        tally.wrong.append(f"{self._site.name}: run {self._run} does not succeed however often it is started")


def _lives(pid: int) -> bool:
    try:
        state = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
