"""What the demonstration reports about its newest release, and that it does so once."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.management import demo_gates
from migrations_app.management.demo_fleet import RELEASES
from migrations_app.models import GateEvidence, GateSignature, Release, Service
from migrations_app.permissions import RELEASE_MANAGER
from migrations_app.releases.gates.judging import Verdict
from migrations_app.releases.gates.reading import judged
from migrations_app.releases.registering import register_release
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def newest(service: Service, olga: User) -> Release:
    name = RELEASES[-1].release_id
    return register_release(service=service, release_id=name, schema_rev="sc-10", by=olga).release


def verdict(release: Release) -> Verdict:
    return judged(release).verdict


def test_some_gates_pass_and_are_signed_and_others_block(service: Service, newest: Release, olga: User) -> None:
    person("ann", RELEASE_MANAGER)
    demo_gates.report(service, olga)
    passing = {gate.gate.key for gate in verdict(newest).gates if gate.passes}
    assert passing == set(demo_gates.SIGNED)
    parity, resilience = (verdict(newest).gate(key) for key in ("functional-parity", "runtime-resilience"))
    assert parity is not None
    assert "no column currency" in parity.sentence
    assert resilience is not None
    assert "runtime-resilience/breakers was reported" in resilience.sentence


def test_it_is_reported_once_and_signed_only_where_somebody_may(service: Service, newest: Release, olga: User) -> None:
    demo_gates.report(service, olga)
    count = GateEvidence.objects.count()
    demo_gates.report(service, olga)
    assert (GateEvidence.objects.count(), GateSignature.objects.count()) == (count, 0)
