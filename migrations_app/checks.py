"""System checks: a wrong setting is told at start, by name, with what it got and what it wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def credentials_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.LOCKSTEP_CREDENTIALS_KEY:
        return []
    return [
        Error(
            "LOCKSTEP_CREDENTIALS_KEY is not set.",
            hint="Set it to KEYID:BASE64 (32 random bytes), or LOCKSTEP_CREDENTIALS_KEY_FILE to a file with that.",
            id="lockstep.E001",
        )
    ]
