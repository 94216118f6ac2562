from __future__ import annotations

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.fleet.services import create_service
from migrations_app.models import Service
from tests.fleet.people import administrator, audited

pytestmark = pytest.mark.django_db


def test_it_adds_a_service_and_says_who_did() -> None:
    by = administrator()
    service = create_service(name="orders", by=by)
    assert (service.name, service.created_by) == ("orders", by)
    assert audited() == [("service.create", "service:orders")]


def test_it_refuses_a_name_that_is_taken() -> None:
    create_service(name="orders", by=administrator())
    with pytest.raises(Refused) as caught:
        create_service(name="orders", by=administrator("eve"))
    assert (caught.value.code, caught.value.message) == (
        "service_exists",
        "There is a service named orders already.",
    )
    assert (Service.objects.count(), len(audited())) == (1, 1)


@pytest.mark.parametrize("name", ["", "Orders", "orders/eu"])
def test_it_refuses_a_bad_name(name: str) -> None:
    with pytest.raises(Refused) as caught:
        create_service(name=name, by=administrator())
    assert caught.value.code == "bad_name"
    assert not Service.objects.exists() and audited() == []
