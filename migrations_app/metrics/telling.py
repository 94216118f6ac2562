"""Names, the words beside them and rows become families; whoever scrapes gets a registry of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Labels = Sequence[str]
Row = tuple[Labels, float]


def gauge(name: str, told: str, labels: Labels = (), rows: Iterable[Row] = ()) -> Metric:
    family = GaugeMetricFamily(name, told, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def counter(name: str, told: str, labels: Labels = (), rows: Iterable[Row] = ()) -> Metric:
    """Of what only grows; the name ends in `_total`."""
    family = CounterMetricFamily(name, told, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def one(name: str, told: str, value: float) -> Metric:
    return gauge(name, told, (), [((), value)])


def each(names: Iterable[str], found: Mapping[str, float]) -> list[Row]:
    """A row for each name, 0 where nothing was found: an alert cannot compare what is not there."""
    return [((name,), found.get(name, 0)) for name in names]


def which(names: Iterable[str], holds: str | None) -> list[Row]:
    """1 for the one that holds and 0 for the others."""
    return [((name,), float(name == holds)) for name in names]


def rows_of(statement: str, given: Mapping[str, Any] | None = None) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        found: list[tuple[object, ...]] = cursor.fetchall()
    return found


def registry_of(families: Sequence[Metric]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Told(families))
    return registry


class _Told(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        return iter(self._families)
