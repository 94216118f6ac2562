"""The triggers' counts are those of the rows, whoever changes them and in whatever order."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import AppliedRevision, AppliedTally, ChainTally, Environment, Revision, Service
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    vic: User = person("vic")
    return make_service(vic)


def tally(environment: Environment) -> tuple[int, int]:
    row = AppliedTally.objects.get(environment=environment)
    return row.applied, row.version


def match(environment: Environment, seq: int) -> str:
    return AppliedRevision.objects.get(environment=environment, seq=seq).match


def test_what_is_applied_is_counted_and_its_version_grows(service: Service) -> None:
    for position in (1, 2, 3):
        make_revision(service, position)
    dev, eu = make_environment(service, "dev"), make_environment(service, "eu")
    for seq in (1, 2, 3):
        make_receipt(dev, seq)
    make_receipt(eu, 1)
    assert tally(dev) == (3, 3)
    assert tally(eu) == (1, 1)
    AppliedRevision.objects.filter(revision_id="0001_step").delete()
    assert tally(dev) == (2, 4)
    assert tally(eu) == (0, 2)


def test_other_bytes_are_marked_and_still_counted(service: Service) -> None:
    make_revision(service, 1)
    dev = make_environment(service, "dev")
    make_receipt(dev, 1)
    assert match(dev, 1) == "same"
    AppliedRevision.objects.update(checksum="sha256:other")
    assert match(dev, 1) == "other"
    assert tally(dev)[0] == 1


def test_what_the_chain_does_not_know_is_not_counted_until_it_is_uploaded(service: Service) -> None:
    dev = make_environment(service, "dev")
    make_receipt(dev, 1)
    assert match(dev, 1) == "unknown"
    assert tally(dev)[0] == 0
    make_revision(service, 1)
    assert match(dev, 1) == "same"
    assert tally(dev)[0] == 1


def test_a_revision_of_the_same_name_in_another_service_changes_nothing(service: Service) -> None:
    dev = make_environment(service, "dev")
    make_receipt(dev, 1)
    make_revision(make_service(service.created_by, "other"), 1)
    assert match(dev, 1) == "unknown"


def test_every_change_of_the_chain_has_a_version(service: Service) -> None:
    make_revision(service, 1)
    before = ChainTally.objects.get(service=service).version
    Revision.objects.update(phase="contract")
    assert ChainTally.objects.get(service=service).version > before
