"""A release as the API tells it; its gates are in gate_shapes.py."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dashboard import access
from dashboard.api.shapes import Moment, Telling
from migrations_app.statuses import RELEASE_SENTENCES


class BuiltOut(Telling):
    """What was built for it, known by its hash."""

    name: str
    sha256: str


class ReleaseOut(Telling):
    """`sentence` says what `status` means; `changed_at` is when anything was last noted about the release."""

    id: int
    service: str
    release_id: str
    schema_rev: str
    schema_rev_min: str
    schema_rev_max: str
    index_hash: str
    secrets_rev: str
    commit: str
    artefacts: list[BuiltOut]
    head_revision: Annotated[str, Field(description="The one that its schema_rev reached to when it was registered.")]
    status: Annotated[str, Field(description="`ready` is told of a single release alone: its gates are judged then.")]
    sentence: str
    changed_at: Moment
    created_at: Moment
    created_by: str


_SAME = frozenset(ReleaseOut.model_fields) - {
    "service", "artefacts", "status", "sentence", "changed_at", "created_by"
}  # fmt: skip


def told(release: access.Release, status: str = "") -> ReleaseOut:
    """`status` where it is known better than it is stored."""
    status = status or release.state.status
    return ReleaseOut(
        service=release.service.name,
        artefacts=[BuiltOut(name=name, sha256=sha256) for name, sha256 in release.artefacts],
        status=status,
        sentence=RELEASE_SENTENCES[status],
        changed_at=release.state.changed_at,
        created_by=release.created_by.get_username(),
        **{name: getattr(release, name) for name in _SAME},
    )
