"""A bug in Lockstep itself: kept on the run with its traceback, tried again, and then handed to a person."""

from __future__ import annotations

import traceback

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from migrations_app.models import Run, RunLogLine
from migrations_app.runs.claims import Claim
from migrations_app.runs.transitions import move
from migrations_app.statuses import ACTIVE, RunStatus

TRIES = 3


def keep_crash(claim: Claim, worker: str, crash: Exception) -> None:
    """Log the traceback on the run and let go of it; a lost control database leaves it to the lease instead."""
    if isinstance(crash, OperationalError | InterfaceError):
        return
    with transaction.atomic():
        mine = Run.objects.filter(pk=claim.run_id, token=claim.token, status__in=ACTIVE)
        if mine.update(log_seq=F("log_seq") + 1, version=F("version") + 1) != 1:
            return
        run = Run.objects.get(pk=claim.run_id)
        text = "".join(traceback.format_exception(crash))
        RunLogLine.objects.create(run=run, seq=run.log_seq, at=Now(), level="error", message=text)
        give_up = claim.attempt >= TRIES
        move(
            run.pk,
            to=RunStatus.NEEDS_OPERATOR if give_up else RunStatus.INTERRUPTED,
            token=claim.token,
            fields={"waiting": None, "lease_until": None, "error": _error(crash, worker)},
        )


def _error(crash: Exception, worker: str) -> dict[str, object]:
    return {
        "code": "crashed",
        "message": f"Lockstep itself failed on {worker} ({type(crash).__name__}); the log has the traceback.",
        "not_done": "What is not in the receipts was not done.",
        "next_step": "Report the traceback; resuming goes on from the receipts.",
        "revision_id": "",
        "step": None,
    }
