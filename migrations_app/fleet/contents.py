"""Whole schemas, kept once by their fingerprint: a reading of 60 equal environments costs the room of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.db import connection, transaction
from django.db.models.functions import Now

from migrations_app.engine.target.compare import Difference, compare
from migrations_app.engine.target.fingerprint import VERSION, CatalogueObject, hash_of
from migrations_app.locks import SCHEMA_CONTENTS
from migrations_app.models import SchemaContent, SchemaDefinition, SchemaDrift, SchemaReading

UNUSED_FOR = timedelta(hours=1)
_BATCH = 5_000


@dataclass(frozen=True)
class Entry:
    """One object of a content; its definition is told by its hash."""

    kind: str
    name: str
    sha256: str
    position: int

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name


def measured(fingerprint: str) -> bool:
    """Whether it can be compared with what is read now: taken at all, and by the same rules."""
    return fingerprint.startswith(f"fp:{VERSION}:")


def store_content(objects: Sequence[CatalogueObject]) -> SchemaContent:
    """The row of this schema, made unless somebody has read the same before."""
    ordered = sorted(objects)
    whole = hash_of(ordered)
    if SchemaContent.objects.filter(pk=str(whole)).update(used_at=Now()):
        return SchemaContent.objects.defer("objects_read").get(pk=str(whole))
    hashed = [(one, sha256(one.definition.encode()).hexdigest()) for one in ordered]
    with transaction.atomic():
        _lock()
        _store_definitions({digest: one.definition for one, digest in hashed})
        content, _ = SchemaContent.objects.get_or_create(
            fingerprint=str(whole),
            defaults={
                "logical": whole.logical,
                "shape": whole.shape,
                "size": whole.objects,
                "objects_read": [[one.kind, one.name, digest, one.position] for one, digest in hashed],
            },
        )
    return content


def entries(content: SchemaContent) -> tuple[Entry, ...]:
    return tuple(Entry(*row) for row in content.objects_read)


def with_definitions(found: Iterable[Entry]) -> tuple[CatalogueObject, ...]:
    """The objects as they were read."""
    wanted = tuple(found)
    texts = definitions({entry.sha256 for entry in wanted})
    return tuple(CatalogueObject(one.kind, one.name, texts[one.sha256], one.position) for one in wanted)


def definitions(hashes: Iterable[str]) -> Mapping[str, str]:
    return dict(SchemaDefinition.objects.filter(pk__in=set(hashes)).values_list("sha256", "definition"))


def compare_contents(before: SchemaContent, after: SchemaContent) -> tuple[Difference, ...]:
    """What differs, by kind and name; only the definitions of these are loaded."""
    if before.pk == after.pk:
        return ()
    old, new = ({entry.key: entry for entry in entries(content)} for content in (before, after))
    odd = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    sides = [with_definitions(side[key] for key in odd if key in side) for side in (old, new)]
    return compare(*sides)


def prune_contents() -> int:
    """Forget contents that no reading and no drift names any more, and definitions that none of the others has."""
    with transaction.atomic():
        _lock()
        named = {
            *SchemaReading.objects.values_list("content_id", flat=True).distinct(),
            *SchemaDrift.objects.values_list("found_id", flat=True),
            *SchemaDrift.objects.exclude(baseline=None).values_list("baseline_id", flat=True),
        }
        # What was read just now is about to be named.
        unnamed = SchemaContent.objects.filter(used_at__lt=Now() - UNUSED_FOR).exclude(pk__in=named)
        gone = unnamed.count()
        if gone:
            unnamed.delete()
            _forget_definitions()
        return gone


def _store_definitions(texts: Mapping[str, str]) -> None:
    known = set(SchemaDefinition.objects.filter(pk__in=texts).values_list("sha256", flat=True))
    new = [SchemaDefinition(sha256=digest, definition=text) for digest, text in texts.items() if digest not in known]
    SchemaDefinition.objects.bulk_create(new, batch_size=_BATCH, ignore_conflicts=True)


def _forget_definitions() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM migrations_app_schemadefinition WHERE sha256 NOT IN ("
            " SELECT one ->> 2 FROM migrations_app_schemacontent, jsonb_array_elements(objects_read) AS one)"
        )


def _lock() -> None:
    """Whoever stores a content relies on definitions that whoever forgets some would take away."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", SCHEMA_CONTENTS)
