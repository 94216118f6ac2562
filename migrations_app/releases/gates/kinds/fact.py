"""Lockstep knows it: nothing is reported, and it is looked at whenever somebody asks for the gate."""

from __future__ import annotations

from collections.abc import Mapping

from migrations_app.releases.gates.facts import FACTS


def problem(settings: Mapping[str, object]) -> str:
    name = settings.get("fact")
    return "" if name in FACTS else f"has the fact {name!r}; there are {', '.join(FACTS)}."
