"""A person looks at it and says what they saw, with a file where that shows it."""

from __future__ import annotations

from collections.abc import Mapping

from migrations_app.releases.gates.kinds import unknown_settings


def problem(settings: Mapping[str, object]) -> str:
    return unknown_settings(settings, frozenset())
