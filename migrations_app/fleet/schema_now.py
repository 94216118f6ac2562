"""An environment's schema as it stands: its state and the drift that nobody has ended, in one query."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import FilteredRelation, Q

from migrations_app.models import Environment, SchemaDrift, SchemaState
from migrations_app.models.schema import STANDING


@dataclass(frozen=True)
class SchemaNow:
    """Both are None for an environment whose schema nobody has read."""

    state: SchemaState | None
    drift: SchemaDrift | None


def schema_now(environment: Environment) -> SchemaNow:
    standing = FilteredRelation("drifts", condition=Q(drifts__state__in=sorted(STANDING)))
    rows = Environment.objects.annotate(standing=standing).filter(pk=environment.pk)
    found = rows.select_related("schema__reading", "standing__decided_by", "standing__planned_by").first()  # type: ignore[misc]
    state = found.schema if found is not None and hasattr(found, "schema") else None
    return SchemaNow(state, getattr(found, "standing", None))
