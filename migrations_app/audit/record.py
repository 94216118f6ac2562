"""Append one audit entry in the caller's transaction: both are committed, or neither."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from django.contrib.auth.models import User
from django.db import connection

from migrations_app.audit.body import canonical
from migrations_app.models import AuditEntry
from migrations_app.permissions import roles_of

SYSTEM = "system"


class OutsideTransaction(RuntimeError):
    """An entry was about to be written apart from the change it tells about."""


def record(
    *,
    actor: User | None,
    action: str,
    object: str,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    request_id: str = "",
) -> AuditEntry:
    """Write who did what to which object. Call it last: the chain is locked from here until COMMIT."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"record({action!r}) must be called inside the transaction of the change")
    body = canonical(
        {
            "actor": actor.get_username() if actor else SYSTEM,
            "roles": sorted(roles_of(actor)) if actor else [],
            "action": action,
            "object": object,
            "before": before,
            "after": after,
            "request_id": request_id or _bound_request_id(),
            # The prefix of the API token that was used; the key is not named "token" so that it is kept.
            "via_token": getattr(actor, "token_prefix", ""),
        }
    )
    return AuditEntry.objects.raw("SELECT * FROM audit_append(%s)", [body])[0]


def _bound_request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
