"""How a page tells that a verb was refused: in the verb's own sentences, never as a crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from migrations_app.engine.errors import LockstepError


@contextmanager
def told(request: HttpRequest) -> Iterator[None]:
    """Turn a named failure into a message for the page that follows."""
    try:
        yield
    except LockstepError as failure:
        messages.error(request, f"{failure.sentence} ({failure.code})")
