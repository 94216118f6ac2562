"""What stands at the end: effects, receipts, ledger, indexes, audit chain. Every number here should be 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import psycopg

from migrations_app.audit.verify import verify
from migrations_app.jobs.schedule import compare
from migrations_app.models import Environment, LedgerEntry, Run, RunStep
from migrations_app.statuses import TERMINAL, RunStatus, StepStatus
from tests.faults.findings import Findings
from tests.faults.scripts import Text


def check_target(findings: Findings, name: str, environment: int, address: str, reached: Sequence[Text]) -> None:
    """Compare one target with its chain, before and after its receipts are read into the ledger."""
    with psycopg.connect(address, autocommit=True) as conn:
        receipts = conn.execute(
            "SELECT seq, revision_id, checksum, run_id FROM lockstep.migration_history ORDER BY seq"
        ).fetchall()
        findings.receipts += len(receipts)
        if reached:
            _check_effects(findings, name, conn, reached)
            _check_indexes(findings, name, conn, reached)
    applied = [row[1] for row in receipts]
    wanted = [text.revision_id for text in reached]
    findings.lost += [f"{name} {one}" for one in wanted if one not in applied]
    findings.effects_twice += [f"{name} receipt {one}" for one, n in Counter(applied).items() if n > 1]
    if [one for one in applied if one in wanted] != wanted[: len(applied)]:
        findings.out_of_order.append(f"{name} receipts")
    _check_ledger(findings, name, environment, receipts)


def _check_effects(findings: Findings, name: str, conn: psycopg.Connection, reached: Sequence[Text]) -> None:
    rows = conn.execute("SELECT revision, part FROM effects ORDER BY id").fetchall()
    wanted = [(text.revision_id, part) for text in reached for part in range(1, text.effects + 1)]
    counted = Counter(rows)
    findings.effects_twice += [f"{name} effect {one} × {n}" for one, n in counted.items() if n > 1]
    findings.lost += [f"{name} effect {one}" for one in wanted if one not in counted]
    findings.unrecorded += [f"{name} effect {one}" for one in counted if one not in wanted]
    if list(dict.fromkeys(rows)) != [one for one in wanted if one in counted]:
        findings.out_of_order.append(f"{name} effects")


def _check_indexes(findings: Findings, name: str, conn: psycopg.Connection, reached: Sequence[Text]) -> None:
    invalid = conn.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready)")
    findings.invalid_indexes += [f"{name} {row[0]}" for row in invalid]
    here = {row[0] for row in conn.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'things'")}
    findings.invalid_indexes += [f"{name} {text.index} missing" for text in reached if text.index not in (*here, "")]


def _check_ledger(findings: Findings, name: str, environment: int, receipts: Sequence[object]) -> None:
    stored = Environment.objects.get(pk=environment)
    if _ledger(stored) != receipts:
        findings.ledger_late.append(f"{name}: {len(_ledger(stored))} of {len(receipts)}")
    if not compare(stored):
        findings.ledger_differs.append(f"{name}: its target cannot be read")
    after = _ledger(stored)
    findings.ledger += len(after)
    if after != receipts:
        findings.ledger_differs.append(f"{name}: {len(after)} rows for {len(receipts)} receipts")
    stored.refresh_from_db()
    if stored.reconcile_note:
        findings.ledger_differs.append(f"{name}: {stored.reconcile_note}")


def _ledger(environment: Environment) -> list[object]:
    rows = LedgerEntry.objects.filter(environment=environment).order_by("seq")
    return list(rows.values_list("seq", "revision_id", "checksum", "run_uid"))


def check_control(findings: Findings) -> None:
    findings.runs = Run.objects.count()
    for run in Run.objects.exclude(status__in=TERMINAL):
        findings.not_terminal.append(f"run {run.pk} {run.status}")
    succeeded = Run.objects.filter(status=RunStatus.SUCCEEDED)
    undone = RunStep.objects.filter(run__in=succeeded).exclude(status=StepStatus.DONE)
    for step in undone.select_related("run"):
        findings.steps_not_done.append(f"run {step.run_id} {step.revision_id} step {step.n} {step.status}")
    for run in succeeded:
        if run.steps_done != run.steps_total:
            findings.steps_not_done.append(f"run {run.pk} counts {run.steps_done} of {run.steps_total}")
    verdict = verify()
    findings.audit_entries = verdict.checked
    if not verdict.ok:
        findings.audit.append(str(verdict.first_bad))
