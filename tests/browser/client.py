"""A signed-in client of the pages, without a browser."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.test import Client


def signed_in(user: User | None) -> Client:
    """A crash must show as the 500 that a reader would get."""
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    return client


def text(response: Any) -> str:
    """What a reader sees, without tags and with single spaces."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))).strip()


def heading(response: Any) -> str:
    found = re.findall(r"<h1[^>]*>(.*?)</h1>", response.content.decode(), re.S)
    assert len(found) == 1, found
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", found[0]))).strip()
