"""Pooled connections as settings.py configures them for a web process, on a database of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections

from dashboard.pooled.base import DatabaseWrapper
from dashboard.pooled.patience import PatientConnection

USUAL = {"min_size": 2, "max_size": 2, "timeout": 5, "connection_class": PatientConnection}


def wrapper(address: str, *, pool: dict[str, Any] | None = None, **options: Any) -> DatabaseWrapper:
    """All that are made of one address share a pool, as the threads of a web process do."""
    parts = psycopg.conninfo.conninfo_to_dict(address)
    settings = {
        **connections["default"].settings_dict,
        "NAME": parts["dbname"],
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": parts.get("port", ""),
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {**options, "pool": {**USUAL, **(pool or {})}},
    }
    return DatabaseWrapper(settings, alias=f"pooled {address}")


@contextmanager
def pooled(address: str, *, pool: dict[str, Any] | None = None, **options: Any) -> Iterator[DatabaseWrapper]:
    made = wrapper(address, pool=pool, **options)
    try:
        yield made
    finally:
        made.close()
        made.close_pool()
