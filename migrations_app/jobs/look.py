"""The body of a look at a check: claim it, find out, keep what was found. Only this wrapper catches everything."""

from __future__ import annotations

import signal

import structlog
from django.db import InterfaceError, OperationalError, connection

from migrations_app.jobs.apply import worker_name
from migrations_app.releases.gates import kinds
from migrations_app.releases.gates.looking import GRACE, claim, due, give_up, keep

MOST_AT_ONCE = 50
INTERRUPTED = "interrupted"

log = structlog.get_logger(__name__)


def execute_due() -> int:
    """Carry out what is due, one after the other; returns how many looks were tried."""
    for count in range(MOST_AT_ONCE):
        ids = due(limit=1)
        if not ids:
            return count
        if execute(ids[0]) == INTERRUPTED:
            return count + 1
    return MOST_AT_ONCE


def execute(look_id: int) -> str:
    """Returns the status of the evidence, "not claimed", "overtaken", or "interrupted" without a control database."""
    worker = worker_name()
    mine = claim(look_id, worker)
    if mine is None:
        return "not claimed"
    structlog.contextvars.bind_contextvars(look=look_id, token=mine.token, worker=worker)
    # A resolver or a pattern may hang: the process ends before its lease does, and another one looks again.
    signal.setitimer(signal.ITIMER_REAL, (mine.lease - GRACE / 4).total_seconds())
    try:
        found = kinds.collect(mine.release, mine.check)
        status = found.status if keep(mine, found) else "overtaken"
        log.info("looked at", gate=mine.gate, check=mine.check.key, status=status)
        return status
    except (OperationalError, InterfaceError) as lost:
        # Nothing can be written down, so nothing counts: the lease runs out, and another process looks again.
        log.warning("control database lost, the look is left to be taken again", error=type(lost).__name__)
        connection.close()
        return INTERRUPTED
    except Exception as crash:
        log.exception("look crashed")
        give_up(mine, f"Lockstep itself failed on {worker} ({type(crash).__name__}); its log has the traceback.")
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        structlog.contextvars.unbind_contextvars("look", "token", "worker")
