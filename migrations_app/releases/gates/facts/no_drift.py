"""No target of the service differs from what its receipts left; one that was not read lately is not called fine."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from migrations_app.fleet.schema_words import UNKNOWN, Standing, stands
from migrations_app.models import Environment, Release, SchemaDrift, SchemaState
from migrations_app.models.schema import STANDING
from migrations_app.releases.gates.facts import outcome
from migrations_app.releases.gates.known import Outcome
from migrations_app.statuses import CheckState

_DIFFERS = frozenset({Standing.DRIFTED, Standing.IGNORED, Standing.HALF_DONE})


def look(release: Release, settings: Mapping[str, object]) -> Outcome:
    environments = list(Environment.objects.filter(service_id=release.service_id).order_by("order", "name"))
    if not environments:
        return outcome(CheckState.NOT_APPLICABLE, "There is no environment yet.")
    of_service = {"environment__service_id": release.service_id}
    states = {one.environment_id: one for one in SchemaState.objects.filter(**of_service)}
    drifts = {one.environment_id: one for one in SchemaDrift.objects.filter(state__in=sorted(STANDING), **of_service)}
    now = timezone.now()
    words = {one.name: stands(states.get(one.pk), drifts.get(one.pk), now) for one in environments}
    differ = [name for name, word in words.items() if word.standing in _DIFFERS]
    if differ:
        told = f"{differ[0]}: {words[differ[0]].sentence} {words[differ[0]].more}".rstrip()
        return outcome(CheckState.FAIL, _and_more(told, len(differ)), differ)
    unknown = [name for name, word in words.items() if word.standing in UNKNOWN]
    if unknown:
        told = f"{unknown[0]}: {words[unknown[0]].sentence}"
        return outcome(CheckState.MISSING, _and_more(told, len(unknown)), unknown)
    first = [name for name, word in words.items() if word.standing == Standing.BASELINE]
    others = [name for name in words if name not in first]
    sentences = [f"{', '.join(others)}: as their receipts left them."] if others else []
    if first:
        sentences.append(f"{', '.join(first)}: as first read, for no receipt says how they have to be.")
    return outcome(CheckState.PASS, " ".join(sentences))


def _and_more(told: str, count: int) -> str:
    return f"{told} So {'does' if count == 2 else 'do'} {count - 1} more." if count > 1 else told
