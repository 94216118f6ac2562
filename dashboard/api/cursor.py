"""Keyset cursors in the API: the texts that `next` gives and `after` takes."""

from __future__ import annotations

from typing import Annotated, TypeVar

from django.db.models import Model, QuerySet
from ninja import Query
from ninja.errors import ValidationError

from dashboard import cursors

T = TypeVar("T", bound=Model)
LONGEST = 600
MOST = 200

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many rows at most.")]
After = Annotated[str, Query(max_length=LONGEST, description="`next` of the page before.")]


def write(of: str, *key: str | int) -> str:
    """`of` names the list, with its service where each has its own."""
    return cursors.write(f"API: {of}", *key)


def read(of: str, text: str) -> cursors.Key:
    """The key of a cursor of that list. Raises ValidationError for anything else."""
    key = cursors.read(f"API: {of}", text)
    if key is None:
        message = "it is no cursor of this list; leave it out to begin at the first page"
        raise ValidationError([{"loc": ("query", "after"), "type": "cursor", "msg": message}])
    return key


def page(rows: QuerySet[T], of: str, after: str, limit: int, key: str = "id") -> tuple[list[T], str | None]:
    """Those below a cursor of rows that stand by `key`, the greatest first, and `next`."""
    if after:
        rows = rows.filter(**{f"{key}__lt": read(of, after)[0]})
    found = list(rows[: limit + 1])
    return found[:limit], write(of, getattr(found[limit - 1], key)) if len(found) > limit else None
