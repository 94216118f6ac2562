"""The release that the tests of gates have, with real SQL, everything that people do, and its bundle."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_app.audit.record import record
from migrations_app.engine.sql.checksum import checksum
from migrations_app.models import Release, Revision, Service
from migrations_app.releases.bundle.make import Bundle, make_bundle
from tests.edge.fleet import make_environment, make_receipt
from tests.releases.conftest import olga  # noqa: F401  a fixture
from tests.releases.gates.conftest import ada, ann, omar, release  # noqa: F401  fixtures
from tests.releases.gates.signed import make_signed

LINES = "ALTER TABLE t ADD COLUMN c{} text;\r\nSELECT 1;\n"


@pytest.fixture
def service(service: Service) -> Service:
    """Its revisions have the checksums of their SQL."""
    for revision in Revision.objects.filter(service=service):
        up = LINES.format(revision.position)
        Revision.objects.filter(pk=revision.pk).update(
            up=up, down="", checksum=checksum(up), down_checksum=checksum("")
        )
    return service


@pytest.fixture
def bundle(release: Release, olga: User, ann: User, omar: User) -> Bundle:  # noqa: F811
    make_receipt(make_environment(release.service), 1)
    make_signed(release, olga, ann, omar)
    for number in range(2):
        record(actor=ann, action="test.done", object=f"thing:{number}")
    return make_bundle(release, ann)


MADE: dict[str, str] = {}


@pytest.fixture
def content(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Made once, for checking it needs no database."""
    if not MADE:
        MADE["text"] = request.getfixturevalue("bundle").text
    read: dict[str, Any] = json.loads(MADE["text"])
    return read
