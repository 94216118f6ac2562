"""One target: run after run over its chain, each with its faults."""

from __future__ import annotations

import random
import threading

from django.db import connection

from tests.faults.draft import Draft
from tests.faults.onerun import OneRun
from tests.faults.scripts import Text
from tests.faults.site import Shared, Site

SPARE_RUN = 10  # so many in a row have one of every kind
WAIT_S = 0.25


class Lane(threading.Thread):
    def __init__(self, site: Site, shared: Shared, rng: random.Random) -> None:
        super().__init__(name=site.name, daemon=True)
        self._site = site
        self._shared = shared
        self._rng = rng
        self._runs = 0
        self.doing = ""
        self.reached: list[Text] = []

    def run(self) -> None:
        try:
            self._run_all()
        except BaseException as error:
            self._shared.tally.wrong.append(f"{self.name}: the harness failed: {error!r}")
            raise
        finally:
            self.doing = "done"
            connection.close()

    def _run_all(self) -> None:
        for draft in self._site.drafts:
            if self._shared.closing.is_set():
                return
            self._one_run(draft, self._shared.pool.fill(draft, self._rng))
        spare = self._site.spare
        while len(spare) >= SPARE_RUN and self._shared.pool.waiting and not self._shared.closing.is_set():
            draft = Draft(spare[:SPARE_RUN])
            held = self._shared.pool.fill(draft, self._rng)
            if draft.placed:
                self._one_run(draft, held)
                spare = spare[SPARE_RUN:]
            else:
                self._say("waiting until a worker can be stopped")
                self._shared.closing.wait(WAIT_S)

    def _one_run(self, draft: Draft, held: int) -> None:
        try:
            run = OneRun(self._site, self._shared, self._rng, draft.texts, draft.placed, self._key(), self._say)
            run.carry_out()
        finally:
            self._shared.pool.spare(held)
        self.reached.extend(draft.texts)

    def _say(self, what: str) -> None:
        self.doing = what

    def _key(self) -> str:
        self._runs += 1
        return f"{self.name}-{self._runs}"
