"""Every environment of a stage stands at the release's revision or above; `stage` empty: all of them."""

from __future__ import annotations

from collections.abc import Mapping

from migrations_app.models import Environment, Release, Revision
from migrations_app.releases.gates.facts import outcome
from migrations_app.releases.gates.known import Outcome
from migrations_app.releases.gates.pending import head_of
from migrations_app.statuses import CheckState

SETTINGS = frozenset({"stage"})


def look(release: Release, settings: Mapping[str, object]) -> Outcome:
    stage = str(settings.get("stage", ""))
    environments = Environment.objects.filter(service_id=release.service_id).order_by("order", "name")
    heads = dict((environments.filter(stage=stage) if stage else environments).values_list("name", "head_revision"))
    if not heads and stage:
        # Were this green, a stage with a slip in its name would be.
        return outcome(CheckState.MISSING, f"There is no environment of the stage {stage}.")
    if not heads:
        return outcome(CheckState.NOT_APPLICABLE, "There is no environment yet.")
    head = head_of(release)
    wanted = {head, *heads.values()}
    chain = Revision.objects.filter(service_id=release.service_id, revision_id__in=wanted)
    places = dict(chain.values_list("revision_id", "position"))
    if head not in places:
        return outcome(CheckState.FAIL, f"{head or 'Its revision'} is not in the chain any more.", "gone")
    behind = [name for name, at in heads.items() if places.get(at, 0) < places[head]]
    if behind:
        return outcome(CheckState.FAIL, f"{head} is not applied in {', '.join(behind)}.", behind)
    return outcome(CheckState.PASS, f"{head} is applied in {', '.join(heads)}.")
