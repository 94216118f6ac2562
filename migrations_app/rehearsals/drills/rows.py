"""Drills as rows and as documents, for files and for the command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from migrations_app.models import Drill
from migrations_app.rehearsals.drills.detail import DrillDetail
from migrations_app.rehearsals.drills.scenarios import STEPS

Row = dict[str, object]

LIST_COLUMNS = (
    "uid", "service", "environment", "scenario", "status", "result", "operator", "trigger_reason", "created_at",
    "started_at", "finished_at", "recovery_s", "limit_s", "interventions", "from_release", "to_release",
    "head_revision", "schema_rev", "runbook_rev", "runbook_updated", "runbook_link", "issues_found", "end_reason",
    *(f"step_{number}_s" for number in range(1, STEPS + 1)),
)  # fmt: skip
STEP_COLUMNS = (
    "step", "name", "planned_s", "actual_s", "last_s", "best_s", "pause_before_s", "started_at", "ended_at", "held_s",
    "saved_at", "commands", "output", "note",
)  # fmt: skip


def list_rows(drills: Iterable[Drill]) -> Iterator[Row]:
    for drill in drills:
        row = _head(drill)
        row |= {f"step_{step.number}_s": _seconds(step.actual_ms) for step in drill.steps.all()}
        yield {name: row.get(name) for name in LIST_COLUMNS}


def step_rows(detail: DrillDetail) -> Iterator[Row]:
    for timed in detail.steps:
        step = timed.step
        values = (
            step.number, step.name, step.planned_s, _seconds(step.actual_ms), _seconds(timed.last_ms),
            _seconds(timed.best_ms), _seconds(timed.pause_ms), _iso(step.started_at), _iso(step.ended_at),
            _seconds(step.held_ms), _iso(step.saved_at), step.commands, step.output, step.note,
        )  # fmt: skip
        yield dict(zip(STEP_COLUMNS, values, strict=True))


def document(detail: DrillDetail) -> Row:
    """Everything there is about one drill."""
    return {
        **_head(detail.drill, len(detail.interventions)),
        "reasons": list(detail.verdict.reasons) if detail.drill.result else [],
        "steps": list(step_rows(detail)),
        "checks": [
            {
                "side": check.side, "kind": check.kind, "name": check.name, "expected": check.expected,
                "got": check.got, "passed": check.passed, "measured": check.measured, "at": _iso(check.at),
            }
            for check in detail.checks
        ],
        "manual_interventions": [
            {"step": row.step, "seconds": row.seconds, "what": row.what, "note": row.note, "at": _iso(row.at)}
            for row in detail.interventions
        ],
        "follow_up_actions": [
            {
                "what": row.what, "owner": row.owner, "due": row.due.isoformat() if row.due else None,
                "done_at": _iso(row.done_at),
            }
            for row in detail.follow_ups
        ],
    }  # fmt: skip


def _head(drill: Drill, interventions: int | None = None) -> Row:
    """`stepped_in` is counted where drills are listed."""
    return {
        "uid": str(drill.uid),
        "service": drill.environment.service.name,
        "environment": drill.environment.name,
        "scenario": drill.scenario,
        "status": drill.status,
        "result": drill.result,
        "operator": drill.operator.get_username(),
        "trigger_reason": drill.trigger_reason,
        "created_at": _iso(drill.created_at),
        "started_at": _iso(drill.started_at),
        "finished_at": _iso(drill.finished_at),
        "recovery_s": _seconds(drill.recovery_ms),
        "limit_s": drill.limit_s,
        "interventions": getattr(drill, "stepped_in", None) if interventions is None else interventions,
        "from_release": drill.from_release,
        "to_release": drill.to_release,
        "head_revision": drill.head_revision,
        "schema_rev": drill.schema_rev,
        "runbook_rev": drill.runbook_rev,
        "runbook_updated": drill.runbook_updated,
        "runbook_link": drill.runbook_link,
        "issues_found": drill.issues_found,
        "end_reason": drill.end_reason,
    }


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 3)


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
