"""API tokens: made once and shown once, kept as a hash, narrower than their user if wanted, and they end.

A token reads `lockstep_<prefix>_<secret>`; the prefix finds the row, the SHA-256 of the whole text proves it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import ApiToken
from migrations_app.permissions import ROLES, roles_of

DEFAULT_DAYS, MOST_DAYS = 90, 365
LONGEST_NAME = 100
USED_AT_MOST_EVERY = timedelta(minutes=1)
NO_TOKEN = "0" * 64


class NotAuthentic(Exception):
    """A token that opens nothing; the text says why, as far as its holder may know."""


@dataclass(frozen=True)
class NewToken:
    """`text` is shown to its owner now and never again."""

    token: ApiToken
    text: str = field(repr=False)


def create(*, user: User, by: User | None, name: str = "", role: str = "", days: int = DEFAULT_DAYS) -> NewToken:
    """Make a token for a user. `by` is None on the command line. Raises Refused with status 422 in mind."""
    _check(user, name, role, days)
    prefix = secrets.token_hex(4)
    text = f"lockstep_{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            name=name.strip() or "unnamed",
            prefix=prefix,
            sha256=_digest(text),
            role=role,
            expires_at=timezone.now() + timedelta(days=days),
        )
        _record(token, "token.create", by)
    return NewToken(token, text)


def revoke(token: ApiToken, *, by: User | None) -> None:
    """End a token now. Ending it twice changes nothing."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()) == 1:
            _record(token, "token.revoke", by)


def authenticate(text: str) -> User:
    """The user behind a token, acting with its roles alone. Raises NotAuthentic."""
    token = _find(prefix_of(text))
    if not is_of(token.sha256 if token else None, text) or token is None:
        raise NotAuthentic("The token is not known.")
    now = timezone.now()
    _refuse_ended(token, now)
    _mark_used(token, now)
    return _acting(token)


def prefix_of(text: str) -> str:
    """What finds the row; empty for what no token begins with."""
    prefix = text.partition("lockstep_")[2].partition("_")[0]
    return prefix if prefix.isascii() and prefix.isalnum() else ""


def is_of(sha256: str | None, text: str) -> bool:
    """Whether a hash is the text's, in the same time whether there is one."""
    return hmac.compare_digest(sha256 or NO_TOKEN, _digest(text)) and sha256 is not None


def state_of(token: ApiToken, now: datetime | None = None) -> str:
    """`valid`, `revoked` or `expired`: the word on the page."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at <= (now or timezone.now()) else "valid"


def _check(user: User, name: str, role: str, days: int) -> None:
    not_done = "No token was made."
    if role and role not in ROLES:
        raise Refused("unknown_role", f"{role!r} is no role.", not_done=not_done, next_step=f"Use {', '.join(ROLES)}.")
    if role and role not in roles_of(user):
        raise Refused(
            "role_not_held",
            f"{user.get_username()} does not have the role {role}.",
            not_done=not_done,
            next_step="A token can be narrower than its user, never wider.",
        )
    if not 1 <= days <= MOST_DAYS:
        raise Refused(
            "bad_expiry",
            f"A token cannot be valid for {days} days.",
            not_done=not_done,
            next_step=f"Give 1 to {MOST_DAYS} days.",
        )
    if len(name) > LONGEST_NAME or "\x00" in name:
        raise Refused(
            "bad_name",
            "The name is not usable.",
            not_done=not_done,
            next_step=f"Use up to {LONGEST_NAME} characters.",
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _find(prefix: str) -> ApiToken | None:
    if not prefix:
        return None
    return ApiToken.objects.select_related("user").filter(prefix=prefix).first()


def _refuse_ended(token: ApiToken, now: datetime) -> None:
    if state_of(token, now) == "revoked":
        raise NotAuthentic("The token was revoked.")
    if state_of(token, now) == "expired":
        raise NotAuthentic(f"The token expired at {token.expires_at.isoformat()}.")
    if not token.user.is_active:
        raise NotAuthentic("The user of this token is disabled.")


def _mark_used(token: ApiToken, now: datetime) -> None:
    """At most one write a minute and token, however busy its client is."""
    due = now - USED_AT_MOST_EVERY
    if token.last_used_at is None or token.last_used_at <= due:
        ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=due), pk=token.pk).update(last_used_at=now)


def _acting(token: ApiToken) -> User:
    user = token.user
    user.token_prefix = token.prefix  # type: ignore[attr-defined]
    if token.role:
        user.token_roles = frozenset({token.role})  # type: ignore[attr-defined]
    return user


def _record(token: ApiToken, action: str, by: User | None) -> None:
    after = {
        "user": token.user.get_username(),
        "name": token.name,
        "role": token.role,
        "expires_at": token.expires_at,
    }
    record(actor=by, action=action, object=f"token:{token.prefix}", after=after)
