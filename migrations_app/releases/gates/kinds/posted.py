"""A build reports it, with the API or on the page; Lockstep only keeps it."""

from __future__ import annotations

from collections.abc import Mapping

from migrations_app.releases.gates.kinds import unknown_settings


def problem(settings: Mapping[str, object]) -> str:
    return unknown_settings(settings, frozenset())
