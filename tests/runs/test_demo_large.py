"""`manage.py demo --size large`: a history that agrees with itself, made in one go or not at all."""

from __future__ import annotations

import json
import re
from io import StringIO
from threading import Event
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import Count, F, Max, Sum
from django.test import Client

from migrations_app.audit.verify import verify
from migrations_app.engine.sql.script import read_script, read_verify, script_to_json, statements_to_json
from migrations_app.fleet.ledger import summary
from migrations_app.fleet.matrix import read_matrix
from migrations_app.fleet.standing import standings
from migrations_app.jobs import schedule
from migrations_app.management.large.templates import LIFE
from migrations_app.models import (
    AppliedRevision,
    AuditEntry,
    Environment,
    LedgerEntry,
    Revision,
    Run,
    RunLogLine,
    RunStep,
    Service,
    StepAttempt,
)
from migrations_app.permissions import OPERATOR
from migrations_app.runs.claims import due
from migrations_app.statuses import OPEN, RunStatus
from tests.edge.fleet import make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db(transaction=True)

ENVIRONMENTS, REVISIONS, RUNS, LINES = 6, 60, 400, 5_000
RULES = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE conrelid::regclass::text LIKE 'migrations_app_%' AND contype <> 'n'
UNION ALL
SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
 WHERE indrelid::regclass::text LIKE 'migrations_app_%'
"""
CASTS = re.compile(r"::text(\[\])?|::character varying|[()]")


def generate(**sizes: int | bool) -> str:
    said = StringIO()
    wanted = {"environments": ENVIRONMENTS, "revisions": REVISIONS, "runs": RUNS, "lines": LINES, **sizes}
    call_command("demo", size="large", stdout=said, **wanted)
    return said.getvalue()


def rules() -> list[Any]:
    """Without casts and brackets: PostgreSQL prints `(ARRAY[a])::text[]` once, `ARRAY[(a)::text]` when read back."""
    with connection.cursor() as cursor:
        cursor.execute(RULES)
        found = [(table, name, CASTS.sub("", rule)) for table, name, rule in cursor.fetchall()]
    return sorted(found)


def test_it_makes_a_ledger_that_agrees_with_every_rule() -> None:
    generate()
    found = summary()
    assert (found.twice, found.out_of_order, found.changed) == (0, 0, 0)
    assert found.receipts == found.ledger > ENVIRONMENTS * (REVISIONS - 20)
    assert found.environments == ENVIRONMENTS + 1
    for environment in Environment.objects.all():
        seqs = list(environment.ledger.order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, environment.head_seq + 1))
        newest = environment.ledger.order_by("-seq")[0]
        assert environment.head_revision == (newest.revision_id if newest.direction == "up" else newest.parent)
        times = list(environment.ledger.order_by("seq").values_list("applied_at", flat=True))
        assert times == sorted(times)


def test_it_leaves_applied_what_the_receipts_say() -> None:
    generate()
    for environment in Environment.objects.all():
        standing: dict[str, int] = {}
        for entry in environment.ledger.order_by("seq"):
            if entry.direction == "up":
                standing[entry.revision_id] = entry.seq
            else:
                del standing[entry.revision_id]
        assert dict(environment.applied.values_list("revision_id", "seq")) == standing
        position = Revision.objects.get(service=environment.service_id, revision_id=environment.head_revision).position
        assert len(standing) == position


def test_it_rolls_some_revisions_back_and_counts_their_cycles() -> None:
    generate()
    downs = LedgerEntry.objects.filter(direction="down")
    assert downs.exists()
    assert LedgerEntry.objects.filter(direction="up", cycle=2).count() > 0
    assert not downs.exclude(cycle=1).exists()
    assert downs.filter(run__direction="down", run__status=RunStatus.ROLLED_BACK).count() == downs.count()


def test_it_lets_heads_differ_over_the_newest_revisions_only() -> None:
    generate()
    service = Service.objects.get(name="marketplace")
    window = read_matrix(service)
    assert 1 < window.total - window.folded < REVISIONS // 2
    assert {cell for row in window.rows for cell in row.cells} >= {"A", "P", "W", "F"}
    states = {row.state for row in standings()}
    assert states >= {"behind", "failed", "needs_operator", "waiting_for_lock", "paused"}


def test_it_makes_exactly_as_many_runs_and_lines_as_were_asked_for() -> None:
    generate()
    assert Run.objects.count() == RUNS
    assert RunLogLine.objects.count() == LINES
    runs = Run.objects.annotate(kept=Count("log", distinct=True), last=Max("log__seq"))
    assert not runs.exclude(kept=F("log_seq")).exists()
    assert not runs.filter(log_seq__gt=0).exclude(last=F("log_seq")).exists()
    assert Run.objects.aggregate(steps=Sum("steps_total"))["steps"] == RunStep.objects.count()
    done = Run.objects.filter(status__in=(RunStatus.SUCCEEDED, RunStatus.ROLLED_BACK))
    assert not done.exclude(steps_done=F("steps_total")).exists()
    assert StepAttempt.objects.filter(outcome="done").count() == RunStep.objects.filter(status="done").count()


def test_it_gives_each_run_the_receipts_of_its_plan() -> None:
    generate()
    for run in Run.objects.filter(status=RunStatus.SUCCEEDED).order_by("-pk")[:40]:
        planned = [(item["revision_id"], item["checksum"]) for item in run.revisions]
        assert list(run.ledger.order_by("seq").values_list("revision_id", "checksum")) == planned
        assert run.to_revision == planned[-1][0]
    assert not LedgerEntry.objects.exclude(run__uid=F("run_uid")).exists()


def test_it_stores_scripts_as_they_would_be_read() -> None:
    generate()
    revisions = Revision.objects.filter(service__name="marketplace").order_by("position")[: len(LIFE)]
    assert len(revisions) == len(LIFE)
    for revision in revisions:
        assert revision.up_script == json.loads(json.dumps(script_to_json(read_script(revision.up))))
        if revision.down is not None:
            assert revision.down_script == json.loads(json.dumps(script_to_json(read_script(revision.down))))
        if revision.verify is not None:
            assert revision.verify_script == json.loads(json.dumps(statements_to_json(read_verify(revision.verify))))


def test_it_makes_audit_entries_that_verify_behind_those_that_stood() -> None:
    before = make_service(person("ann", OPERATOR), "other")
    generate(add=True)
    assert before.pk
    verdict = verify()
    assert verdict.ok, verdict.sentence
    assert verdict.checked == AuditEntry.objects.count() > RUNS


def test_it_makes_the_same_fleet_from_the_same_seed() -> None:
    kept = []
    for seed in (7, 7, 8):
        generate(seed=seed)
        rows = LedgerEntry.objects.order_by("environment__order", "environment__service__name", "seq")
        kept.append(list(rows.values_list("environment__name", "seq", "revision_id", "direction", "operator")))
        _empty()
    assert kept[0] == kept[1] != kept[2]


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE migrations_app_service, migrations_app_run RESTART IDENTITY CASCADE")


def test_it_puts_every_constraint_and_index_back() -> None:
    before = rules()
    generate()
    assert rules() == before
    assert Run.objects.create(**_one_more()).pk == Run.objects.order_by("pk")[RUNS - 1].pk + 1


def _one_more() -> dict[str, object]:
    other = Run.objects.filter(status=RunStatus.SUCCEEDED).first()
    assert other is not None
    return {
        "service": other.service,
        "environment": other.environment,
        "requested_by": other.requested_by,
        "status": RunStatus.SUCCEEDED,
    }


def test_it_refuses_a_control_database_that_has_services() -> None:
    make_service(person("ann", OPERATOR), "other")
    with pytest.raises(CommandError, match=r"has 1 services.*Nothing was generated.*--add"):
        generate()
    assert not Run.objects.exists()


def test_it_refuses_to_generate_twice_even_with_add() -> None:
    generate()
    with pytest.raises(CommandError, match=r"has the service .* already.*Nothing was generated"):
        generate(add=True)
    assert Run.objects.count() == RUNS


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"environments": 1}, "--environments 1"),
        ({"revisions": 3}, "--revisions 3"),
        ({"runs": 10}, "--runs 10 is less than"),
        ({"lines": 5}, "--lines 5 is less than"),
    ],
)
def test_it_refuses_numbers_that_do_not_fit_together(sizes: dict[str, int], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        generate(**sizes)
    assert not Service.objects.exists()


def test_it_refuses_sizes_for_the_small_fleet() -> None:
    with pytest.raises(CommandError, match="belong to --size large"):
        call_command("demo", runs=5)


def test_it_leaves_nothing_for_a_worker_to_take_up() -> None:
    generate()
    assert Run.objects.filter(status__in=OPEN).exists()
    assert due() == []


def test_it_shows_differences_only_when_asked_to() -> None:
    generate(drifted=2)
    assert summary().changed == 2


def test_the_scheduler_says_that_there_is_no_target_and_keeps_the_time_of_the_comparison() -> None:
    generate()
    compared = dict(Environment.objects.values_list("pk", "reconciled_at"))
    Environment.objects.update(checked_at=None)
    schedule.tick(Event())
    for environment in Environment.objects.all():
        assert environment.reachability == "unreachable"
        assert "GENERATED_HISTORY_HAS_NO_TARGET is not set" in environment.reachability_note
        assert environment.reconciled_at == compared[environment.pk]


def test_its_pages_answer() -> None:
    generate()
    client = Client()
    client.force_login(person("petra", OPERATOR))
    failed = Run.objects.filter(status=RunStatus.FAILED).order_by("-pk")[0]
    environment = Environment.objects.filter(service__name="marketplace")[1]
    for path in (
        "/",
        "/matrix?service=marketplace",
        "/matrix?service=marketplace&mode=all",
        "/history",
        "/history?direction=down",
        "/runs",
        "/runs?view=needs",
        f"/runs/{failed.pk}",
        f"/runs/{failed.pk}/log",
        "/services",
        "/services/marketplace",
        f"/services/marketplace/environments/{environment.name}",
        "/services/marketplace/revisions",
        f"/services/marketplace/revisions/{environment.head_revision}",
        "/audit",
    ):
        assert client.get(path).status_code == 200, path
    assert AppliedRevision.objects.exists()
