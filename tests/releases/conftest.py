"""Who registers, and a service whose revisions declare schemas."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Service
from migrations_app.permissions import OPERATOR
from tests.edge.fleet import make_service
from tests.edge.people import person
from tests.edge.releases import make_chain


@pytest.fixture
def olga(db: None) -> User:
    return person("olga", OPERATOR)


@pytest.fixture
def service(olga: User) -> Service:
    service = make_service(olga)
    make_chain(service)
    return service
