"""Which environments are production: the last stage of their service, or a stage that is called so.

Being wrong here costs a typed name too many, never a click too few.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.db.models.functions import Lower

from migrations_app.models import Environment

NAMES = frozenset({"prod", "production"})

_Place = tuple[int, int, str, int]  # id, service, stage, order
_PLACE = ("id", "service_id", "stage", "order")


def is_called_production(environment: Environment) -> bool:
    """By the name of its stage alone: for rules that cost more than a typed name."""
    return environment.stage.lower() in NAMES


def called_production() -> QuerySet[Environment]:
    """By the name of their stage alone, over all services."""
    return Environment.objects.alias(called=Lower("stage")).filter(called__in=NAMES)


def is_production(environment: Environment) -> bool:
    """One query, and none when the stage is called production."""
    if is_called_production(environment):
        return True
    siblings = Environment.objects.filter(service_id=environment.service_id).values_list(*_PLACE)
    return environment.pk in _production(siblings)


def production_ids() -> set[int]:
    """Over all services, in one query."""
    return _production(Environment.objects.values_list(*_PLACE))


def _production(places: Iterable[_Place]) -> set[int]:
    rows = list(places)
    last: dict[int, tuple[int, str]] = {}
    for _, service, stage, order in rows:
        last[service] = max(last.get(service, (order, stage)), (order, stage))
    return {pk for pk, service, stage, _ in rows if stage.lower() in NAMES or stage == last[service][1]}
