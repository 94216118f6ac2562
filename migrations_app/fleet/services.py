"""Services: adding one, in one transaction with its audit entry."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.fleet.names import check_name
from migrations_app.models import Service


def create_service(*, name: str, by: User) -> Service:
    """Add a service; its name is for good, since targets and audit entries keep it."""
    check_name("service's name", name)
    try:
        with transaction.atomic():
            service = Service.objects.create(name=name, created_by=by)
            record(actor=by, action="service.create", object=f"service:{name}")
    except IntegrityError:
        raise Refused(
            "service_exists",
            f"There is a service named {name} already.",
            not_done="Nothing was stored.",
            next_step="Choose another name, or use that service.",
        ) from None
    return service
