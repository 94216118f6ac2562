"""Who may do what: one table of verbs and roles. Roles are the names of Django groups and add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection

from migrations_app.prepared import one_row

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
    "register_release": frozenset({OPERATOR, RELEASE_MANAGER, ADMIN}),
    "post_evidence": _HANDS,
    "sign_gate": _HANDS,
    "ask_waiver": _HANDS,
    "decide_waiver": frozenset({RELEASE_MANAGER}),
    "break_glass": frozenset({ON_CALL, RELEASE_MANAGER}),
    "cut_over": frozenset({OPERATOR, RELEASE_MANAGER}),
    "take_release_back": frozenset({ON_CALL, RELEASE_MANAGER}),
    "report_boot": _EVERYONE,  # a service holds a viewer's token
    "edit_gates": frozenset({ADMIN}),
    "edit_freezes": frozenset({RELEASE_MANAGER, ADMIN}),
    "create_run": _HANDS,
    "control_run": _HANDS,
    "run_drill": _HANDS,
    "resolve_run": frozenset({ON_CALL, RELEASE_MANAGER}),
    "rehearse": _HANDS,
    "grant_rollback": frozenset({ON_CALL, RELEASE_MANAGER}),
    "edit_fleet": frozenset({ADMIN}),
    "read_schema": _HANDS | {ADMIN},
    "decide_drift": frozenset({RELEASE_MANAGER, ADMIN}),
    "own_tokens": _EVERYONE,
    "view_style": frozenset({ADMIN}),
    "view_system": frozenset({ADMIN}),
    "restart_web": frozenset({ADMIN}),
}


_USER = [field.attname for field in User._meta.concrete_fields]
# What `user_of` takes, from a statement that calls the user `u`; without the ORM, for it is asked on every request.
USER_WITH_ROLES = f"""{", ".join(f"u.{name}" for name in _USER)}, ARRAY(
  SELECT g.name FROM auth_group g JOIN auth_user_groups m ON m.group_id = g.id WHERE m.user_id = u.id)"""  # noqa: S608


def user_of(row: Sequence[Any]) -> User | None:
    """The user, with the roles that `roles_of` would look up."""
    if row[0] is None:
        return None
    user = User.from_db(connection.alias, _USER, row[:-1])
    user._lockstep_roles = frozenset(row[-1]) & _EVERYONE  # type: ignore[attr-defined]
    return user


def user_with_roles(pk: int) -> User | None:
    row = one_row(f"SELECT {USER_WITH_ROLES} FROM auth_user u WHERE u.id = %s", [pk])  # noqa: S608
    return None if row is None else user_of(row)


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


def needed_for(verb: str) -> str:
    """What stands beside a button that is off for want of a role."""
    roles = who_may(verb)
    return f"Needs one of these roles: {roles}." if "," in roles else f"Needs the role {roles}."
