"""Who holds drills and where: what the tests of this room begin with."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Drill, Environment
from migrations_app.permissions import OPERATOR
from tests.edge.drills import ready
from tests.edge.fleet import make_environment, make_service
from tests.edge.people import person


@pytest.fixture
def olga(db: None) -> User:
    return person("olga", OPERATOR)


@pytest.fixture
def environment(olga: User) -> Environment:
    return make_environment(make_service(olga))


@pytest.fixture
def drill(environment: Environment, olga: User) -> Drill:
    return ready(environment, olga)
