"""The calendar of freezes: times in which nothing is applied to production."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access, access_cutovers
from dashboard.api.cursor import After, Limit, page
from dashboard.api.shapes import Asking, Moment, Reason, Telling, When, answers
from migrations_app.fleet.freezes import add_freeze, lift_freeze

router = Router(tags=["freezes"])


class NewFreeze(Asking):
    """Without a service it holds for all."""

    service: Annotated[str, Field(max_length=63)] = ""
    starts_at: When
    ends_at: When
    reason: Reason


class Lifting(Asking):
    reason: Reason


class FreezeOut(Telling):
    id: int
    service: str
    starts_at: Moment
    ends_at: Moment
    reason: str
    created_by: str
    created_at: Moment
    lifted_at: Moment | None
    lifted_by: str


class FreezesOut(Telling):
    freezes: list[FreezeOut]
    next: str | None


@router.get("", response=answers(FreezesOut), operation_id="list_freezes")
def list_freezes(request: HttpRequest, after: After = "", limit: Limit = 50) -> FreezesOut:
    """Newest first, those that are over as well, a page at a time."""
    found, more = page(access_cutovers.freezes_for(request.user).order_by("-id"), "freezes", after, limit)
    return FreezesOut(freezes=[_told(one) for one in found], next=more)


@router.post("", response=answers(FreezeOut, 201), operation_id="add_freeze")
def add(request: HttpRequest, body: NewFreeze) -> Status[FreezeOut]:
    by = access.require(request.user, "edit_freezes", f"freezes:{body.service or 'all'}")
    service = access.service_for(request.user, body.service) if body.service else None
    row = add_freeze(service=service, starts_at=body.starts_at, ends_at=body.ends_at, reason=body.reason, by=by)
    return Status(201, _told(access_cutovers.freeze_for(request.user, row.pk)))


@router.post("/{int:freeze_number}/lift", response=answers(FreezeOut, also=409), operation_id="lift_freeze")
def lift(request: HttpRequest, freeze_number: int, body: Lifting) -> FreezeOut:
    """End it before its time."""
    freeze = access_cutovers.freeze_for(request.user, freeze_number, "edit_freezes")
    lift_freeze(freeze, reason=body.reason, by=access.require(request.user, "edit_freezes"))
    return _told(access_cutovers.freeze_for(request.user, freeze_number))


def _told(freeze: access_cutovers.Freeze) -> FreezeOut:
    same = ("starts_at", "ends_at", "reason", "created_at", "lifted_at")
    return FreezeOut(
        **{name: getattr(freeze, name) for name in same},
        id=freeze.pk,
        service=freeze.service.name if freeze.service else "",
        created_by=freeze.created_by.get_username(),
        lifted_by=freeze.lifted_by.get_username() if freeze.lifted_by else "",
    )
