"""Log lines as markup, two thousand at a time: escaped here, without a template loop.

A heading goes before the lines of each step; log_fold.js folds by it. The text is plain: what only a terminal
understands was taken out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.access import RunLogLine
from dashboard.templatetags.states import state_of
from migrations_app.runs.loglines import plain

Key = tuple[str, int | None]


def draw_lines(
    lines: Iterable[RunLogLine],
    *,
    text: str = "",
    picked: tuple[int, int] | None = None,
    failed: Collection[Key] = (),
) -> SafeString:
    """`text` is marked, `picked` is a range that a link named, `failed` are steps that must not be folded."""
    return mark_safe("".join(_drawn(lines, _marker(text), picked, failed)))  # noqa: S308  escaped below


def _drawn(
    lines: Iterable[RunLogLine],
    marker: re.Pattern[str] | None,
    picked: tuple[int, int] | None,
    failed: Collection[Key],
) -> Iterator[str]:
    part: Key | None = None
    for line in lines:
        key = (line.revision_id, line.step)
        if key != part:
            yield _heading(key, failed)
            part = key
        yield _line(line, marker, picked)


def _heading(key: Key, failed: Collection[Key]) -> str:
    revision, step = key
    if not revision:
        return '<li class="part" data-part=""><span>The run itself</span></li>'
    words = f"{revision}, step {step}" if step else revision
    open_ = ' data-failed=""' if key in failed else ""
    shown = f"<code>{escape(revision)}</code>{_step(step)}"
    return f'<li class="part" data-part="{escape(words)}"{open_}><span>{shown}</span></li>'


def _step(step: int | None) -> str:
    return f" · step {step}" if step else ""


def _line(line: RunLogLine, marker: re.Pattern[str] | None, picked: tuple[int, int] | None) -> str:
    seq = line.seq
    chosen = " picked" if picked and picked[0] <= seq <= picked[1] else ""
    problem = " data-problem" if line.level == "error" else ""
    level = "" if line.level == "info" else f'<span class="level {state_of(line.level).tone}">{line.level}</span> '
    at = line.at.astimezone(UTC)
    return (
        f'<li id="L{seq}" class="{line.level}{chosen}"{problem}><a href="#L{seq}" aria-label="Line {seq}">{seq}</a>'
        f'<time datetime="{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z">{at:%H:%M:%S}.'
        f"{at.microsecond // 1000:03d}</time><span>{level}{_marked(plain(line.message), marker)}</span></li>"
    )


def _marker(text: str) -> re.Pattern[str] | None:
    return re.compile(re.escape(text), re.IGNORECASE) if text else None


def _marked(message: str, marker: re.Pattern[str] | None) -> str:
    if marker is None:
        return escape(message)
    pieces, at = [], 0
    for found in marker.finditer(message):
        pieces += [escape(message[at : found.start()]), f"<mark>{escape(found.group())}</mark>"]
        at = found.end()
    return "".join([*pieces, escape(message[at:])])
