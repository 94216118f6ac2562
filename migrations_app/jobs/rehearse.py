"""The body of a rehearsal's job: claim it and carry it out. Only this wrapper catches everything."""

from __future__ import annotations

import structlog
from django.db import InterfaceError, OperationalError, connection

from migrations_app.engine.errors import LockstepError
from migrations_app.jobs.apply import worker_name
from migrations_app.rehearsals.carrying import Carrying
from migrations_app.rehearsals.claims import claim, end
from migrations_app.statuses import RehearsalStatus

log = structlog.get_logger(__name__)


def execute(rehearsal_id: int) -> str:
    """Returns the status it ended in, "not claimed", or "interrupted" when the control database went away."""
    worker = worker_name()
    mine = claim(rehearsal_id, worker)
    if mine is None:
        return "not claimed"
    structlog.contextvars.bind_contextvars(rehearsal=rehearsal_id, token=mine.token, worker=worker)
    try:
        log.info("rehearsal claimed", attempt=mine.attempt)
        status = Carrying(mine, worker).carry_out()
        log.info("rehearsal ended", status=status)
        return status
    except (OperationalError, InterfaceError) as lost:
        # Nothing can be written down, so nothing counts: the lease runs out, and another process begins anew.
        log.warning("control database lost, the rehearsal is left to begin anew", error=type(lost).__name__)
        connection.close()
        return "interrupted"
    except Exception as crash:
        log.exception("rehearsal crashed")
        end(mine, RehearsalStatus.FAILED, _crashed(crash, worker))
        raise
    finally:
        structlog.contextvars.unbind_contextvars("rehearsal", "token", "worker")


def _crashed(crash: Exception, worker: str) -> LockstepError:
    return LockstepError(
        "crashed",
        f"Lockstep itself failed on {worker} ({type(crash).__name__}); its log has the traceback.",
        not_done="The target was only read.",
        next_step="Report the traceback, then rehearse again.",
    )
