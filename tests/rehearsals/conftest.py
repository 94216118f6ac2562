"""A service on a fresh target, and the run's own server as the one to rehearse on."""

from __future__ import annotations

from collections.abc import Callable

import django_rq
import pytest

from migrations_app.embedded.postgres import Server
from migrations_app.engine.clone.copying import clones_on
from migrations_app.fleet.rehearsal_servers import rehearsal_server
from migrations_app.jobs.launcher import QUEUE
from migrations_app.models import Installation
from tests.runs.support import Fleet, make_fleet

Clones = Callable[[], tuple[str, ...]]


@pytest.fixture
def fleet(target_database: Callable[..., str], settings, pg18: Server) -> Fleet:
    django_rq.get_connection(QUEUE).flushdb()
    settings.LOCKSTEP_REHEARSAL_SERVERS = [pg18.dsn]
    return make_fleet(target_database())


@pytest.fixture
def clones(fleet: Fleet) -> Clones:
    """The names of the clones there are."""
    return lambda: clones_on(rehearsal_server(18), Installation.current().uid)


@pytest.fixture
def servers(pg18: Server) -> dict[str, str]:
    """What a worker process has to be told."""
    return {"LOCKSTEP_REHEARSAL_SERVERS": pg18.dsn}
