"""A service with a release that Olga registered, people who may sign it, and a catalogue of two small gates."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Release, Service
from migrations_app.permissions import ADMIN, ON_CALL, RELEASE_MANAGER
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.registering import register_release
from tests.edge.people import person
from tests.releases.gates.shapes import SMALL


@pytest.fixture
def ann(db: None) -> User:
    return person("ann", RELEASE_MANAGER)


@pytest.fixture
def omar(db: None) -> User:
    return person("omar", ON_CALL)


@pytest.fixture
def ada(db: None) -> User:
    return person("ada", ADMIN)


@pytest.fixture
def release(service: Service, olga: User, ada: User) -> Release:
    edit_catalogue(service=service, content=SMALL, note="small enough to read", by=ada)
    return register_release(service=service, release_id="2.0", schema_rev="sc-10", by=olga).release
