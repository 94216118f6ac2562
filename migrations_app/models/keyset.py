"""Paging by key over two columns: one comparison of rows, by which an index on both can be entered."""

from __future__ import annotations

from django.db.models import F, Func, TextField, Value
from django.db.models.lookups import LessThan


class _Row(Func):
    function = "ROW"
    output_field = TextField()  # never read: it is only compared


def before(**key: object) -> LessThan:
    """`before(applied_at=x, id=y)` is (applied_at, id) < (x, y); said with AND and OR it reads what was skipped."""
    return LessThan(_Row(*(F(name) for name in key)), _Row(*(Value(value) for value in key.values())))
