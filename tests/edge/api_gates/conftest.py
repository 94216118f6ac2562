"""The same people, release and catalogue of two small gates as where the verbs are tested."""

from __future__ import annotations

import pytest

from migrations_app.models import Service
from tests.edge.releases import make_chain
from tests.releases.gates.conftest import ada, ann, omar, release

__all__ = ["ada", "ann", "omar", "release"]


@pytest.fixture
def service(service: Service) -> Service:
    make_chain(service)
    return service
