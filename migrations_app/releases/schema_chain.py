"""The names that revisions give their schema, by place in the chain; names are never compared as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrations_app.models import Revision, Service


@dataclass(frozen=True)
class Span:
    """The places of the chain at which one schema_rev stands, both included."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class SchemaChain:
    """In the order of the chain. A name that comes again after another one says nothing about a place."""

    spans: tuple[Span, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(span.name for span in self.spans))

    def of(self, name: str) -> tuple[Span, ...]:
        """One span where the name is clear, none where no revision declares it, several where it cannot be told."""
        return tuple(span for span in self.spans if span.name == name)

    def at(self, place: int) -> Span | None:
        """The newest that is declared at or below a place."""
        return next((span for span in reversed(self.spans) if span.first <= place), None)


def read_schema_chain(service: Service) -> SchemaChain:
    """One query, without SQL of the revisions."""
    declared = Revision.objects.filter(service=service).exclude(schema_rev="").order_by("position")
    return SchemaChain(spans_of(list(declared.values_list("position", "schema_rev"))))


def spans_of(declared: Sequence[tuple[int, str]]) -> tuple[Span, ...]:
    """Each reaches to where another name begins, the last one to the end of the chain, however long that grows."""
    begins = [row for before, row in zip([(0, ""), *declared], declared, strict=False) if before[1] != row[1]]
    nexts = [*(place for place, _ in begins[1:]), 2**31]
    return tuple(Span(name, first, after - 1) for (first, name), after in zip(begins, nexts, strict=False))
