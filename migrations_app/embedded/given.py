"""Servers the user named instead of the embedded ones: asked before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from migrations_app.embedded.program import say
from migrations_app.engine.errors import Refused

PATIENCE_SECONDS = 5


def check(environment: Mapping[str, str]) -> None:
    """Refuse a database that does not answer. Without Redis runs only start later, so that is said and no more."""
    database, redis = _value(environment, "LOCKSTEP_DATABASE_URL"), _value(environment, "LOCKSTEP_REDIS_URL")
    if database:
        _ask_database(database)
    if redis:
        _ask_redis(redis)


def _value(environment: Mapping[str, str], name: str) -> str | None:
    """The variable or the content of its file, as the settings read it."""
    path = environment.get(f"{name}_FILE")
    return Path(path).read_text(encoding="utf-8").strip() if path else environment.get(name)


def _ask_database(url: str) -> None:
    try:
        psycopg.connect(url, connect_timeout=PATIENCE_SECONDS).close()
    except psycopg.OperationalError as error:
        raise _unusable(f"that database does not answer: {_first_line(error)}") from None
    except psycopg.Error:
        # The driver's words may repeat part of the address, and with it the password.
        raise _unusable("the value is not an address that can be read") from None


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def _unusable(what: str) -> Refused:
    return Refused(
        "control_database_unreachable",
        f"LOCKSTEP_DATABASE_URL is set, and {what}.",
        not_done="Nothing was started.",
        next_step="Correct it, or unset it for the embedded PostgreSQL.",
    )


def _ask_redis(url: str) -> None:
    client = None
    try:
        client = Redis.from_url(url, socket_connect_timeout=PATIENCE_SECONDS, socket_timeout=PATIENCE_SECONDS)
        client.ping()
    except (RedisError, ValueError) as error:
        why = _first_line(error) if isinstance(error, RedisError) else "the value is not an address that can be read"
        say(
            "up",
            f"LOCKSTEP_REDIS_URL is set, and that Redis does not answer: {why}. Runs start without it, only later.",
        )
    finally:
        if client is not None:
            client.close()
