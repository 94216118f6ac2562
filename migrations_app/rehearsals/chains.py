"""What a revision stands on: one hash over the ids and bytes of the chain up to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from migrations_app.models import Revision


def chain_hashes(service_id: int) -> dict[str, str]:
    links = Revision.objects.filter(service_id=service_id).order_by("position")
    return linked(links.values_list("revision_id", "checksum"))


def linked(revisions: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One for each revision. It changes when the revision or one below it has other bytes, another id or place."""
    hashes, last = {}, ""
    for revision_id, checksum in revisions:
        last = hashlib.sha256(json.dumps([last, revision_id, checksum]).encode()).hexdigest()
        hashes[revision_id] = last
    return hashes
