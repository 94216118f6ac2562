"""Clones that belong to no rehearsal under way are removed: after a kill nobody else would."""

from __future__ import annotations

from uuid import UUID

import psycopg
import structlog
from django.db.models.functions import Now

from migrations_app.engine.clone.copying import clones_on, drop_clone
from migrations_app.engine.clone.names import names_clone
from migrations_app.engine.errors import LockstepError
from migrations_app.fleet.rehearsal_servers import rehearsal_servers
from migrations_app.models import Installation, Rehearsal
from migrations_app.statuses import RehearsalStatus

log = structlog.get_logger(__name__)


def sweep() -> int:
    """Drop this installation's clones without a living rehearsal, on every rehearsal server that answers."""
    installation = Installation.current().uid
    dropped = 0
    for server in rehearsal_servers():
        try:
            # First what is there, then what may be: one that begins in between is not taken for a leftover.
            names = clones_on(server, installation)
            kept = _living() if names else frozenset()
            for name in names:
                if not any(names_clone(name, one) for one in kept):
                    drop_clone(server, name)
                    log.info("clone removed", clone=name)
                    dropped += 1
        except (LockstepError, psycopg.Error) as failure:
            log.warning("clones could not be swept", server=server.dsn.safe, error=type(failure).__name__)
    return dropped


def _living() -> frozenset[UUID]:
    mine = Rehearsal.objects.filter(status=RehearsalStatus.RUNNING, lease_until__gte=Now())
    return frozenset(uid for uid in mine.values_list("clone_uid", flat=True) if uid is not None)


def names() -> list[tuple[str, str]]:
    """Server and name of each clone there is now, on the servers that answer."""
    installation, found = Installation.current().uid, []
    for server in rehearsal_servers():
        try:
            found += [(server.dsn.safe, name) for name in clones_on(server, installation)]
        except (LockstepError, psycopg.Error) as failure:
            log.warning("clones could not be listed", server=server.dsn.safe, error=type(failure).__name__)
    return found
