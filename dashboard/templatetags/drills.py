"""The template library `drills`: the Gantt of five steps, and how a stopwatch and a difference are written."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dashboard.templatetags import text
from dashboard.templatetags.states import state_of
from migrations_app.rehearsals.drills.detail import DrillDetail, TimedStep
from migrations_app.rehearsals.drills.scenarios import SCENARIOS

register = template.Library()

WIDTH = 1000


@dataclass(frozen=True)
class Bar:
    kind: str  # plan, ok, over, active, best
    start: int
    width: int
    y: int
    height: int


@register.simple_tag
def gantt(detail: DrillDetail) -> SafeString:
    """A row for each step on one scale: planned above, actual in the middle, the best earlier time below."""
    scale = _scale(detail)
    rows = ((step, _bars(detail, step, scale), _words(step)) for step in detail.steps)
    lines = format_html_join(
        "",
        '<li><span class="name">{} {}</span><svg class="track3" viewBox="0 0 1000 24" preserveAspectRatio="none" '
        'role="img" aria-label="{}">{}</svg><span class="small dim right nowrap">{}</span></li>',
        (
            (step.step.number, step.step.name, words, _draw(bars), text.duration(step.actual_ms) or "–")
            for step, bars, words in rows
        ),
    )
    return format_html('<ol class="gantt">{}</ol>', lines)


@register.simple_tag
def gantt_legend() -> SafeString:
    kinds = (("plan", "planned"), ("ok", "actual"), ("over", "over plan"), ("best", "best before"))
    return format_html_join(
        "",
        '<span><svg viewBox="0 0 18 8" aria-hidden="true"><rect class="{}" width="18" height="8"/></svg>{}</span>',
        kinds,
    )


def _scale(detail: DrillDetail) -> float:
    """Milliseconds to thousandths; everything that is drawn has to fit."""
    planned = sum(step.planned_ms for step in detail.steps)
    ends = [_offset(detail, step) + max(step.actual_ms or 0, step.best_ms or 0) for step in detail.steps]
    return WIDTH / max(planned, *ends, 1)


def _offset(detail: DrillDetail, step: TimedStep) -> int:
    """Where it began, from the start of the drill; a step that has not begun stands where it was planned."""
    start = detail.drill.started_at
    if start is None or step.step.started_at is None:
        return _planned_offset(detail, step)
    return round((step.step.started_at - start).total_seconds() * 1000)


def _planned_offset(detail: DrillDetail, step: TimedStep) -> int:
    return sum(other.planned_ms for other in detail.steps if other.step.number < step.step.number)


def _bars(detail: DrillDetail, step: TimedStep, scale: float) -> list[Bar]:
    def bar(kind: str, start: int, length: int, y: int, height: int) -> Bar:
        return Bar(kind, round(start * scale), max(round(length * scale), 2), y, height)

    begun = _offset(detail, step)
    bars = [bar("plan", _planned_offset(detail, step), step.planned_ms, 1, 5)]
    if step.actual_ms is not None:
        kind = "active" if step.state == "active" else "over" if step.over else "ok"
        bars.append(bar(kind, begun, step.actual_ms, 8, 9))
    if step.best_ms is not None:
        bars.append(bar("best", begun, step.best_ms, 19, 4))
    return bars


def _draw(bars: list[Bar]) -> SafeString:
    return format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
        ((bar.kind, bar.start, bar.y, bar.width, bar.height) for bar in bars),
    )


def _words(step: TimedStep) -> str:
    actual = f"actual {text.duration(step.actual_ms)}" if step.actual_ms is not None else "not done"
    best = f", best before {text.duration(step.best_ms)}" if step.best_ms is not None else ""
    return f"{step.step.name}: planned {text.duration(step.planned_ms)}, {actual}{best}"


@dataclass(frozen=True)
class PhaseRow:
    state: str
    word: str
    detail: str
    current: bool


@register.filter
def phases(detail: DrillDetail) -> list[PhaseRow]:
    """The five steps for a rail."""
    return [
        PhaseRow(
            step.state,
            f"{step.step.number} {step.step.name}",
            text.duration(step.actual_ms if step.state == "done" else step.planned_ms)
            + ("" if step.state == "done" else " planned"),
            step.state == "active",
        )
        for step in detail.steps
    ]


@register.filter
def clock_face(milliseconds: int | None) -> str:
    """`4:31`, `1:05:09`: whole seconds, as a stopwatch shows them."""
    minutes, seconds = divmod((milliseconds or 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def signed(milliseconds: int | None) -> str:
    """`+41 s`, `−3.0 s`; nothing for nothing."""
    if milliseconds is None:
        return ""
    return f"{'−' if milliseconds < 0 else '+'}{text.duration(abs(milliseconds))}"


@register.filter
def scenario_word(key: str) -> str:
    return SCENARIOS[key].word


@register.filter
def state_word(name: str) -> str:
    return state_of(name).word


@register.filter
def split_words(words: str) -> list[str]:
    return words.split()
