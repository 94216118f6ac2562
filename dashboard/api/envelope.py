"""The one shape of every error of the API: a code, a sentence, and the request id to ask about it with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from pydantic import BaseModel, JsonValue

# The codes of the transport are in capitals; what a verb refuses has its own code in small letters.
CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
    504: "DB_QUERY_TIMEOUT",
}
PATHS = ("/api/", "/admin/api/")


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith(PATHS)


class ErrorDetail(BaseModel):
    code: str
    message: str
    details: dict[str, JsonValue] | None = None


class ErrorMeta(BaseModel):
    timestamp: str
    request_id: str
    retry_after_seconds: int | None = None


class ErrorOut(BaseModel):
    """What every refused or failed request answers."""

    success: Literal[False]
    error: ErrorDetail
    meta: ErrorMeta


def error(
    request: HttpRequest,
    status: int,
    message: str,
    *,
    code: str = "",
    details: Mapping[str, object] | None = None,
    retry_after: int | None = None,
) -> JsonResponse:
    """The envelope as a response; `details` and `retry_after_seconds` are there only when given."""
    told: dict[str, object] = {"code": code or CODES[status], "message": message}
    if details:
        told["details"] = details
    meta: dict[str, object] = {
        "timestamp": timezone.now().isoformat(),
        "request_id": getattr(request, "request_id", ""),
    }
    headers: dict[str, str] = {}
    if retry_after is not None:
        meta["retry_after_seconds"] = retry_after
        headers["Retry-After"] = str(retry_after)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JsonResponse({"success": False, "error": told, "meta": meta}, status=status, headers=headers)
