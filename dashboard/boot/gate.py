"""GET /api/v1/boot-gate: may this service start? One statement for an answer, and writing only when it was given.

It never says yes when it cannot tell: a database that does not answer is a 503 like a target that nobody can reach.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from ninja.errors import AuthenticationError, ValidationError

from dashboard import access, tokens
from dashboard.api.identity import HOW, identify
from dashboard.boot import pool
from dashboard.boot.query import Question, read_question
from migrations_app.permissions import VERBS
from migrations_app.releases.boot.deciding import decide
from migrations_app.releases.boot.known import RETRY_S, Decision, Reason
from migrations_app.releases.boot.nodes import REFRESH, UPSERT, WRITTEN_EVERY, upsert_values
from migrations_app.releases.boot.phases import INFRASTRUCTURE, default_graph
from migrations_app.releases.boot.reading import ChainChanges, Found, TokenFacts, read

NOT_AUTHENTIC = {
    "revoked": "The token was revoked.",
    "expired": "The token expired.",
    "disabled": "The user of this token is disabled.",
}
_USED = """
UPDATE migrations_app_apitoken SET last_used_at = clock_timestamp()
 WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - %(every_s)s * interval '1 s')
"""

logger = structlog.get_logger(__name__)


class _ThenWrite(JsonResponse):
    """What is left to write is written when the answer has been sent."""

    afterwards: Callable[[], None] | None = None

    def close(self) -> None:
        if self.afterwards is not None:
            self.afterwards()
        super().close()


def boot_gate(request: HttpRequest) -> HttpResponse:
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET", "HEAD"])
    text = _bearer(request)
    question = _question(request)
    try:
        found = read(question.service, question.environment, question.asked, tokens.prefix_of(text), pool.ask)
    except ChainChanges as changing:
        return told(_untold("chain_changes", str(changing)))
    except pool.AWAY as failure:
        logger.error("boot_gate.database", cause=" ".join(str(failure).split()))
        return told(_untold("database_away", "Lockstep's own database does not answer."))
    _let_in(request, found.token, text, question)
    if found.known is None:
        where = f" in service {question.service}" if found.service else ""
        missing = f"environment {question.environment}" if found.service else f"service {question.service}"
        raise Http404(f"There is no {missing}{where}.")
    decision = decide(question.asked, found.known)
    response = told(decision)
    response.afterwards = _Afterwards(question, found, decision.allow)
    return response


def told(decision: Decision) -> _ThenWrite:
    """200 to start, 409 where something is known not to hold, 503 where it cannot be told."""
    if decision.allow:
        return _ThenWrite({"allow": True})
    phase = default_graph()[decision.reasons[0].phase]
    body: dict[str, Any] = {
        "allow": False,
        "reasons": [
            {"code": reason.code, "phase": reason.phase, "sentence": reason.sentence, "clears": reason.clears}
            for reason in decision.reasons
        ],
        "retry": decision.retry_after,
        "waiting_for": decision.waiting_for,
        "progress": decision.progress,
        "hopeless": decision.hopeless,
        "phase": phase.key,
        "phase_seconds": phase.deadline_seconds,
    }
    headers = {"Retry-After": str(decision.retry_after)}
    return _ThenWrite(body, status=409 if decision.told else 503, headers=headers)


@dataclass(frozen=True)
class _Afterwards:
    """Its token was used, and a node that names itself has reported: each written now and then, not each time.

    A node that may not start becomes no member by asking: others would have to agree with what does not run.
    """

    question: Question
    found: Found
    allowed: bool

    def __call__(self) -> None:
        try:
            self._use_token()
            self._report()
        except pool.AWAY as failure:
            logger.warning("boot_gate.not_written", cause=" ".join(str(failure).split()))

    def _use_token(self) -> None:
        every_s = tokens.USED_AT_MOST_EVERY.total_seconds()
        token = self.found.token
        if token is not None and (token.unused_s is None or token.unused_s > every_s):
            pool.tell(_USED, {"id": token.id, "every_s": every_s})

    def _report(self) -> None:
        every_s = WRITTEN_EVERY.total_seconds()
        asked, own = self.question.asked, self.found.own
        if not asked.node or self.found.environment is None:
            return
        if not self.allowed and (own is None or not own.member):
            return
        if own is None or own.silent_s > every_s or not own.says(asked):
            statement = UPSERT if self.allowed else REFRESH
            pool.tell(statement, upsert_values(self.found.environment, asked, every_s))


def _question(request: HttpRequest) -> Question:
    try:
        return read_question(request)
    except ValidationError:
        identify(request)  # a stranger hears nothing about the parameters
        raise


def _bearer(request: HttpRequest) -> str:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationError(401, f"The boot gate needs an API token. {HOW}")
    return text.strip()


def _let_in(request: HttpRequest, token: TokenFacts | None, text: str, question: Question) -> None:
    if not tokens.is_of(token.sha256 if token else None, text) or token is None:
        raise AuthenticationError(401, f"The token is not known. Nothing was done. {HOW}")
    if token.state in NOT_AUTHENTIC:
        raise AuthenticationError(401, f"{NOT_AUTHENTIC[token.state]} Nothing was done. {HOW}")
    roles = frozenset(token.roles) & (frozenset({token.role}) if token.role else frozenset(token.roles))
    if not roles & VERBS["view"]:
        # Refused as everywhere, which is recorded.
        access.require(identify(request), "view", f"environment:{question.service}/{question.environment}")


def _untold(code: str, sentence: str) -> Decision:
    clears = f"It is asked again in {RETRY_S} seconds."
    return Decision(reasons=(Reason(code, INFRASTRUCTURE, sentence, clears, unknown=True),))
