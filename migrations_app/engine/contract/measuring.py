"""Fingerprints of the target during a run: whoever keeps a table locked is waited for, in the open.

Printing a table's definition needs a lock that only an ACCESS EXCLUSIVE holder refuses.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from migrations_app.engine.contract.events import Event
from migrations_app.engine.contract.stopping import pause_or_stop
from migrations_app.engine.contract.work import Work
from migrations_app.engine.errors import LockExhausted

_PAUSE_S = 2.0
Result = TypeVar("Result")


def once_readable(work: Work, do: Callable[[], Result], revision_id: str = "") -> Result:
    """Call `do` until it can read the schema, within the lock window; it must hold no lock that others wait for.

    Raises LockExhausted, Stopped.
    """
    until = time.monotonic() + work.limits.lock_window_s
    told = False
    while True:
        try:
            done = do()
        except LockExhausted as blocked:
            if time.monotonic() + _PAUSE_S > until:
                raise
            work.report(Event("blocked", f"waiting: {blocked.message}", revision_id=revision_id, level="warning"))
            told = True
            pause_or_stop(_PAUSE_S, work.should_stop)
            continue
        if told:
            work.report(Event("unblocked", "the schema can be read", revision_id=revision_id))
        return done
