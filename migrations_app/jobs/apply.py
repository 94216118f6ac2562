"""The job body: called once, five times at once or never, the outcome is the same.

Only this wrapper catches everything: a crash keeps its traceback on the run.
"""

from __future__ import annotations

import os
import sys

import structlog

from migrations_app.engine.contract.events import Report
from migrations_app.jobs.process import machine
from migrations_app.runs.claims import claim
from migrations_app.runs.crash import keep_crash
from migrations_app.runs.execution import Execution

_SWITCH_S = 0.0005

log = structlog.get_logger(__name__)

# Fault tests put an observer here, in their own worker process, to stop at a named point.
observers: list[Report] = []


def execute(run_id: int) -> str:
    """Claim the run and carry it out. Returns the status it ended in, or "not claimed"."""
    # The engine's thread shares the interpreter with the one that writes progress; it should get it back quickly.
    sys.setswitchinterval(_SWITCH_S)
    worker = worker_name()
    mine = claim(run_id, worker)
    if mine is None:
        return "not claimed"
    structlog.contextvars.bind_contextvars(run=run_id, token=mine.token, worker=worker)
    try:
        log.info("run claimed", attempt=mine.attempt)
        status = Execution(mine, worker, observe=observers[0] if observers else None).carry_out()
        log.info("run ended", status=status)
        return status
    except Exception as crash:
        log.exception("run crashed")
        keep_crash(mine, worker, crash)
        raise
    finally:
        structlog.contextvars.unbind_contextvars("run", "token", "worker")


def worker_name(pid: int | None = None) -> str:
    """Who holds a claim: the machine and the process, as an operator would look for it."""
    return f"{machine()}:{pid or os.getpid()}"
