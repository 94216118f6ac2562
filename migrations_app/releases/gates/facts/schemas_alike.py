"""Environments at the same revision have the same schema, without owners, rights and comments."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from migrations_app.fleet.parity import Depth, Major, read_parity
from migrations_app.models import Release
from migrations_app.releases.gates.facts import outcome
from migrations_app.releases.gates.known import Outcome
from migrations_app.statuses import CheckState


def look(release: Release, settings: Mapping[str, object]) -> Outcome:
    parity = read_parity(release.service, Depth.SHAPE, timezone.now())
    if not parity.known and not parity.unknown:
        return outcome(CheckState.NOT_APPLICABLE, "There is no environment yet.")
    parted = [told for major in parity.majors for told in _parted(major)]
    if parted:
        return outcome(CheckState.FAIL, " ".join(parted), parted)
    if parity.unknown:
        place = parity.unknown[0]
        names = [one.name for one in parity.unknown]
        return outcome(CheckState.MISSING, f"The schema of {place.name} is unknown: {place.doubt}.", names)
    return outcome(CheckState.PASS, "Environments at the same revision have the same schema.")


def _parted(major: Major) -> list[str]:
    """One sentence for each revision at which there are several schemas."""
    at: dict[str, list[str]] = {}
    for group in major.groups:
        for head in group.heads:
            names = [place.name for place in group.places if place.head == head]
            at.setdefault(head, []).append(" and ".join(names))
    return [
        f"At {head} there are {len(sides)} schemas: {' against '.join(sides)}."
        for head, sides in at.items()
        if len(sides) > 1
    ]
