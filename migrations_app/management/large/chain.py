"""The revisions of a made-up service: every file is read as an uploaded one is, then stored by COPY."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection

from migrations_app.fleet.revisions import read_draft
from migrations_app.management.large.templates import Made, revisions
from migrations_app.models import Revision, Service
from migrations_app.runs.actions import run_steps
from migrations_app.runs.planning import planned

_REVISION = (
    "service_id", "revision_id", "parent", "position", "schema_rev", "phase", "up", "down", "verify", "checksum",
    "down_checksum", "verify_checksum", "up_script", "down_script", "verify_script", "refused_checksum", "created_at",
    "created_by_id",
)  # fmt: skip
_SCRIPTS = ("up_script", "down_script", "verify_script")
_STEP = ("revision_id", "n", "of", "mode", "statements", "summary", "lock", "sql_sha256")


def store_chain(service: Service, count: int, *, by: User, until: datetime, span: timedelta) -> None:
    """1. Read each file. 2. Store the revision. 3. Keep its steps in made_step."""
    steps: list[tuple[object, ...]] = []
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY migrations_app_revision ({', '.join(_REVISION)}) FROM STDIN") as rows:
            parent = ""
            for position, made in enumerate(revisions(count), start=1):
                revision = _revision(service, made, parent, position)
                revision.created_at = until - span * (1.002 - position / count)
                revision.created_by = by
                rows.write_row([_stored(revision, name) for name in _REVISION])
                steps.extend(_steps(revision))
                parent = made.revision_id
        with cursor.copy(f"COPY made_step (service_id, position, direction, {', '.join(_STEP)}) FROM STDIN") as rows:
            for step in steps:
                rows.write_row(step)


def _revision(service: Service, made: Made, parent: str, position: int) -> Revision:
    draft = read_draft(made.revision_id, made.up, made.down, made.verify)
    return Revision(
        service=service,
        revision_id=made.revision_id,
        parent=parent,
        position=position,
        schema_rev=draft.schema_rev,
        phase=draft.phase,
        up=draft.up,
        down=draft.down,
        verify=draft.verify,
        **draft.fields,
    )


def _stored(revision: Revision, name: str) -> object:
    value = getattr(revision, name)
    return json.dumps(value) if name in _SCRIPTS and value is not None else value


def _steps(revision: Revision) -> Iterator[tuple[object, ...]]:
    for direction in ("up", "down"):
        if direction == "up" or revision.down_script is not None:
            for row in run_steps([planned(revision, "up" if direction == "up" else "down")]):
                yield (revision.service_id, revision.position, direction, *(row[name] for name in _STEP))
