"""The template library `look`: states, times, icons, bars and listings, escaped and without inline style."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dashboard.templatetags import text
from dashboard.templatetags.diffs import compare
from dashboard.templatetags.glyphs import GLYPHS, ICONS
from dashboard.templatetags.sqltext import Piece, lines_of
from dashboard.templatetags.states import State, state_of
from migrations_app.engine.signs import turning_in

register = template.Library()


class DrawnBar(Protocol):
    """What a bar has to know about itself."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def wait(self) -> int: ...
    @property
    def work(self) -> int: ...
    @property
    def wait_ms(self) -> int: ...
    @property
    def work_ms(self) -> int: ...


@register.simple_tag
def glyph(name: str) -> SafeString:
    return GLYPHS[name]


@register.simple_tag
def icon(name: str) -> SafeString:
    return ICONS[name]


@register.simple_tag
def state(name: str, word: str = "", chip: bool = False) -> SafeString:
    """A state as shape, word and colour; `word` says more than the table's own."""
    return draw_state(state_of(name), word, chip)


def draw_state(known: State, word: str = "", chip: bool = False) -> SafeString:
    classes = " ".join(["state", known.tone, *(["chip"] if chip else []), *(["live"] if known.live else [])])
    return format_html('<span class="{}">{}{}</span>', classes, known.glyph, word or known.word)


@register.filter
def tone(name: str) -> str:
    return state_of(name).tone


@register.filter
def shape_of(name: str) -> SafeString:
    return ICONS[state_of(name).shape]


@register.simple_tag
def when(moment: datetime | None, absolute: bool = False, empty: str = "never") -> SafeString:
    """A time: UTC in the page, made relative or local by time.js unless it must stay absolute."""
    if moment is None:
        return format_html('<span class="faint">{}</span>', empty)
    kind = "" if absolute else SafeString(" data-when")
    return format_html('<time datetime="{}"{}>{}</time>', text.iso(moment), kind, text.utc(moment))


@register.simple_tag
def countdown(moment: datetime, what: str) -> SafeString:
    """How long is left until then; countdown.js goes on counting, and says when little is left for `what`."""
    left = max((moment - timezone.now()).total_seconds(), 0)
    return format_html(
        '<span role="timer" data-until="{}" data-what="{}">{}</span>',
        text.iso(moment),
        what,
        f"{text.duration(left * 1000)} left" if left else "over",
    )


@register.simple_tag
def clock(moment: datetime) -> SafeString:
    """Only the time of day, for log lines and `as of`."""
    return format_html('<time datetime="{}">{}</time>', text.iso(moment), f"{moment:%H:%M:%S}")


@register.simple_tag
def revision_link(service: str, revision_id: str) -> SafeString:
    """A revision that a receipt names. What others wrote there may be a name that no page can have."""
    code = format_html("<code>{}</code>", revision_id)
    try:
        return format_html('<a href="{}">{}</a>', reverse("revision", args=[service, revision_id]), code)
    except NoReverseMatch:
        return code


@register.simple_tag
def copy(value: str, label: str, word: str = "Copy", id: str = "") -> SafeString:
    """A copy button; hidden until copy.js can serve it."""
    return format_html(
        '<button type="button" class="button slim"{} data-copy="{}" aria-label="{}" hidden>{}<span>{}</span></button>',
        format_html(' id="{}"', id) if id else "",
        value,
        label,
        GLYPHS["copy"],
        word,
    )


@register.simple_tag
def sql(source: str, label: str) -> SafeString:
    """SQL as plain text with line numbers, scrolled by keyboard."""
    lines = format_html_join(
        "",
        '<li><span class="ln" aria-hidden="true">{}</span><span>{}</span></li>',
        ((number, _pieces(line)) for number, line in enumerate(lines_of(source), 1)),
    )
    listing = format_html('<div class="sql" tabindex="0" role="region" aria-label="{}"><ol>{}</ol></div>', label, lines)
    return format_html("{}{}", _turned(source), listing)


def _turned(source: str) -> SafeString:
    found = turning_in(source)
    if not found:
        return SafeString()
    return format_html(
        '<div class="pad"><p class="notice warn">This text holds signs that turn its direction ({}): what is shown may '
        "not be the order that runs.</p></div>",
        ", ".join(found),
    )


def _pieces(line: list[Piece]) -> SafeString | str:
    """An empty line keeps its height."""
    if not any(characters for _, characters in line):
        return "\u200b"
    return format_html_join("", "{}", ((_piece(kind, characters),) for kind, characters in line))


def _piece(kind: str, characters: str) -> SafeString | str:
    return format_html('<span class="{}">{}</span>', f"sql-{kind}", characters) if kind else characters


@register.inclusion_tag("partials/diff.html")
def diff(before: str, after: str, label: str) -> dict[str, object]:
    """What changed between two texts, with the signs as text."""
    return {"diff": compare(before, after), "label": label}


register.filter("duration", text.duration)
register.filter("size", text.size)
register.filter("short", text.short)
register.filter("grouped_hash", text.grouped)
register.filter("revision_number", text.revision_number)
register.filter("server_version", text.server_version)


@register.simple_tag
def options(values: Iterable[str], chosen: str = "") -> SafeString:
    """The choices of a select, of which there may be hundreds."""
    return format_html_join(
        "", "<option{}>{}</option>", ((SafeString(" selected" if value == chosen else ""), value) for value in values)
    )


@register.simple_tag
def track(bar: DrawnBar) -> SafeString:
    """A phase on the run's own scale: grey waiting, then coloured work; the numbers are its label."""
    tone = {"done": "ok", "failed": "bad", "unknown": "warn"}.get(bar.state, "x")
    return format_html(
        '<svg class="track" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="w" x="{}" width="{}" height="10"/><rect class="{}" x="{}" width="{}" height="10"/></svg>',
        f"{bar.name}: waited {text.duration(bar.wait_ms)}, worked {text.duration(bar.work_ms)}",
        bar.start,
        bar.wait,
        tone,
        bar.start + bar.wait,
        bar.work,
    )


@register.filter
def counted(count: int, noun: str) -> str:
    return text.counted(count, noun)
