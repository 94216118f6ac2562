"""Errors of the API that arise before or after the API's own views: they get the envelope too, never a page."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from dashboard.api.envelope import CODES, error, is_api

SENTENCES = {
    400: "The request could not be read. Nothing was done.",
    403: "The request was refused before it reached the API. Nothing was done.",
    404: "There is nothing at this address.",
    413: "The body is too large. Nothing was done.",
    500: "Lockstep failed. The request id leads to the reason in the log.",
    503: "Lockstep cannot answer right now. Nothing was done.",
    504: "Lockstep did not answer in time. Look whether a change was made before you send it again.",
}


class ApiErrors:
    """Stands right behind RequestId, so that whatever refuses or breaks further in is seen here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 400 or not is_api(request):
            return response
        if response.get("Content-Type", "").startswith("application/json"):
            return response
        return _told(request, response)


def _told(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    status = response.status_code if response.status_code in CODES else 400 if response.status_code < 500 else 500
    wait = response.get("Retry-After", "")
    told = error(
        request, status, SENTENCES.get(status, SENTENCES[400]), retry_after=int(wait) if wait.isdigit() else None
    )
    told["Cache-Control"] = "no-store"
    return told
