"""The context of a rehearsal's page and of its live fragment: the same for both, so that they cannot differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from dashboard import access
from dashboard.cursors import write
from dashboard.pages.choices import Choice, choices
from dashboard.pages.query import address, numbered_place, one_of, word
from dashboard.pages.rehearsal_list import state_name
from dashboard.templatetags import text
from dashboard.templatetags.states import state_of
from migrations_app.permissions import may, needed_for, who_may
from migrations_app.rehearsals.measured import Measured, statements_of
from migrations_app.rehearsals.words import short_sentence
from migrations_app.statuses import (
    REHEARSAL_OPEN,
    REHEARSAL_SENTENCES,
    VERDICT_SENTENCES,
    RehearsalStatus,
    Verdict,
    verdict_sentence,
)

WINDOW = 100
LOSSES_IN_ROW = 3
FIRST_LINES = 500
ONLY = "not-reversible"
_AFTER = "revisions of a rehearsal"
STAGES = {
    "up": ("clone", "up", "smoke", "trace", "down", "compare", "again"),
    "down": ("clone", "down", "trace", "again", "compare"),
}


@dataclass(frozen=True)
class Phase:
    """One stage of the rail."""

    state: str
    word: str
    detail: str
    current: bool = False


@dataclass(frozen=True)
class Part:
    """A revision's row; `took` and the two stages that matter most are in milliseconds."""

    row: access.RevisionRehearsal
    url: str
    took: int
    up: int | None
    down: int | None
    losses: tuple[str, ...]
    more: int
    chosen: bool


@dataclass(frozen=True)
class Line:
    seq: int
    at: datetime
    level: str
    message: str


def version_parts(rehearsal: access.Rehearsal, last_line: int) -> str:
    asked = f"{rehearsal.status}.{rehearsal.doing}.{rehearsal.cancel_asked}"
    return f"{rehearsal.pk}.{rehearsal.version}.{asked}.{last_line}"


def drawn_key(rehearsal: access.Rehearsal) -> str:
    """Of the buttons, which a poll leaves alone while they are the same."""
    return f"{rehearsal.status}.{int(rehearsal.cancel_asked)}"


def live_context(request: HttpRequest, rehearsal: access.Rehearsal) -> dict[str, object]:
    over = rehearsal.status not in REHEARSAL_OPEN
    state = state_name(rehearsal)
    tally: Counter[str] = Counter(rehearsal.tally)
    return {
        "rehearsal": rehearsal,
        "over": over,
        "state": state,
        "sentence": short_sentence(rehearsal),
        "meaning": _meaning(rehearsal, state),
        "title": f"{state_of(state).word}: rehearsal {rehearsal.pk} on {rehearsal.environment.name}",
        "took": _took(rehearsal),
        "drawn": drawn_key(rehearsal),
        "phases": _phases(rehearsal, access.rehearsal_parts_for(request.user, rehearsal)),
        "reached": tally.total(),
        "unreached": len(rehearsal.revisions) - tally.total(),
        "may_rehearse": may(request.user, "rehearse"),
        "needs_rehearser": needed_for("rehearse"),
        "again_to": _again_to(rehearsal),
        **_window(request, rehearsal),
    }


def page_context(request: HttpRequest, rehearsal: access.Rehearsal) -> dict[str, object]:
    """What is written once: the chosen revision's part, the clone, and who may read more."""
    return {
        "part": chosen_part(request, rehearsal),
        "backup_at": _backup_at(rehearsal),
        "may_sql": may(request.user, "view_sql"),
        "sql_readers": who_may("view_sql"),
        "may_export": may(request.user, "export"),
        "needs_exporter": needed_for("export"),
        "log_readers": who_may("view_log"),
        "lines": log_lines(request, rehearsal, 0, FIRST_LINES) if may(request.user, "view_log") else None,
        "first_lines": FIRST_LINES,
    }


def log_lines(request: HttpRequest, rehearsal: access.Rehearsal, after: int, most: int) -> list[Line]:
    found = access.rehearsal_log_for(request.user, rehearsal).filter(seq__gt=after)[:most]
    return [
        Line(one.seq, one.at, one.level, f"{one.revision_id}: {one.message}" if one.revision_id else one.message)
        for one in found
    ]


@dataclass(frozen=True)
class ChosenPart:
    row: access.RevisionRehearsal
    sentence: str
    stages: tuple[tuple[str, int], ...]
    ways: tuple[tuple[str, tuple[Measured, ...]], ...]


def chosen_part(request: HttpRequest, rehearsal: access.Rehearsal) -> ChosenPart | None:
    """The one that the address names, else the first that is not reversible, else the first."""
    parts = access.rehearsal_parts_for(request.user, rehearsal)
    reads = may(request.user, "view_sql")
    rows = parts if reads else parts.defer("traces", "down_traces")
    named = word(request, "revision")
    if named:
        row = access.rehearsal_part_for(request.user, rehearsal, named)
    else:
        first = rows.exclude(verdict=Verdict.REVERSIBLE).first() or rows.first()
        if first is None:
            return None
        row = first
    ways = [("up", row.traces), ("down", row.down_traces)] if reads else []
    return ChosenPart(
        row=row,
        sentence=verdict_sentence(row.verdict, down_file=bool(row.down_checksum)),
        stages=tuple((str(one["name"]), int(one["ms"])) for one in row.stages),
        ways=tuple((way, statements_of(traces)) for way, traces in ways if traces),
    )


def _backup_at(rehearsal: access.Rehearsal) -> datetime | None:
    """How old the backup is, as far as its receipts tell."""
    at = ((rehearsal.clone or {}).get("backup") or {}).get("last_receipt_at")
    return datetime.fromisoformat(at) if at else None


def _meaning(rehearsal: access.Rehearsal, state: str) -> str:
    """Beside the state's word: what that state means, or what was not done."""
    if rehearsal.cancel_asked and rehearsal.status == RehearsalStatus.RUNNING:
        return "A cancel was asked for; the worker looks between statements."
    if rehearsal.status == RehearsalStatus.DONE and state in VERDICT_SENTENCES:
        return VERDICT_SENTENCES[state]
    return REHEARSAL_SENTENCES[rehearsal.status]


def _took(rehearsal: access.Rehearsal) -> str:
    if rehearsal.started_at is None or rehearsal.finished_at is None:
        return ""
    return text.duration((rehearsal.finished_at - rehearsal.started_at).total_seconds() * 1000)


def _again_to(rehearsal: access.Rehearsal) -> str:
    """As a request says it: the revision that is the head afterwards."""
    return rehearsal.to_revision or ("zero" if rehearsal.direction == "down" else "")


def _phases(rehearsal: access.Rehearsal, parts: QuerySet[access.RevisionRehearsal]) -> tuple[Phase, ...]:
    """Each stage with its time over all revisions so far; the one at work is the current one."""
    spent: Counter[str] = Counter()
    for stages in parts.values_list("stages", flat=True):
        for one in stages:
            spent[one["name"]] += one["ms"]
    if rehearsal.clone:
        spent["clone"] = int(rehearsal.clone["ms"])
    at = _at(rehearsal)
    return tuple(_phase(name, spent.get(name), at == name, rehearsal) for name in STAGES[rehearsal.direction])


def _at(rehearsal: access.Rehearsal) -> str:
    if rehearsal.status != RehearsalStatus.RUNNING:
        return ""
    stage = rehearsal.doing.rpartition(", ")[2]
    known = STAGES[rehearsal.direction]
    return stage if stage in known else ("clone" if rehearsal.clone is None else "")


def _phase(name: str, ms: int | None, current: bool, rehearsal: access.Rehearsal) -> Phase:
    detail = text.duration(ms) if ms is not None else ""
    if current:
        return Phase("active", name, detail, current=True)
    if ms is not None:
        return Phase("done", name, detail)
    if rehearsal.status not in REHEARSAL_OPEN or name == "smoke":
        return Phase("not_run", name, "no check is set" if name == "smoke" else "not reached")
    return Phase("pending", name, "")


def _window(request: HttpRequest, rehearsal: access.Rehearsal) -> dict[str, Any]:
    only = one_of(request, "only", (ONLY,))
    after = numbered_place(request, "after", _AFTER)
    rows = access.rehearsal_parts_for(request.user, rehearsal).defer("traces", "down_traces")
    if only:
        rows = rows.exclude(verdict=Verdict.REVERSIBLE)
    found = list(rows.filter(ordinal__gt=after or 0)[: WINDOW + 1])
    shown = found[:WINDOW]
    page = reverse("rehearsal", args=[rehearsal.pk])
    here = request.GET.get("revision", "")
    kept = f"&only={ONLY}" if only else ""
    return {
        "parts": [_part(row, f"{page}?revision={quote(row.revision_id)}{kept}#revision", here) for row in shown],
        "only": only,
        "onlys": _onlys(request, page, only),
        "older_url": _on(request, page, after=write(_AFTER, shown[-1].ordinal)) if len(found) > WINDOW else "",
        "newest_url": _on(request, page, after=None) if after else "",
        "query": _kept_query(request),
    }


def _onlys(request: HttpRequest, page: str, chosen: str) -> list[Choice]:
    offered = choices(request, "only", chosen, [("", "All"), (ONLY, "Only not reversible")], after=None, revision=None)
    return [Choice(one.word, page + one.url[len(request.path) :] + "#revisions", one.current) for one in offered]


def _on(request: HttpRequest, page: str, **changes: str | None) -> str:
    """The page's own address, also where a poll asks."""
    return page + address(request, drawn=None, **changes)[len(request.path) :] + "#revisions"


def _kept_query(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("drawn", None)
    return query.urlencode()


def _part(row: access.RevisionRehearsal, url: str, here: str) -> Part:
    spent = {str(one["name"]): int(one["ms"]) for one in row.stages}
    losses = tuple(str(loss["sentence"]) for loss in row.losses)
    return Part(
        row=row,
        url=url,
        took=sum(spent.values()),
        up=spent.get("up"),
        down=spent.get("down"),
        losses=losses[:LOSSES_IN_ROW],
        more=max(len(losses) - LOSSES_IN_ROW, 0),
        chosen=row.revision_id == here,
    )
