"""The columns of exports that others rely on, written down a second time: a change here is a change of a contract."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Export:
    """`path` without its ending; each is handed out as csv and as json."""

    what: str
    path: str
    columns: tuple[str, ...]


EXPORTS = (
    Export(
        "the history",
        "/history/export",
        (
            "service", "environment", "seq", "revision_id", "parent", "direction", "cycle", "phase", "schema_rev",
            "checksum", "applied_at", "operator", "duration_ms", "run", "run_uid", "fence", "fp_before", "fp_after",
            "server_version_num", "seen_at", "superseded_at",
        ),
    ),
    Export(
        "drills",
        "/rehearsals/export",
        (
            "uid", "service", "environment", "scenario", "status", "result", "operator", "trigger_reason",
            "created_at", "started_at", "finished_at", "recovery_s", "limit_s", "interventions", "from_release",
            "to_release", "head_revision", "schema_rev", "runbook_rev", "runbook_updated", "runbook_link",
            "issues_found", "end_reason", "step_1_s", "step_2_s", "step_3_s", "step_4_s", "step_5_s",
        ),
    ),
)  # fmt: skip
