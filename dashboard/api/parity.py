"""A service's schemas side by side: who has the same, and which objects differ."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.shapes import Moment, Telling, answers
from migrations_app.engine.errors import Refused
from migrations_app.fleet.parity import Depth, Differing, compare_groups, read_parity

router = Router(tags=["schema"])


class GroupOut(Telling):
    postgresql: int
    hash: str
    environments: list[str]


class UnknownOut(Telling):
    environment: str
    why: str
    read_at: Moment | None


class VariantOut(Telling):
    """`sha256` of the definition is null where the object is missing."""

    sha256: str | None
    position: int
    environments: list[str]


class ObjectOut(Telling):
    kind: str
    name: str
    variants: list[VariantOut]


class ParityOut(Telling):
    """Groups over all servers; `objects` of the one version that was asked for, else the one most stand on."""

    depth: str
    groups: list[GroupOut]
    unknown: list[UnknownOut]
    postgresql: int | None
    same: int
    differing: int
    objects: list[ObjectOut]
    next: str | None


@router.get("/{service}/schema", response=answers(ParityOut), operation_id="get_parity")
def get_parity(
    request: HttpRequest,
    service: str,
    depth: Literal["objects", "privileges", "exact"] = "objects",
    postgresql: Annotated[int | None, Query(ge=1, lt=1000, description="A major version.")] = None,
    after: After = "",
    limit: Limit = 50,
) -> ParityOut:
    """Who has the same schema, and which objects differ; a page of them at a time."""
    owner = access.service_for(request.user, service)
    of = f"schema objects of {owner.pk}"
    first = int(read(of, after)[0]) if after else 0
    deep = Depth.SHAPE if depth == "objects" else Depth(depth)
    parity = read_parity(owner, deep, timezone.now())
    major = parity.major(postgresql)
    if major is None and postgresql is not None:
        raise _no_such_server(postgresql)
    compared = compare_groups(major, deep) if major else None
    objects = compared.objects if compared else ()
    return ParityOut(
        depth=depth,
        groups=[
            GroupOut(postgresql=each.number, hash=group.hash, environments=list(group.names))
            for each in parity.majors
            for group in each.groups
        ],
        unknown=[UnknownOut(environment=p.name, why=p.doubt, read_at=p.read_at) for p in parity.unknown],
        postgresql=major.number if major else None,
        same=compared.same if compared else 0,
        differing=len(objects),
        objects=[_object(one) for one in objects[first : first + limit]],
        next=write(of, first + limit) if first + limit < len(objects) else None,
    )


def _object(one: Differing) -> ObjectOut:
    variants = [
        VariantOut(sha256=variant.sha256 or None, position=variant.position, environments=list(variant.names))
        for variant in one.variants
    ]
    return ObjectOut(kind=one.kind, name=one.name, variants=variants)


def _no_such_server(number: int) -> Refused:
    return Refused(
        "no_such_server",
        f"No environment of this service is known to stand on PostgreSQL {number}.",
        not_done="Nothing was compared.",
        next_step="Leave the version out; the answer names those that there are.",
    )
