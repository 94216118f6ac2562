"""A release of the third revision, with a word for each fact."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Release, Service
from migrations_app.releases.gates import facts
from migrations_app.releases.registering import register_release
from tests.edge.fleet import make_service
from tests.edge.releases import make_chain

Look = Callable[..., tuple[str, str]]


@pytest.fixture
def service(olga: User) -> Service:
    made = make_service(olga)
    make_chain(made, ("sc-1", "sc-2", "sc-3", "sc-4", "sc-5"))
    return made


@pytest.fixture
def shop(service: Service, olga: User) -> Release:
    """Its head is 0003_step."""
    return register_release(service=service, release_id="2.0", schema_rev="sc-3", by=olga).release


@pytest.fixture
def look(shop: Release) -> Look:
    """State and sentence of a fact by its name."""

    def found(name: str, **settings: object) -> tuple[str, str]:
        outcome = facts.look(name, Release.objects.get(pk=shop.pk), settings)
        return outcome.state, outcome.sentence

    return found
