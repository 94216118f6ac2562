"""Every environment of a stage stands at the release's revision or above; `stage` empty: all of them."""

from __future__ import annotations

from collections.abc import Mapping

from migrations_app.models import Environment, Release, Revision
from migrations_app.releases.gates.facts import outcome
from migrations_app.releases.gates.known import Outcome
from migrations_app.releases.gates.pending import head_of
from migrations_app.statuses import CheckState


def look(release: Release, settings: Mapping[str, object]) -> Outcome:
    stage = str(settings.get("stage", ""))
    environments = Environment.objects.filter(service_id=release.service_id).order_by("order", "name")
    heads = dict((environments.filter(stage=stage) if stage else environments).values_list("name", "head_revision"))
    if not heads:
        where = f"of the stage {stage}" if stage else "yet"
        return outcome(CheckState.NOT_APPLICABLE, f"There is no environment {where}.")
    head = head_of(release)
    wanted = {head, *heads.values()}
    chain = Revision.objects.filter(service_id=release.service_id, revision_id__in=wanted)
    places = dict(chain.values_list("revision_id", "position"))
    behind = [name for name, at in heads.items() if not head or places.get(at, 0) < places.get(head, 1)]
    if behind:
        return outcome(CheckState.FAIL, f"{head or 'Its revision'} is not applied in {', '.join(behind)}.", behind)
    return outcome(CheckState.PASS, f"{head} is applied in {', '.join(heads)}.")
