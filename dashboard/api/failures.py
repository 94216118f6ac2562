"""From an exception to the envelope: what was expected keeps its sentence, what was not shows nothing inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError

from dashboard.api.envelope import CODES, error
from dashboard.outage import QUIET, outage_of, told
from migrations_app.admission.conditions import NotAdmitted
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.releases.gates.signing import EvidenceChanged

MOST_FIELDS, LONGEST_FIELD = 20, 100
CURSORS = ("after", "before")  # read back unread by whoever follows a list, so a wrong one was spoilt: 400, not 422

# What is no longer in the state that the verb needs.
_NOUNS = ("run", "rehearsal", "consent", "drill", "waiver", "cutover", "glass", "freeze", "release")
OVER = tuple(f"{noun}_is_" for noun in _NOUNS)
# Refusals because of how things stand, not because of how the request is written.
CONFLICTS = frozenset(
    {
        "baseline_unknown",
        "before_applied",
        "drift_differs",
        "drift_planned",
        "all_steps_ended",
        "backup_differs",
        "backup_is_target",
        "backup_not_told_apart",
        "backup_of_another",
        "backup_other_major",
        "blockers_differ",
        "catalogue_differs",
        "catalogue_same",
        "cutover_at_work",
        "cutover_goes_back",
        "cutover_not_newest",
        "drill_open",
        "environment_exists",
        "environment_has_history",
        "evidence_changed",
        "foreign_receipt",
        "foreign_schema",
        "found_out_otherwise",
        "gate_not_applicable",
        "gates_block",
        "gates_pass",
        "glass_asked",
        "no_environment",
        "no_release_manager",
        "nothing_to_take_back",
        "gate_not_green",
        "idempotency_conflict",
        "ledger_differs",
        "no_backup",
        "no_drift",
        "lap_passed",
        "no_health_url",
        "not_admitted",
        "not_looked_at",
        "not_waivable",
        "not_yours",
        "nothing_to_accept",
        "nothing_to_rehearse",
        "other_commit",
        "other_environment",
        "own_request",
        "plan_differs",
        "receipt_cut",
        "receipts_broken",
        "release_differs",
        "rehearsal_open",
        "restored_copy",
        "revision_changed",
        "revision_taken",
        "run_applied_nothing",
        "run_in_progress",
        "run_not_newest",
        "run_open",
        "run_undone",
        "service_exists",
        "signed_before",
        "waiver_asked",
        "withdrawn_before",
    }
)
# Refusals because of who asks, where a role is not what is missing.
NOT_THEIRS = frozenset({"own_release", "own_run"})
# What the request names is not there.
NOT_THERE = frozenset({"no_such_gate", "no_such_check"})
TOO_LARGE = frozenset({"too_large"})

logger = structlog.get_logger(__name__)


def register(api: NinjaAPI) -> None:
    handlers: tuple[tuple[type[Exception], Any], ...] = (
        (Exception, crash),
        (OperationalError, database_away),
        (InterfaceError, database_away),
        (LockstepError, prevented),
        (Refused, refused),
        (Http404, not_found),
        (PermissionDenied, forbidden),
        (ValidationError, invalid),
        (HttpError, plain),
        (Throttled, throttled),
        (BadRequest, bad_request),
        (SuspiciousOperation, bad_request),
        (UnreadablePostError, bad_request),
        (RequestDataTooBig, too_large),
    )
    for kind, handler in handlers:
        api.add_exception_handler(kind, handler)


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    details: dict[str, object] = {"not_done": refusal.not_done, "next_step": refusal.next_step}
    if isinstance(refusal, NotAdmitted):
        details["conditions"] = [
            {"code": unmet.code, "sentence": unmet.sentence, "clears": unmet.clears} for unmet in refusal.conditions
        ]
    if isinstance(refusal, EvidenceChanged):
        details |= {"shown": refusal.shown, "stands": refusal.stands}
    return error(request, status_of(refusal.code), refusal.message, code=refusal.code, details=details)


def status_of(code: str) -> int:
    for status, codes in ((403, NOT_THEIRS), (404, NOT_THERE), (413, TOO_LARGE)):
        if code in codes:
            return status
    return 409 if code in CONFLICTS or code.startswith(OVER) else 422


def prevented(request: HttpRequest, failure: LockstepError) -> HttpResponse:
    """A target that cannot be reached is neither the caller's mistake nor Lockstep's failure."""
    details = {"not_done": failure.not_done, "next_step": failure.next_step}
    return error(request, 409, failure.message, code=failure.code, details=details)


def not_found(request: HttpRequest, missing: Http404) -> HttpResponse:
    return error(request, 404, str(missing) or "There is nothing at this address.")


def forbidden(request: HttpRequest, denied: PermissionDenied) -> HttpResponse:
    return error(request, 403, str(denied) or "You may not do this.")


def plain(request: HttpRequest, problem: HttpError) -> HttpResponse:
    # The framework wraps what the body's parser raises.
    cause = problem.__cause__
    told = cause if isinstance(cause, HttpError) else problem
    return error(request, told.status_code if told.status_code in CODES else 400, told.message)


def throttled(request: HttpRequest, problem: Throttled) -> HttpResponse:
    return error(request, 429, "Too many requests.", retry_after=max(int(problem.wait or 1), 1))


def bad_request(request: HttpRequest, problem: Exception) -> HttpResponse:
    return error(request, 400, "The request could not be read. Nothing was done.")


def too_large(request: HttpRequest, problem: Exception) -> HttpResponse:
    return error(request, 413, "The body is too large. Nothing was done.")


def invalid(request: HttpRequest, problem: ValidationError) -> HttpResponse:
    """Every field that is wrong, each with a sentence; one in the path is an address that leads nowhere."""
    found = [_field(item) for item in problem.errors[:MOST_FIELDS]]
    if any(field["in"] == "path" for field in found):
        return error(request, 404, "There is nothing at this address.")
    sentences = " ".join(field["sentence"] for field in found)
    more = len(problem.errors) - len(found)
    rest = f" And {more} more." if more else ""
    status = 400 if any(field["in"] == "query" and field["field"] in CURSORS for field in found) else 422
    return error(request, status, f"{sentences}{rest} Nothing was done.", details={"fields": found})


def _field(item: Mapping[str, object]) -> dict[str, str]:
    location = item.get("loc")
    path = [str(part) for part in location] if isinstance(location, Sequence) else []
    source, names = (path[0], path[1:]) if path else ("", [])
    if source == "body":
        names = names[1:]
    name = ".".join(names)[:LONGEST_FIELD]
    return {
        "in": source,
        "field": name,
        "sentence": _sentence(source, name, str(item.get("type")), str(item.get("msg"))),
    }


def _sentence(source: str, name: str, kind: str, message: str) -> str:
    where = "query parameter" if source == "query" else "field"
    if kind == "extra_forbidden":
        return f"There is no {where} {name}."
    if kind == "missing":
        return f"The {where} {name} is missing." if name else "The body is missing."
    return f"The {where} {name} is not usable: {message[:1].lower()}{message[1:]}."


def database_away(request: HttpRequest, failure: Exception) -> HttpResponse:
    """The control database, not a target: typed, so that a client knows when to come back."""
    outage = outage_of(failure)
    assert outage is not None, "registered for the failures that are outages"
    if outage.code not in QUIET:
        logger.error("api.database", code=outage.code, cause=" ".join(str(failure).split()))
    return told(request, outage)


def crash(request: HttpRequest, failure: Exception) -> HttpResponse:
    logger.error("api.crash", path=request.path, exc_info=failure)
    return error(request, 500, "Lockstep failed. The request id leads to the reason in the log.")
