"""Cells of long lists as markup, without a template loop; whatever people wrote is escaped here.

Each cell has the name of its column, for narrow windows and for polls that change one cell and leave the others alone.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.html import escape

from dashboard.templatetags import text

SHORT = 16


def cell(label: str, inner: str, classes: str = "") -> str:
    """`inner` is markup."""
    return f'<td{_kind(classes)} data-label="{label}">{inner}</td>'


def head(label: str, inner: str, classes: str = "") -> str:
    """The cell that names its row."""
    return f'<th scope="row"{_kind(classes)} data-label="{label}">{inner}</th>'


def when(moment: datetime, *, absolute: bool = False) -> str:
    kind = "" if absolute else " data-when"
    return f'<time datetime="{text.iso(moment)}"{kind}>{text.utc(moment)}</time>'


def wraps(words: str) -> str:
    """Beside a long cell, what may break anywhere would be broken after two letters."""
    return "break" if len(words) > SHORT else "nowrap"


def checksum(value: str) -> str:
    return f'<code title="{escape(value)}">{escape(text.short(value))}</code>'


def _kind(classes: str) -> str:
    return f' class="{classes}"' if classes else ""
