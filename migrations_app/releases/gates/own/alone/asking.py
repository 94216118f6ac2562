"""A request to the whole application, in the process that asks, as a program would send it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from importlib import import_module

import django
from django.conf import settings

# Looked up in the control database like any other, and found by nobody.
TOKEN = "lockstep_00000000_nobody"  # noqa: S105  opens nothing


@dataclass(frozen=True)
class Told:
    """`code` and `wait` are what the envelope says, `retry_after` what the header does."""

    status: int
    code: str
    retry_after: str
    wait: object
    seconds: float


def set_up() -> None:
    django.setup()
    settings.ALLOWED_HOSTS = ["testserver"]


def ask(path: str = "/api/v1/services") -> Told:
    from django.test import Client

    import_module(settings.ROOT_URLCONF)  # as a web process has it before the first request, which must not pay for it
    began = time.monotonic()
    client = Client(raise_request_exception=False)
    answer = client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}, secure=settings.USE_TLS)
    seconds = time.monotonic() - began
    try:
        body = json.loads(answer.content)
    except ValueError:
        body = {}
    code, wait = body.get("error", {}).get("code", ""), body.get("meta", {}).get("retry_after_seconds")
    return Told(answer.status_code, code, answer.get("Retry-After", ""), wait, round(seconds, 3))
