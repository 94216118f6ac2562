"""Versions of the catalogue: the newest one of a service, and a change as a new version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import GateCatalogue, Service
from migrations_app.reasons import require_reason
from migrations_app.releases.gates import kinds
from migrations_app.releases.gates.catalogue import read_catalogue, sha256_of, shipped

NOT_DONE = "The catalogue was not changed."


def newest_catalogue(service: Service | None) -> GateCatalogue:
    """The service's own, else the one for all; the first one is what came with the product, and is kept from now on."""
    found = shown_catalogue(service)
    if found.pk is None:
        GateCatalogue.objects.bulk_create([found], ignore_conflicts=True)
        found = shown_catalogue(service)
    return found


def shown_catalogue(service: Service | None) -> GateCatalogue:
    """The same for who only looks: before anybody has used the first one there is no row of it."""
    own = GateCatalogue.objects.filter(service=service) if service is not None else GateCatalogue.objects.none()
    return own.order_by("-version").first() or _for_all() or _first()


def _for_all() -> GateCatalogue | None:
    return GateCatalogue.objects.filter(service=None).order_by("-version").first()


def _first() -> GateCatalogue:
    content = shipped()
    note = "As it came with Lockstep."
    return GateCatalogue(service=None, version=1, content=content, sha256=sha256_of(content), note=note)


def edit_catalogue(
    *, service: Service | None, content: object, note: str, by: User, shown: int | None = None
) -> GateCatalogue:
    """Keep a new version; releases that began with an older one keep that.

    `shown` is the version that was edited: another one that came meanwhile is not overwritten. Raises BadCatalogue,
    Refused("reason_missing"), Refused("catalogue_differs"), Refused("catalogue_same").
    """
    kinds.check_settings(read_catalogue(content))
    require_reason(note, "A change of the catalogue", not_done=NOT_DONE, next_step="Say what it is for.")
    assert isinstance(content, Mapping), "read_catalogue() has refused everything else"
    with transaction.atomic():
        _lock(service)
        newest = newest_catalogue(service)
        if shown is not None and shown != newest.version:
            raise Refused(
                "catalogue_differs",
                f"Version {newest.version} was saved while version {shown} was being edited.",
                not_done=NOT_DONE,
                next_step="Open it again and make the change there.",
            )
        if newest.sha256 == sha256_of(content) and newest.service == service:
            raise Refused(
                "catalogue_same",
                f"It is version {newest.version} as it stands.",
                not_done=NOT_DONE,
                next_step="Change it first.",
            )
        made = GateCatalogue.objects.create(
            service=service,
            version=_next_version(service),
            content=content,
            sha256=sha256_of(content),
            note=note.strip(),
            created_by=by,
        )
        made.refresh_from_db()
        record(
            actor=by,
            action="catalogue.edit",
            object=f"catalogue:{service.name if service else 'all'}",
            before={"version": newest.version, "sha256": newest.sha256},
            after={
                "number": made.pk,
                "version": made.version,
                "sha256": made.sha256,
                "note": made.note,
                "at": made.created_at,
                "by": by.pk,
            },
        )
    return made


def _lock(service: Service | None) -> None:
    """One editor at a time: of a service its row, of the one for all its first version."""
    if service is not None:
        Service.objects.select_for_update().get(pk=service.pk)
    else:
        newest_catalogue(None)
        GateCatalogue.objects.select_for_update().get(service=None, version=1)


def _next_version(service: Service | None) -> int:
    found: dict[str, Any] = GateCatalogue.objects.filter(service=service).aggregate(last=Max("version"))
    return (found["last"] or 0) + 1
