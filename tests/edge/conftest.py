"""Who and what most tests of the edge begin with; a test file that needs more of one makes its own of the same name."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from migrations_app.models import Environment, Run, Service
from migrations_app.permissions import OPERATOR, VIEWER
from tests.browser.client import signed_in
from tests.edge.caller import Caller
from tests.edge.fleet import make_environment, make_run, make_service
from tests.edge.people import person


@pytest.fixture
def olga(db: None) -> User:
    return person("olga", OPERATOR)


@pytest.fixture
def vic(db: None) -> User:
    return person("vic", VIEWER)


@pytest.fixture
def client(olga: User) -> Client:
    """Olga's browser."""
    return signed_in(olga)


@pytest.fixture
def caller(olga: User) -> Caller:
    """Olga's script."""
    return Caller(olga)


@pytest.fixture
def service(olga: User) -> Service:
    return make_service(olga)


@pytest.fixture
def environment(service: Service) -> Environment:
    return make_environment(service)


@pytest.fixture
def run(environment: Environment, olga: User) -> Run:
    return make_run(environment, olga)
