"""One target: run after run over its chain, each with its faults."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Sequence

from django.db import connection

from tests.faults.onerun import OneRun
from tests.faults.plan import SLOW_STOPS, Fault, Placed, draw, easier
from tests.faults.scripts import Text
from tests.faults.site import Shared, Site


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
        placed, turn = self._draw(texts, count)
        try:
            run = OneRun(self._site, self._shared, self._rng, texts, placed, self._key(), self._say)
            run.carry_out(self._pool)
        finally:
            if turn is not None:
                turn.release()
        self._at += len(texts)
        self.revisions = self._at

    def _draw(self, texts: Sequence[Text], count: int) -> tuple[list[Placed], threading.Semaphore | None]:
        """A run with a stop waits for its turn only when nothing else is left to do meanwhile."""
        placed = draw(self._pool, texts, count, self._rng)
        stops = [one for one in placed if one.fault.kind.part == "stop"]
        if not stops:
            return placed, None
        rest = [one for one in placed if one not in stops]
        turn = self._shared.stops[stops[0].fault.point in SLOW_STOPS]
        if turn.acquire(blocking=not rest):
            return placed, turn
        self._pool.extend(one.fault for one in stops)
        return rest, None

    def _say(self, what: str) -> None:
        self.doing = what

    def _key(self) -> str:
        self._runs += 1
        return f"{self.name}-{self._runs}"
