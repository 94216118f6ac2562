"""The one place where a run's status changes: a guarded UPDATE along the edges of statuses.EDGES.

A lost race is a normal answer (False), never an exception.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models import F
from django.db.models.functions import Now

from migrations_app.models import Run
from migrations_app.statuses import EDGES, TERMINAL, RunStatus


def sources(to: str) -> frozenset[str]:
    """Every status from which `to` can be reached."""
    return frozenset(old for old, new in EDGES if new == to)


def move(
    run_id: int,
    *,
    to: RunStatus,
    only_from: Collection[str] | None = None,
    token: int | None = None,
    fields: Mapping[str, object] | None = None,
) -> bool:
    """Move the run to a status if it may go there now; True when this call moved it.

    `token` restricts the move to the worker whose claim is still the newest.
    """
    allowed = sources(to) if only_from is None else sources(to) & frozenset(only_from)
    runs = Run.objects.filter(pk=run_id, status__in=allowed)
    if token is not None:
        runs = runs.filter(token=token)
    values: dict[str, object] = {"status": to, "version": F("version") + 1}
    if to in TERMINAL:
        values |= {"finished_at": Now(), "lease_until": None, "waiting": None}
    return runs.update(**values | dict(fields or {})) == 1
