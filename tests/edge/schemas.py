"""Readings and drift as plain rows, made of a few objects: what a test of the edge looks at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from migrations_app.engine.target.fingerprint import CatalogueObject
from migrations_app.fleet.contents import compare_contents, store_content
from migrations_app.fleet.schema_words import summary, telling
from migrations_app.models import Environment, SchemaDrift, SchemaReading, SchemaState
from migrations_app.models.schema import Known, Source

TABLE = CatalogueObject("table", "public.orders", "using: heap", 0)
COLUMN = CatalogueObject("column", "public.orders.id", "type: bigint\nnot null", 1)
NOTE = CatalogueObject("column", "public.orders.note", "type: text", 2)
INDEX = CatalogueObject("index", "public.orders_id", "CREATE INDEX orders_id ON public.orders USING btree (id)", 0)
HASHED = CatalogueObject("index", "public.orders_id", "CREATE INDEX orders_id ON public.orders USING hash (id)", 0)
OWNER = CatalogueObject("owner", "table public.orders", "app_eu", 0)
USUAL = (TABLE, COLUMN, INDEX)


def make_reading(
    environment: Environment,
    objects: Sequence[CatalogueObject] = USUAL,
    *,
    major: int = 18,
    agrees: bool | None = True,
    read_at: datetime | None = None,
    failure: str = "",
) -> SchemaState:
    """What the newest reading found, and that it is what was expected unless it says otherwise."""
    content, now = store_content(objects), read_at or timezone.now()
    reading = SchemaReading.objects.create(
        environment=environment,
        content=content,
        head_seq=environment.head_seq,
        head_revision=environment.head_revision,
        server_version_num=major * 10_000 + 1,
        source=Source.SCHEDULE,
        taken_at=now,
        seen_until=now,
        agrees=agrees,
    )
    state, _ = SchemaState.objects.update_or_create(
        environment=environment,
        defaults={
            "reading": reading,
            "read_at": now,
            "tried_at": now,
            "failure": failure,
            "expected": content.pk,
            "expected_by": Known.RECEIPT,
            "clean_at": now if agrees else None,
        },
    )
    return state


def make_drift(
    environment: Environment,
    found: Sequence[CatalogueObject] = (TABLE, COLUMN, NOTE, HASHED),
    expected: Sequence[CatalogueObject] = USUAL,
    **fields: object,
) -> SchemaDrift:
    """The environment was read as `expected`, then as `found`."""
    before, after, now = store_content(expected), store_content(found), timezone.now()
    make_reading(environment, expected)
    make_reading(environment, found, agrees=False)
    differing = telling(compare_contents(before, after))
    given: dict[str, object] = {
        "environment": environment,
        "found_at": now,
        "last_seen_at": now,
        "last_clean_at": now,
        "head_seq": environment.head_seq,
        "server_version_num": 180_001,
        "expected": before.pk,
        "expected_by": Known.RECEIPT,
        "baseline": before,
        "found": after,
        "differences": len(differing),
        "summary": summary(differing),
        "changed_by": [change()],
    }
    return SchemaDrift.objects.create(**given | fields)


def change(**fields: str) -> dict[str, str]:
    """A line of the target's own log."""
    return {
        "at": timezone.now().isoformat(),
        "login": "mallory",
        "role": "mallory",
        "application": "psql",
        "address": "10.0.0.9",
        "tag": "ALTER TABLE",
        "object": "table column public.orders.note",
        "statement": "ALTER TABLE orders ADD note text",
        **fields,
    }
