"""A production environment with two of three revisions applied, as rows: what a plan back is judged by."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Environment, Revision, Service
from migrations_app.permissions import ON_CALL, OPERATOR
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_service
from tests.edge.people import person
from tests.edge.test_query_counts import SCRIPT


@pytest.fixture
def olga(db: None) -> User:
    return person("olga", OPERATOR)


@pytest.fixture
def ann(db: None) -> User:
    return person("ann", ON_CALL)


@pytest.fixture
def service(olga: User) -> Service:
    return make_service(olga)


@pytest.fixture
def revisions(service: Service) -> list[Revision]:
    scripts = {"up_script": SCRIPT, "down_script": SCRIPT}
    return [make_revision(service, n, down_checksum=f"sha256:down{n}", **scripts) for n in (1, 2, 3)]


@pytest.fixture
def prod(service: Service, revisions: list[Revision]) -> Environment:
    return stand(make_environment(service, "orders-eu", "prod"))


@pytest.fixture
def staging(service: Service, revisions: list[Revision]) -> Environment:
    return stand(make_environment(service, "orders-staging", "staging"))


def stand(environment: Environment) -> Environment:
    make_receipt(environment, 1)
    make_receipt(environment, 2)
    environment.refresh_from_db()
    return environment
