"""The only object look-ups that pages and API may use: each checks permission, then finds or answers 404.

Call them before a verb's transaction: a refusal is recorded, and an outer rollback would take that away.
"""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

import structlog
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.http import Http404

from dashboard.sessions import Beside, row_beside
from migrations_app.audit.record import record
from migrations_app.models import (
    ApiToken,
    AuditEntry,
    Drill,
    Environment,
    LedgerEntry,
    NodeReport,
    Rehearsal,
    RehearsalLine,
    Release,
    Revision,
    RevisionRehearsal,
    RollbackConsent,
    Run,
    RunLogLine,
    RunStep,
    Service,
)
from migrations_app.permissions import may, roles_of, who_may

# Named here so that pages and API can annotate what they were given without a way to look it up themselves.
__all__ = [
    "ApiToken",
    "AuditEntry",
    "Drill",
    "Environment",
    "LedgerEntry",
    "NodeReport",
    "Person",
    "Rehearsal",
    "RehearsalLine",
    "Release",
    "Revision",
    "RevisionRehearsal",
    "RollbackConsent",
    "Run",
    "RunLogLine",
    "RunStep",
    "Service",
    "User",
    "audit_for",
    "consent_for",
    "consents_for",
    "drill_for",
    "environment_for",
    "environments_for",
    "log_for",
    "node_for",
    "receipt_for",
    "receipts_for",
    "rehearsal_for",
    "rehearsal_log_for",
    "rehearsal_part_for",
    "rehearsal_parts_for",
    "rehearsals_for",
    "release_for",
    "release_named_for",
    "releases_for",
    "require",
    "revision_for",
    "revisions_for",
    "run_for",
    "run_state_for",
    "runs_for",
    "service_for",
    "services_for",
    "steps_for",
    "token_for",
    "tokens_for",
]

Person = AbstractBaseUser | AnonymousUser
T = TypeVar("T", bound=Model)

# What each verb of permissions.VERBS is called in a refusal.
WORDS = {
    "view": "look at this",
    "view_sql": "read SQL",
    "view_log": "read run logs",
    "view_audit": "read the audit log",
    "export": "export rows",
    "verify_audit": "verify or export the audit log",
    "upload_revision": "upload revisions",
    "register_release": "register releases",
    "post_evidence": "report evidence",
    "sign_gate": "sign gates",
    "ask_waiver": "ask for exemptions",
    "decide_waiver": "decide about exemptions",
    "break_glass": "cut a release over although gates block",
    "cut_over": "cut releases over",
    "take_release_back": "take a release back",
    "report_boot": "report what starts",
    "edit_gates": "change the catalogue of gates",
    "edit_freezes": "change the calendar of freezes",
    "create_run": "start runs",
    "control_run": "pause, resume or cancel runs",
    "run_drill": "hold drills",
    "resolve_run": "decide about a run that needs an operator",
    "rehearse": "start or cancel rehearsals",
    "grant_rollback": "grant or decline a roll-back that somebody else asked for",
    "edit_fleet": "change services and environments",
    "read_schema": "have a schema read",
    "decide_drift": "decide about drift",
    "own_tokens": "have API tokens",
    "view_style": "open the style page",
    "view_system": "look into the system behind the pages",
    "restart_web": "have the web processes restarted",
}

# What a poll of a run wants to know, in the order of the model's fields, as from_db() takes them.
_POLLED = {"id", "status", "asked", "version", "beat_at", "log_seq", "steps_total", "steps_done"}
RUN_STATE = Beside(
    Run._meta.db_table, tuple(field.attname for field in Run._meta.concrete_fields if field.attname in _POLLED)
)

logger = structlog.get_logger(__name__)


def require(user: Person, verb: str, object: str = "") -> User:
    """The signed-in user, who has a role for the verb; or PermissionDenied, which names the roles."""
    if not (user.is_authenticated and user.is_active and isinstance(user, User)):
        raise PermissionDenied("You are not signed in, or your account is disabled.")
    if not may(user, verb):
        _record_refusal(user, verb, object)
        raise PermissionDenied(_refusal(user, verb))
    return user


def _refusal(user: User, verb: str) -> str:
    yours = ", ".join(sorted(roles_of(user))) or "none"
    needed = who_may(verb)
    takes = f"one of the roles {needed}" if "," in needed else f"the role {needed}"
    return (
        f"You may not {WORDS[verb]}: that takes {takes}; you act with {yours}. "
        "Nothing was done. Ask an admin for a role."
    )


def _record_refusal(user: User, verb: str, object: str) -> None:
    logger.warning("denied", user=user.get_username(), verb=verb, object=object)
    with transaction.atomic():
        record(actor=user, action="denied", object=object or "-", after={"verb": verb, "needs": who_may(verb)})


def services_for(user: Person, verb: str = "view") -> QuerySet[Service]:
    require(user, verb)
    return Service.objects.select_related("created_by")


def service_for(user: Person, name: str, verb: str = "view") -> Service:
    require(user, verb, f"service:{name}")
    return one(Service.objects.select_related("created_by"), f"service {name}", name=name)


def environments_for(user: Person, verb: str = "view") -> QuerySet[Environment]:
    require(user, verb)
    return Environment.objects.select_related("service", "created_by")


def environment_for(user: Person, service_name: str, name: str, verb: str = "view") -> Environment:
    require(user, verb, f"environment:{service_name}/{name}")
    return one(
        Environment.objects.select_related("service", "created_by"),
        f"environment {name} in service {service_name}",
        service__name=service_name,
        name=name,
    )


def node_for(user: Person, service_name: str, environment: str, node: str, verb: str = "view") -> NodeReport:
    require(user, verb, f"node:{service_name}/{environment}/{node}")
    return one(
        NodeReport.objects.select_related("environment__service"),
        f"node {node} of environment {environment} in service {service_name}",
        environment__service__name=service_name,
        environment__name=environment,
        node=node,
    )


def receipts_for(user: Person, verb: str = "view") -> QuerySet[LedgerEntry]:
    require(user, verb)
    return LedgerEntry.objects.select_related("environment__service", "run")


def receipt_for(user: Person, pk: int) -> LedgerEntry:
    """A row of the ledger; its number in the address is not the receipt's own, which counts in its target."""
    return one(receipts_for(user), f"ledger row {pk}", pk=pk)


def revisions_for(user: Person, verb: str = "view") -> QuerySet[Revision]:
    """Without the SQL and the parsed scripts, which are large and not for every role."""
    require(user, verb)
    return Revision.objects.select_related("service", "created_by").defer(
        "up", "down", "verify", "up_script", "down_script", "verify_script"
    )


def revision_for(user: Person, service_name: str, revision_id: str, verb: str = "view") -> Revision:
    require(user, verb, f"revision:{service_name}/{revision_id}")
    return one(
        Revision.objects.select_related("service", "created_by"),
        f"revision {revision_id} in service {service_name}",
        service__name=service_name,
        revision_id=revision_id,
    )


def runs_for(user: Person, verb: str = "view") -> QuerySet[Run]:
    require(user, verb)
    return Run.objects.select_related("service", "environment", "requested_by")


def run_for(user: Person, pk: int, verb: str = "view") -> Run:
    require(user, verb, f"run:{pk}")
    return one(Run.objects.select_related("service", "environment__service", "requested_by"), f"run {pk}", pk=pk)


def run_state_for(user: Person, pk: int, verb: str = "view") -> Run:
    """Only what a poll wants to know, without the ORM; its other columns and its neighbours are not read."""
    require(user, verb, f"run:{pk}")
    row = row_beside(user, RUN_STATE, pk)
    if row is None:
        raise Http404(f"There is no run {pk}.")
    return Run.from_db(connection.alias, RUN_STATE.columns, row)


def steps_for(user: Person, run: Run) -> QuerySet[RunStep]:
    """With their attempts, in two queries however many there are."""
    require(user, "view", f"run:{run.pk}")
    return RunStep.objects.filter(run=run).order_by("ordinal").prefetch_related("attempts")


def log_for(user: Person, run: Run) -> QuerySet[RunLogLine]:
    require(user, "view_log", f"run:{run.pk}")
    return RunLogLine.objects.filter(run=run).order_by("seq")


def rehearsals_for(user: Person, verb: str = "view") -> QuerySet[Rehearsal]:
    require(user, verb)
    return Rehearsal.objects.select_related("service", "environment", "requested_by")


def rehearsal_for(user: Person, pk: int, verb: str = "view") -> Rehearsal:
    require(user, verb, f"rehearsal:{pk}")
    rehearsals = Rehearsal.objects.select_related("service", "environment__service", "requested_by")
    return one(rehearsals, f"rehearsal {pk}", pk=pk)


def rehearsal_parts_for(user: Person, rehearsal: Rehearsal) -> QuerySet[RevisionRehearsal]:
    require(user, "view", f"rehearsal:{rehearsal.pk}")
    return RevisionRehearsal.objects.filter(rehearsal=rehearsal).order_by("ordinal")


def rehearsal_part_for(user: Person, rehearsal: Rehearsal, revision_id: str) -> RevisionRehearsal:
    parts = rehearsal_parts_for(user, rehearsal)
    return one(parts, f"revision {revision_id} in rehearsal {rehearsal.pk}", revision_id=revision_id)


def rehearsal_log_for(user: Person, rehearsal: Rehearsal) -> QuerySet[RehearsalLine]:
    require(user, "view_log", f"rehearsal:{rehearsal.pk}")
    return RehearsalLine.objects.filter(rehearsal=rehearsal).order_by("seq")


def releases_for(user: Person, verb: str = "view") -> QuerySet[Release]:
    require(user, verb)
    return Release.objects.select_related("service", "created_by", "state").order_by("-id")


def release_for(user: Person, pk: int, verb: str = "view") -> Release:
    require(user, verb, f"release:{pk}")
    return one(Release.objects.select_related("service", "created_by", "state"), f"release {pk}", pk=pk)


def release_named_for(user: Person, service_name: str, release_id: str, verb: str = "view") -> Release:
    require(user, verb, f"release:{service_name}/{release_id}")
    return one(
        Release.objects.select_related("service", "created_by", "state"),
        f"release {release_id} of service {service_name}",
        service__name=service_name,
        release_id=release_id,
    )


def consents_for(user: Person, verb: str = "view") -> QuerySet[RollbackConsent]:
    require(user, verb)
    return RollbackConsent.objects.select_related("environment__service", "asked_by", "decided_by")


def consent_for(user: Person, pk: int, verb: str = "view") -> RollbackConsent:
    require(user, verb, f"rollback-request:{pk}")
    consents = RollbackConsent.objects.select_related("environment__service", "asked_by", "decided_by")
    return one(consents, f"rollback request {pk}", pk=pk)


def drill_for(user: Person, uid: UUID, verb: str = "view") -> Drill:
    require(user, verb, f"drill:{uid}")
    return one(Drill.objects.select_related("environment__service", "operator"), f"drill {uid}", uid=str(uid))


def audit_for(user: Person, verb: str = "view_audit") -> QuerySet[AuditEntry]:
    require(user, verb, "audit")
    return AuditEntry.objects.order_by("-seq")


def tokens_for(user: Person) -> QuerySet[ApiToken]:
    """One's own, whoever asks: nobody handles the tokens of others here."""
    return ApiToken.objects.filter(user=require(user, "own_tokens"))


def token_for(user: Person, pk: int) -> ApiToken:
    return one(tokens_for(user), f"token {pk} of yours", pk=pk)


def one(rows: QuerySet[T], what: str, **key: str | int) -> T:
    """For the look-ups alone: the row, or 404 with its name. Permission is checked before."""
    found = (
        None if any("\x00" in value for value in key.values() if isinstance(value, str)) else rows.filter(**key).first()
    )
    if found is None:
        raise Http404(f"There is no {what}.")
    return found
