"""An empty Redis and a service on a fresh target for each test of a job."""

from __future__ import annotations

from collections.abc import Callable

import django_rq
import pytest

from migrations_app.jobs.launcher import QUEUE
from tests.runs.support import Fleet, make_fleet


@pytest.fixture
def fleet(target_database: Callable[..., str]) -> Fleet:
    django_rq.get_connection(QUEUE).flushdb()
    return make_fleet(target_database())
