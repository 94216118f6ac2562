"""A target registered for the engine alone, as adding an environment would leave it."""

from __future__ import annotations

import uuid

import psycopg

from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.engine.target.identity import claim_identity


def register(url: str) -> uuid.UUID:
    environment = uuid.uuid4()
    with psycopg.connect(url, autocommit=True) as connection:
        ensure_objects(connection)
        claim_identity(connection, installation=uuid.uuid4(), environment=environment, service="bench", name="bench")
    return environment
