"""The longer queries of this room live in .sql files beside their modules."""

from __future__ import annotations

from pathlib import Path


def read_sql(name: str) -> str:
    """The text of one of them."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
