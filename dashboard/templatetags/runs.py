"""The template library `runs`: rows of runs and lines of logs, drawn without a loop in the template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dashboard.pages.plan_rows import draw_plan
from dashboard.pages.run_rows import COLUMNS, draw_rows
from dashboard.templatetags import text
from migrations_app.engine.contract.plan import PlannedRevision
from migrations_app.rehearsals.measured import RevisionMeasured
from migrations_app.runs.histogram import Bucket, Histogram
from migrations_app.runs.listing import RunRow

register = template.Library()


@register.simple_tag
def run_rows(rows: Iterable[RunRow], hide_environment: bool = False) -> SafeString:
    return draw_rows(rows, hide_environment=bool(hide_environment))


@register.simple_tag
def run_columns(hide_environment: bool = False) -> SafeString:
    shown = (column for column in COLUMNS if not (hide_environment and column == "Environment"))
    return format_html_join(
        "",
        '<th scope="col"{}>{}</th>',
        ((SafeString(' class="num"') if column in ("Took", "Try") else "", column) for column in shown),
    )


@register.filter
def span(width: timedelta) -> str:
    """A bucket's width in words."""
    return text.duration(width.total_seconds() * 1000)


@register.simple_tag
def bars_over_time(chart: Histogram, kept: str = "") -> SafeString:
    """Bars as SVG attributes; each one that is not empty is a link to its runs, and the summary beside it is text."""
    top = max(chart.most.total, 1)
    place = 1000 / len(chart.buckets)
    drawn = format_html_join(
        "", "{}", ((_bar(bucket, number * place, place, top, kept),) for number, bucket in enumerate(chart.buckets))
    )
    return format_html(
        '<svg class="histogram" viewBox="0 0 1000 100" preserveAspectRatio="none" role="group" '
        'aria-label="Runs over time, {} bars">{}</svg>',
        len(chart.buckets),
        drawn,
    )


def _bar(bucket: Bucket, x: float, width: float, top: int, kept: str) -> SafeString:
    if not bucket.total:
        return _rect("none", x, 99, width * 0.86, 1)
    rects, y = SafeString(""), 100.0
    for tone, count in (("ok", bucket.well), ("x", bucket.open), ("bad", bucket.bad)):
        height = count * 96 / top
        y -= height
        if count:
            rects += _rect(tone, x, y, width * 0.86, height)
    words = f"{bucket.total} run{'s' if bucket.total != 1 else ''} from {text.utc(bucket.start)}"
    if bucket.bad:
        words += f", {bucket.bad} failed or undecided"
    span = urlencode({"since": text.iso(bucket.start), "until": text.iso(bucket.end)})
    query = f"{kept}&{span}" if kept else span
    return format_html('<a href="/runs?{}" aria-label="{}"><title>{}</title>{}</a>', query, words, words, rects)


def _rect(tone: str, *box: float) -> SafeString:
    x, y, width, height = (f"{side:.2f}" for side in box)
    return format_html('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', tone, x, y, width, height)


@register.simple_tag
def planned(
    revisions: Sequence[PlannedRevision],
    service: str,
    with_sql: bool,
    measured: Mapping[str, RevisionMeasured] | None = None,
) -> SafeString:
    return draw_plan(revisions, service, with_sql=bool(with_sql), measured=measured or {})
