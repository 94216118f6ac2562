"""The verdict in the header bar of every page: as short as it gets, by the same rules as the front page's sentence."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.runs.glance import Glance


@dataclass(frozen=True)
class Chip:
    tone: str
    shape: str  # a name in templatetags.glyphs
    word: str


def chip_of(glance: Glance, *, doubted: bool = False) -> Chip | None:
    """None while there is nothing to judge; `doubted` where part of what would be judged could not be read."""
    if glance.tone == "bad":
        return Chip("bad", "failed", f"{glance.trouble} in trouble")
    if doubted:
        return Chip("warn", "unknown", "unknown")
    if glance.tone == "warn":
        return Chip("warn", "unknown", f"{glance.doubt} unknown")
    return Chip("ok", "ok", "nothing broken") if glance.environments else None
