"""Services: list, look, create."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.shapes import Asking, Moment, NewName, Telling, answers
from migrations_app.fleet import services

router = Router(tags=["services"])


class NewService(Asking):
    name: NewName


class ServiceOut(Telling):
    name: str
    created_at: Moment
    created_by: str


class ServicesOut(Telling):
    services: list[ServiceOut]
    next: str | None


def told(service: access.Service) -> ServiceOut:
    return ServiceOut(name=service.name, created_at=service.created_at, created_by=service.created_by.get_username())


@router.get("", response=answers(ServicesOut), operation_id="list_services")
def list_services(request: HttpRequest, after: After = "", limit: Limit = 50) -> ServicesOut:
    """By name, a page at a time."""
    rows = access.services_for(request.user).order_by("name")
    if after:
        rows = rows.filter(name__gt=read("services", after)[0])
    found = list(rows[: limit + 1])
    more = write("services", found[limit - 1].name) if len(found) > limit else None
    return ServicesOut(services=[told(service) for service in found[:limit]], next=more)


@router.post("", response=answers(ServiceOut, 201, also=409), operation_id="create_service")
def create_service(request: HttpRequest, body: NewService) -> Status[ServiceOut]:
    by = access.require(request.user, "edit_fleet", f"service:{body.name}")
    return Status(201, told(services.create_service(name=body.name, by=by)))


@router.get("/{service}", response=answers(ServiceOut), operation_id="get_service")
def get_service(request: HttpRequest, service: str) -> ServiceOut:
    return told(access.service_for(request.user, service))
