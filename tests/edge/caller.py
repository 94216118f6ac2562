"""A client of the HTTP API with a token, as a script would have it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from dashboard import tokens

ROOT = "/api/v1"


@dataclass
class Caller:
    """`user` None calls without a token."""

    user: User | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A crash must show as the 500 that a real client would get.
        self._client = Client(raise_request_exception=False)
        if self.user is not None:
            self.headers["Authorization"] = f"Bearer {tokens.create(user=self.user, by=None).text}"

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
        return self._client.get(ROOT + path, query, headers={**self.headers, **headers})  # type: ignore[return-value]

    def post(self, path: str, body: object = None, **headers: str) -> HttpResponse:
        return self.send("post", path, body, **headers)

    def put(self, path: str, body: object = None, **headers: str) -> HttpResponse:
        return self.send("put", path, body, **headers)

    def send(
        self, method: str, path: str, body: object = None, content_type: str = "application/json", **headers: str
    ) -> HttpResponse:
        """`body` may be bytes, to send what is no JSON."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        call = getattr(self._client, method)
        return call(ROOT + path, raw, content_type=content_type, headers={**self.headers, **headers})  # type: ignore[no-any-return]


def read(response: HttpResponse, status: int = 200) -> Any:
    """The JSON of an answer that has the expected status."""
    assert response.status_code == status, (response.status_code, response.content[:2000])
    assert response["Content-Type"].startswith("application/json")
    return json.loads(response.content)


def refusal(response: HttpResponse, status: int) -> dict[str, Any]:
    """The error of an answer, whose envelope is complete."""
    told = read(response, status)
    assert set(told) == {"success", "error", "meta"}
    assert told["success"] is False
    assert told["meta"]["request_id"] == response["X-Request-ID"]
    assert told["meta"]["timestamp"].endswith("+00:00")
    assert told["error"]["message"].endswith((".", "!"))
    error: dict[str, Any] = told["error"]
    return error
