"""Cutovers, broken glass and freezes are found through look-ups that check permission."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404

from dashboard import access_cutovers
from migrations_app.models import AuditEntry, Cutover
from tests.edge.cutovers import make_cutover, make_freeze, make_glass
from tests.edge.fleet import make_environment, make_revision, make_service
from tests.edge.people import person
from tests.edge.releases import make_release

pytestmark = pytest.mark.django_db


@pytest.fixture
def cutover(olga: User) -> Cutover:
    service = make_service(olga)
    make_revision(service, 1, schema_rev="sc-1")
    make_environment(service)
    return make_cutover(make_release(service, olga, "1.0", "sc-1"), olga, person("second"))


def test_it_finds_for_those_who_may_look(vic: User, cutover: Cutover) -> None:
    assert access_cutovers.cutover_for(vic, cutover.pk) == cutover
    assert [step.environment.name for step in access_cutovers.steps_of_cutover_for(vic, cutover)] == ["orders-eu"]
    assert [gate.gate_key for gate in access_cutovers.gates_of_cutover_for(vic, cutover)] == ["tests"]
    asked = make_glass(cutover.release, cutover.requested_by)
    assert list(access_cutovers.glasses_for(vic, cutover.release)) == [asked, cutover.glass]
    assert access_cutovers.glass_for(vic, asked.pk) == asked
    freeze = make_freeze(cutover.requested_by)
    assert access_cutovers.freeze_for(vic, freeze.pk) == freeze


def test_it_answers_404_for_what_is_not_there(vic: User) -> None:
    for look in (access_cutovers.cutover_for, access_cutovers.glass_for, access_cutovers.freeze_for):
        with pytest.raises(Http404):
            look(vic, 10**30)


def test_it_refuses_and_records_who_may_not(vic: User, cutover: Cutover) -> None:
    looks: tuple[Callable[[], object], ...] = (
        lambda: access_cutovers.cutover_for(vic, cutover.pk, "cut_over"),
        lambda: access_cutovers.glass_for(vic, cutover.glass_id or 0, "break_glass"),
        lambda: access_cutovers.glasses_for(vic, cutover.release, "break_glass"),
        lambda: access_cutovers.freeze_for(vic, 1, "edit_freezes"),
    )
    for number, look in enumerate(looks, start=1):
        with pytest.raises(PermissionDenied):
            look()
        assert AuditEntry.objects.filter(data__action="denied").count() == number
