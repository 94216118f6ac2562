"""The chains of schemas by the versions that triggers give them: read once, and kept while nothing of them changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from migrations_app.releases.schema_chain import SchemaChain, spans_of

Ask = Callable[[str, Mapping[str, Any]], tuple[Any, ...] | None]

MOST = 500
_READ = """
SELECT COALESCE((SELECT version FROM migrations_app_chaintally WHERE service_id = %(service)s), 0),
       (SELECT json_agg(json_build_array(position, schema_rev) ORDER BY position)
          FROM migrations_app_revision WHERE service_id = %(service)s AND schema_rev <> '')::text
"""
_kept: dict[int, tuple[int, SchemaChain]] = {}
_lock = Lock()


def chain_of(service: int, version: int, ask: Ask) -> SchemaChain | None:
    """None where the chain changed since its version was read."""
    kept = _kept.get(service)
    if kept is not None and kept[0] == version:
        return kept[1]
    row = ask(_READ, {"service": service})
    assert row is not None
    chain = SchemaChain(spans_of([(position, name) for position, name in json.loads(row[1] or "[]")]))
    if row[0] != version:
        return None
    with _lock:
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[service] = (version, chain)
    return chain
