"""Copies of the project in which one thing is wrong; what is not touched is a link to the original."""

from __future__ import annotations

import shutil
from pathlib import Path

from migrations_app.releases.gates.own.installation import Installation

ROOT = Path(__file__).parents[3]
NOWHERE = "http://127.0.0.1:1"  # nobody listens there
LINKED = ("migrations_app", "dashboard", "deploy", "docs", "static", "templates", "tests")
FILES = ("manage.py", "README.md", "pyproject.toml")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "screenshots")


def copy_of(folder: Path, *parts: str) -> Installation:
    """The project again; `parts` are folders that may be changed."""
    folder.mkdir()
    for name in LINKED:
        if name in parts:
            shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
        else:
            (folder / name).symlink_to(ROOT / name)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return Installation(folder, NOWHERE)


def change(place: Installation, name: str, old: str, new: str) -> None:
    """Fails where there is nothing to change, so that no test is green for a fault that was never made."""
    path = place.root / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{name} does not hold {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")
