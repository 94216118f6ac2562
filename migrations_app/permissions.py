"""Who may do what: one table of verbs and roles. Roles are the names of Django groups and add up."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User

VIEWER, OPERATOR, ON_CALL = "viewer", "operator", "on-call"
RELEASE_MANAGER, ADMIN, AUDITOR = "release-manager", "admin", "auditor"
ROLES = (VIEWER, OPERATOR, ON_CALL, RELEASE_MANAGER, ADMIN, AUDITOR)

_EVERYONE = frozenset(ROLES)
_HANDS = frozenset({OPERATOR, ON_CALL, RELEASE_MANAGER})

VERBS: dict[str, frozenset[str]] = {
    "view": _EVERYONE,
    "view_sql": _EVERYONE - {VIEWER},
    "view_log": _EVERYONE - {VIEWER},
    "view_audit": _EVERYONE - {VIEWER},
    "export": _HANDS | {AUDITOR},
    "verify_audit": frozenset({RELEASE_MANAGER, ADMIN, AUDITOR}),
    "upload_revision": frozenset({OPERATOR, RELEASE_MANAGER, ADMIN}),
    "create_run": _HANDS,
    "control_run": _HANDS,
    "resolve_run": frozenset({ON_CALL, RELEASE_MANAGER}),
    "edit_fleet": frozenset({ADMIN}),
    "own_tokens": _EVERYONE,
    "view_style": frozenset({ADMIN}),
}


def roles_of(user: AbstractBaseUser | AnonymousUser) -> frozenset[str]:
    """The roles that count for this request: the user's groups, or the narrower ones of an API token."""
    narrowed: frozenset[str] | None = getattr(user, "token_roles", None)
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    cached: frozenset[str] | None = getattr(user, "_lockstep_roles", None)
    if cached is None:
        cached = frozenset(user.groups.values_list("name", flat=True)) & _EVERYONE
        user._lockstep_roles = cached  # type: ignore[attr-defined]
    return cached if narrowed is None else cached & narrowed


def may(user: AbstractBaseUser | AnonymousUser, verb: str) -> bool:
    """Whether any of the user's roles allows the verb; an unknown verb is a programming error."""
    return bool(VERBS[verb] & roles_of(user))


def who_may(verb: str) -> str:
    """The roles that allow a verb, for a refusal that tells the reader whom to ask."""
    return ", ".join(role for role in ROLES if role in VERBS[verb])
