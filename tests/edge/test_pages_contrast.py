"""The tokens keep text readable: WCAG AA in both themes, computed from the file itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

SOURCE = Path(settings.BASE_DIR, "static", "css", "tokens.css").read_text(encoding="utf-8")
TONES = ("ok", "run", "wait", "warn", "bad", "drift")
TEXT = [(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("paper", "sheet", "sunk")]
TEXT += [("accent", "accent-soft"), ("on-accent", "accent"), ("accent", "sheet")]
TEXT += [(tone, ground) for tone in TONES for ground in (f"{tone}-soft", "sheet", "paper")]
TEXT += [(part, ground) for part in ("sql-word", "sql-text", "sql-note") for ground in ("sheet", "sunk", "accent-soft")]
TEXT += [("ink", ground) for ground in ("mark", "accent-soft", *(f"{tone}-soft" for tone in TONES))]
TEXT += [("ink-2", ground) for ground in ("accent-soft", "warn-soft", "bad-soft", "ok-soft")]
TEXT += [("ink-2", "wait-soft"), ("ink-3", "warn-soft"), ("sheet", "bad")]
EDGES = [("edge-strong", "sheet"), ("edge-strong", "paper"), ("focus", "sheet"), ("focus", "paper")]
EDGES += [(fill, "sunk") for fill in ("accent", "warn", "bad", "edge-strong")]


def tokens(theme: str) -> dict[str, str]:
    light, dark = SOURCE.split("@media", 1)
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{3,6});", light if theme == "light" else light + dark))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(theme: str, one: str, other: str) -> float:
    colours = tokens(theme)
    high, low = sorted((luminance(colours[one]), luminance(colours[other])), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_stands_out_by_4_5_to_1(theme: str, ink: str, ground: str) -> None:
    assert contrast(theme, ink, ground) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_of_controls_and_the_focus_stand_out_by_3_to_1(theme: str, edge: str, ground: str) -> None:
    assert contrast(theme, edge, ground) >= 3.0


def test_the_dark_values_are_the_same_by_choice_and_by_the_system() -> None:
    by_system, by_choice = (
        dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{3,6});", part))
        for part in SOURCE.split("@media", 1)[1].split(':root[data-theme="dark"]', 1)
    )
    assert by_system == by_choice
