"""The password once more: what is signed, exempted or set for all releases takes one that was given a moment ago.

The session keeps when it was last given; signing in counts. API tokens are no sessions, and are not asked.
"""

from __future__ import annotations

import time

import structlog
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused

GOOD_FOR_S = 300
MOST_TRIES = 5
FIELD = "password"
_AT, _TRIES = "lockstep_password_at", "lockstep_password_tries"

logger = structlog.get_logger(__name__)


class PasswordWanted(Refused):
    """The form has to be sent again, with the password."""


def given(request: HttpRequest) -> None:
    """The password of whoever is signed in was right just now."""
    request.session[_AT] = time.time()
    request.session.pop(_TRIES, None)


def wanted(request: HttpRequest) -> bool:
    """Whether a form needs the field."""
    at = request.session.get(_AT)
    return not isinstance(at, int | float) or not 0 <= time.time() - at <= GOOD_FOR_S


def confirm(request: HttpRequest, *, by: User, verb: str, object: str) -> None:
    """Call it before the verb. Raises PasswordWanted, of which a wrong one is counted and told in the audit log."""
    if not wanted(request):
        return
    password = request.POST.get(FIELD, "")
    if not password:
        raise PasswordWanted(
            "password_wanted",
            f"Your password was last asked for more than {GOOD_FOR_S // 60} minutes ago.",
            not_done="Nothing was done.",
            next_step="Give it and send the form again.",
        )
    if check_password(password, by.password):
        given(request)
        return
    _refuse_wrong(request, by, verb, object)


def led_out(request: HttpRequest, refusal: Refused) -> HttpResponse | None:
    """The answer to somebody whose session has ended by it; None where it has not."""
    if request.user.is_authenticated:
        return None
    messages.error(request, refusal.sentence)
    return redirect("login")


def _refuse_wrong(request: HttpRequest, by: User, verb: str, object: str) -> None:
    """The session of somebody who guesses ends."""
    tries = int(request.session.get(_TRIES, 0)) + 1
    request.session[_TRIES] = tries
    logger.warning("denied", user=by.get_username(), verb=verb, object=object, why="password", tries=tries)
    with transaction.atomic():
        record(
            actor=by,
            action="denied",
            object=object,
            after={"verb": verb, "needs": "the right password", "wrong_tries": tries},
        )
    over = tries >= MOST_TRIES
    if over:
        logout(request)
    raise PasswordWanted(
        "password_wrong",
        f"That is not the password of {by.get_username()}.",
        not_done="Nothing was done, and the attempt was recorded.",
        next_step="You are signed out. Sign in again." if over else "Give the right one.",
    )
