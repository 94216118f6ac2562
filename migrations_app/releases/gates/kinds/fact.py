"""Lockstep knows it: nothing is reported, and it is looked at whenever somebody asks for the gate."""

from __future__ import annotations

from collections.abc import Mapping

from migrations_app.releases.gates.facts import FACTS, settings_of
from migrations_app.releases.gates.kinds import bad_text, unknown_settings


def problem(settings: Mapping[str, object]) -> str:
    name = settings.get("fact")
    if not isinstance(name, str) or name not in FACTS:
        return f"has the fact {name!r}; there are {', '.join(FACTS)}."
    taken = settings_of(name)
    wrong = [told for one in sorted(taken & settings.keys()) if (told := bad_text(settings, one))]
    return unknown_settings(settings, taken | {"fact"}) or "".join(wrong[:1])
