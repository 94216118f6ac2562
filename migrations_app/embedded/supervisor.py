"""Keep parts running: start them in order, start again what dies, stop all of it in reverse.

A part that keeps dying is started less and less often; one that has lived for a while starts afresh.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from migrations_app.embedded import session
from migrations_app.embedded.guard import Guard
from migrations_app.embedded.program import Program, ending, say
from migrations_app.engine.errors import LockstepError

TICK_SECONDS = 0.2
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
SETTLED_SECONDS = 60.0


class Running(Protocol):
    """What a started part can do."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def stop(self) -> None: ...


@dataclass
class Part:
    """One thing to keep running."""

    name: str
    start: Callable[[], Running]
    running: Running | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    start_again_at: float = 0.0
    once: bool = False  # when it ends it is done


class Supervisor:
    """Use as a context manager: leaving it stops every part and whatever they left behind."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._sessions: set[int] = set()
        self._guard = Guard()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def add(self, name: str, start: Callable[[], Running]) -> Running:
        """Start a part for the first time; a failure here is the caller's."""
        part = Part(name, start)
        self.parts.append(part)
        return self._start(part)

    def add_later(self, name: str, start: Callable[[], Running], *, once: bool = False) -> None:
        """A part that nothing waits for: started by `watch`, and if that fails again and again like a dead one.

        With `once` it has something to do and is left out after it ended, however it ended.
        """
        self.parts.append(Part(name, start, once=once))

    def oversee(self, leader: int) -> None:
        """Include a child that is not kept running, such as a command, in the final sweep."""
        self._sessions.add(leader)
        self._guard.watch(leader)

    def clear(self, leader: int) -> None:
        """End what a dead child left in its session, and forget it: its process id will be someone else's."""
        session.kill({leader})
        self._sessions.discard(leader)
        self._guard.forget(leader)

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Start again what dies, until `until` holds or an exception (a signal's KeyboardInterrupt) ends it."""
        while not until():
            for part in tuple(self.parts):
                self._look_after(part)
            time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """Programs first, all at once; then the servers they use, the last started first."""
        running = [part.running for part in reversed(self.parts) if part.running is not None]
        for one in running:
            if isinstance(one, Program):
                one.ask_to_stop()
        for one in running:
            one.stop()
        if session.members(self._sessions):
            count = session.kill(self._sessions)
            say("up", f"Ended {count} process(es) that had stayed behind.")
        self._guard.dismiss()

    def hurry(self) -> None:
        """Give the programs no more time."""
        for part in self.parts:
            if isinstance(part.running, Program):
                session.kill({part.running.pid})

    def _start(self, part: Part) -> Running:
        running = part.start()
        part.running, part.started_at = running, time.monotonic()
        self.oversee(running.pid)
        return running

    def _look_after(self, part: Part) -> None:
        if part.running is None:
            self._start_again(part)
            return
        status = part.running.poll()
        if status is not None and part.once:
            self._done(part, part.running, status)
        elif status is not None:
            self._put_off(part, f"{part.name} (process {part.running.pid}) ended with {ending(status)}")

    def _done(self, part: Part, running: Running, status: int) -> None:
        if status:
            say("up", f"{part.name} ended with {ending(status)}; it is not started again.")
        self.clear(running.pid)
        running.stop()
        self.parts.remove(part)

    def _put_off(self, part: Part, what: str) -> None:
        """Say what happened and when the part starts again."""
        if part.running is not None:
            # What a dead program leaves in its session (a web worker on the port, a job) goes with it.
            self.clear(part.running.pid)
            part.running.stop()
            part.running = None
        now = time.monotonic()
        if part.started_at and now - part.started_at > SETTLED_SECONDS:
            part.pause = FIRST_PAUSE_SECONDS
        say("up", f"{what}; starting it again in {part.pause:g} s.")
        part.start_again_at = now + part.pause
        part.pause = min(part.pause * 2, LONGEST_PAUSE_SECONDS)

    def _start_again(self, part: Part) -> None:
        if time.monotonic() < part.start_again_at:
            return
        again = " again" if part.started_at else ""
        try:
            running = self._start(part)
        except LockstepError as error:
            self._put_off(part, f"{part.name} did not start: {error.sentence}")
        else:
            say("up", f"{part.name} runs{again} (process {running.pid}).")
