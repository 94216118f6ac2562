"""The revisions below the release are those that stood there when it was registered."""

from __future__ import annotations

from collections.abc import Mapping

from migrations_app.models import Release
from migrations_app.rehearsals.chains import chain_hashes
from migrations_app.releases.gates.facts import outcome
from migrations_app.releases.gates.known import Outcome
from migrations_app.statuses import CheckState


def look(release: Release, settings: Mapping[str, object]) -> Outcome:
    if not release.chain:
        return outcome(
            CheckState.FAIL, "It was registered before its revisions were noted with it: register it anew.", "old"
        )
    stands = chain_hashes(release.service_id).get(release.head_revision, "")
    if not stands:
        return outcome(CheckState.FAIL, f"{release.head_revision} is not in the chain any more.", stands)
    if stands != release.chain:
        told = f"A revision up to {release.head_revision} has other bytes or another place than when it was registered."
        return outcome(CheckState.FAIL, told, stands)
    return outcome(CheckState.PASS, f"Up to {release.head_revision} the chain is as it was registered.", stands)
