"""A service on two real targets, one revision applied on both and one to come, and a release whose gates pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Release
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.registering import register_release
from tests.conftest import MakeDatabase
from tests.releases.gates.shapes import SMALL, make_ready
from tests.rollouts.support import Carried, make_carried
from tests.runs.support import person

Registered = Callable[..., Release]


@pytest.fixture
def ann(transactional_db: None) -> User:
    return person("ann", "release-manager")


@pytest.fixture
def rita(transactional_db: None) -> User:
    return person("rita", "release-manager", "operator")


@pytest.fixture
def omar(transactional_db: None) -> User:
    return person("omar", "on-call")


@pytest.fixture
def carried(transactional_db: None, target_database: MakeDatabase) -> Carried:
    return make_carried(target_database(), target_database())


@pytest.fixture
def registered(carried: Carried) -> Registered:
    edit_catalogue(service=carried.service, content=SMALL, note="small enough to read", by=person("adam", "admin"))

    def register(release_id: str = "2.0", schema_rev: str = "sc-2") -> Release:
        return register_release(
            service=carried.service, release_id=release_id, schema_rev=schema_rev, by=carried.olga
        ).release

    return register


@pytest.fixture
def ready(registered: Registered, carried: Carried, ann: User, omar: User) -> Release:
    """Signed by Ann and Omar; Olga registered it."""
    release = registered()
    make_ready(release, carried.olga, ann, omar)
    return release
