"""A fleet with one of everything that is hard to draw: long names, every run state, targets that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils import timezone

from migrations_app.fleet.revisions import put_revision
from migrations_app.models import (
    BreakGlass,
    Cutover,
    Drill,
    DrillStep,
    Environment,
    EnvironmentRelease,
    GateWaiver,
    LedgerEntry,
    NodeReport,
    Rehearsal,
    Release,
    Revision,
    RollbackConsent,
    Run,
    RunStep,
    Service,
)
from migrations_app.permissions import ADMIN, ON_CALL, OPERATOR, RELEASE_MANAGER
from migrations_app.rehearsals.drills.remarks import Seen, add_check, add_follow_up, note_intervention
from migrations_app.releases.boot.attempts import Attempt, record_attempt
from migrations_app.releases.boot.known import Asked
from migrations_app.releases.boot.nodes import report_node
from migrations_app.releases.gates.evidence import post_evidence
from migrations_app.releases.gates.waivers import ask_waiver, decide_waiver
from tests.edge.cutovers import make_cutover, make_freeze, make_glass
from tests.edge.drills import held, press, ready
from tests.edge.fleet import make_environment, make_log, make_run, make_service
from tests.edge.gates import make_hanging
from tests.edge.people import person
from tests.edge.rehearsals import TRACE, make_consent, make_lines, make_part, make_rehearsal
from tests.edge.releases import make_release
from tests.edge.schemas import make_drift, make_reading

LONG = "0003_orders_currency_check_with_a_rather_long_name_that_has_to_wrap_on_small_screens"
LATER = f"2026.11.2-{'with-a-long-name-' * 3}"
# name, stage, how many revisions are applied
PLACES = (
    ("dev", "dev", 2),
    ("prod-eu", "prod", 2),
    ("prod-us", "prod", 1),
    (f"prod-{'south-america-' * 3}2", "prod", 0),
)


@dataclass(frozen=True)
class Fleet:
    olga: User
    service: Service
    running: Run
    waiting: Run
    failed: Run
    undecided: Run
    receipt: LedgerEntry
    rehearsal: Rehearsal
    rehearsing: Rehearsal
    consent: RollbackConsent
    drill: Drill
    earlier: Drill
    timed: Drill
    cutover: Cutover
    glass: BreakGlass
    waiver: GateWaiver
    approved: GateWaiver

    @property
    def addresses(self) -> tuple[str, ...]:
        return (
            "/",
            *self._matrices,
            *self._runs,
            *self._rehearsals,
            *self._services,
            *self._releases,
            "/workers",
            "/audit",
            "/tokens",
            "/find?q=o",
        )

    @property
    def _matrices(self) -> tuple[str, ...]:
        return (
            "/matrix",
            "/matrix?mode=all",
            "/matrix/schema",
            "/matrix/schema?depth=privileges",
            "/matrix/schema/object?service=orders&kind=index&name=public.orders_id",
            "/matrix/contracts",
            "/history",
            "/history?revision=0001&phase=expand",
            "/history/compare?service=orders&a=dev&b=prod-eu",
            f"/history/{self.receipt.pk}",
        )

    @property
    def _runs(self) -> tuple[str, ...]:
        runs = (self.running, self.waiting, self.failed, self.undecided)
        return (
            "/runs",
            *(f"/runs/{run.pk}" for run in runs),
            f"/runs/{self.running.pk}/log",
            f"/runs/{self.failed.pk}/rollback",
            f"/rollback-requests/{self.consent.pk}",
        )

    @property
    def _rehearsals(self) -> tuple[str, ...]:
        return (
            "/rehearsals",
            "/rehearsals?scenario=data&result=failed",
            "/rehearsals/clones",
            f"/rehearsals/{self.rehearsal.pk}",
            f"/rehearsals/{self.rehearsal.pk}?revision=0001_orders",
            f"/rehearsals/{self.rehearsing.pk}",
            f"/rehearsals/{self.rehearsal.pk}/log",
            "/rehearsals/levers?service=orders&environment=dev",
            f"/rehearsals/compare?a={self.earlier.uid}&b={self.drill.uid}",
            "/rehearsals/drills/start",
            "/rehearsals/drills/start?service=orders&environment=prod-us&scenario=schema",
            f"/rehearsals/drills/{self.drill.uid}",
            f"/rehearsals/drills/{self.timed.uid}",
            f"/rehearsals/drills/{self.timed.uid}/stopwatch",
        )

    @property
    def _services(self) -> tuple[str, ...]:
        return (
            "/services",
            "/add-service",
            "/services/orders",
            "/services/orders/add-environment",
            "/services/orders/environments/dev",
            "/services/orders/environments/dev?direction=down",
            "/services/orders/environments/dev/edit",
            "/services/orders/environments/dev/nodes",
            "/services/orders/environments/dev/schema",
            "/services/orders/environments/prod-eu",
            "/services/orders/environments/prod-eu/schema",
            "/services/orders/environments/prod-eu/schema/draft",
            "/services/orders/environments/prod-eu/schema/plan",
            "/services/orders/environments/prod-us?direction=down",
            "/services/orders/environments/prod-us/rollback",
            "/services/orders/environments/prod-us/nodes",
            "/services/orders/revisions",
            f"/services/orders/revisions/{LONG}",
            "/services/orders/upload",
        )

    @property
    def _releases(self) -> tuple[str, ...]:
        return (
            "/releases",
            "/releases?service=orders&status=draft",
            "/register-release",
            "/services/orders/releases/2026.11.1",
            f"/services/orders/releases/{LATER}",
            "/services/orders/release-places/2026.11.1",
            f"/services/orders/release-places/{LATER}",
            f"/services/orders/release-evidence/frontend-build/build/{LATER}",
            f"/services/orders/release-exemption/frontend-build/build/{LATER}",
            f"/exemptions/{self.waiver.pk}",
            f"/exemptions/{self.approved.pk}",
            "/gates",
            "/gates/edit",
            "/services/orders/cutover/2026.11.1",
            f"/cutovers/{self.cutover.pk}",
            f"/glass/{self.glass.pk}",
            "/freezes",
        )


def _started(environment: Environment) -> None:
    """Nodes that report and one that is silent, and starts that went well and badly."""
    for name in ("web-1", f"web-{'with-a-long-name-' * 4}2", "web-3"):
        asked = Asked(
            release_id=LATER, schema_rev="sc-0002", index_hash="9f" * 32, node=name, probes_ok=name != "web-3"
        )
        report_node(environment=environment, asked=asked)
    NodeReport.objects.filter(node="web-1").update(at=Now() - timedelta(minutes=2))
    record_attempt(environment=environment, attempt=Attempt(boot="b1", outcome="allow", node="web-1"))
    why = ("index_differs", f"The index {'9f' * 32} is not that of web-1, web-2 and 3 more.")
    failed = Attempt(boot="b2", outcome="gave_up", node="web-2", phase="index", tries=24, reasons=(why,))
    record_attempt(environment=environment, attempt=failed)


def make_fleet() -> Fleet:
    olga = person("olga", OPERATOR, ON_CALL, RELEASE_MANAGER, ADMIN)
    service = make_service(olga)
    for revision_id, statement in (
        ("0001_orders", "CREATE TABLE orders (id bigint PRIMARY KEY, currency text);"),
        ("0002_index", "CREATE INDEX CONCURRENTLY orders_currency ON orders (currency);"),
        (LONG, "ALTER TABLE orders ADD CONSTRAINT currency_iso CHECK (currency ~ '^[A-Z]{3}$') NOT VALID;"),
    ):
        name = f"sc-{revision_id[:4]}"
        put_revision(service=service, revision_id=revision_id, up=statement, down="SELECT 1;", schema_rev=name, by=olga)
    first = make_release(service, olga, "2026.11.1", "sc-0001", "sc-0002")
    later = make_release(service, olga, LATER, "sc-0002")
    waiver = _gated(later, olga)
    dev, eu, us, long_name = (
        _place(service, name, stage, order, head) for order, (name, stage, head) in enumerate(PLACES)
    )
    EnvironmentRelease.objects.create(environment=dev, release=waiver.release)
    Environment.objects.filter(pk=us.pk).update(reachability="unreachable", reachability_note="Connection refused.")
    parted = "2 ledger rows from receipt 1 on have no receipt in the target; it may have been restored."
    Environment.objects.filter(pk=eu.pk).update(reconcile_note=parted, differs_from=1)
    _started(dev)
    make_reading(dev)
    make_drift(eu)
    make_reading(us, failure="Connection refused.")
    error = {"code": "lock_exhausted", "message": "No lock.", "not_done": "Nothing.", "next_step": "Wait."}
    blocker = {"pid": 4711, "application": "psql", "state": "idle in transaction", "transaction_age_s": 241.0}
    waiting = {"sentence": "In the way.", "blockers": [blocker]}
    running = make_run(dev, olga, status="running", started_at=timezone.now(), phases=_phases())
    RunStep.objects.filter(run=running).update(summary="ALTER TABLE " + "very_long_relation_name_" * 5)
    make_log(running, *(f"{n}/40 statement {'with_a_long_unbroken_word_' * 4}" for n in range(40)))
    earlier, drill, timed = _drills(eu, dev, olga)
    oleg = person("oleg")
    approved = _let_pass(first, asking=oleg, deciding=person("rita", RELEASE_MANAGER))
    window = {"planned_from": timezone.now(), "planned_until": timezone.now() + timedelta(minutes=30)}
    told = f"{us.name}: It did not get its lock."
    halted = make_cutover(later, olga, oleg, status="halted", sentence=told, **window)
    make_freeze(olga, begins=24, ends=48)
    return Fleet(
        olga=olga,
        service=service,
        running=running,
        waiting=make_run(eu, olga, status="waiting_for_lock", waiting=waiting),
        failed=make_run(us, olga, status="failed", error=error),
        undecided=make_run(long_name, olga, status="needs_operator", error=error),
        receipt=LedgerEntry.objects.order_by("-seq")[0],
        rehearsal=_rehearsal(dev, olga),
        rehearsing=make_rehearsal(us, olga, "running", doing=f"1 of 1: {LONG}, trace"),
        consent=make_consent(eu, oleg, losses=[[LONG, f"Table public.{'orders_' * 12} is gone."]]),
        drill=drill,
        earlier=earlier,
        timed=timed,
        cutover=halted,
        glass=make_glass(first, oleg),
        waiver=waiver,
        approved=approved,
    )


def _let_pass(release: Release, *, asking: User, deciding: User) -> GateWaiver:
    reason = "The page is drawn without it."
    waiver = ask_waiver(release=release, gate="frontend-build", check="build", reason=reason, hours=24, by=asking)
    decide_waiver(waiver, "approve", by=deciding)
    return waiver


def _gated(release: Release, by: User) -> GateWaiver:
    """A release of which something was reported, signed and asked to be let pass, with names that have to wrap."""
    _, waiver, _ = make_hanging(release, by)
    post_evidence(
        release=release,
        gate="regression",
        check="focussed-subset-of-all-tests",
        status="fail",
        summary="412 tests passed, and " + "one_with_a_long_unbroken_name_" * 4 + " did not.",
        producer="ci/regression-tests",
        by=by,
    )
    return waiver


def _drills(eu: Environment, dev: Environment, olga: User) -> tuple[Drill, Drill, Drill]:
    """Two that were held, the later one too slow and helped by hand, and one whose third step is being timed."""
    week = timezone.now() - timedelta(days=7)
    earlier = held(eu, olga, (25, 190, 120, 60, 240), ended=week)
    drill = held(eu, olga, (31, 420, 490, 45, 200), result="failed")
    Drill.objects.filter(pk=drill.pk).update(
        issues_found="The restore script " + "asks_for_a_password_that_nobody_on_call_has_" * 3,
        runbook_link="https://wiki.example.com/runbooks/" + "rollback-of-the-storefront-" * 6,
        runbook_updated=True,
    )
    _write_step(drill)
    timed = ready(dev, olga, "application")
    add_check(timed, seen=Seen(side="before", kind="smoke", name="signing in works", passed=True), by=olga)
    timed = press(timed, olga, 3)
    note_intervention(timed, seconds=75, what="Restarted the proxy", note="It kept the old address.", by=olga)
    add_follow_up(timed, what="Let the proxy look the address up again", owner="ann", by=olga)
    return Drill.objects.get(pk=earlier.pk), Drill.objects.get(pk=drill.pk), timed


def _write_step(drill: Drill) -> None:
    DrillStep.objects.filter(drill=drill, number=2).update(
        commands="manage.py rollback orders prod-eu --as olga --reason " + "x" * 120,
        output="\n".join(f"line {n} {'of_a_rather_long_output_' * 5}" for n in range(12)),
        note="The second try worked.",
        held_ms=38_000,
        saved_at=timezone.now(),
    )


def _rehearsal(environment: Environment, by: User) -> Rehearsal:
    """One of each verdict, the last with names that have to wrap."""
    revisions = list(Revision.objects.filter(service=environment.service).order_by("position"))
    name = f"public.{'very_long_relation_name_' * 4}"
    long = {**TRACE, "summary": f"ALTER TABLE {name}", "locks": [[name, "ACCESS EXCLUSIVE"]], "rewritten": [name]}
    found = make_rehearsal(environment, by, reason="before the release")
    make_part(found, revisions[0], traces=[TRACE], down_traces=[long], fp_before="fp:v2:" + "a" * 64)
    make_part(found, revisions[1], "irreversible")
    make_part(found, revisions[2], "lossy", traces=[long, TRACE], fp_after="fp:v2:" + "b" * 64)
    make_lines(found, *(f"{n} statement {'with_a_long_unbroken_word_' * 4}" for n in range(4)))
    return found


def _phases() -> dict[str, dict[str, object]]:
    return {
        "lock": {"state": "done", "wait_ms": 400, "work_ms": 60, "detail": "fence 57"},
        "run": {"state": "active", "wait_ms": 3000, "work_ms": 7000, "detail": "statement 3 of 4"},
    }


def _place(service: Service, name: str, stage: str, order: int, head: int) -> Environment:
    environment = make_environment(service, name, stage, order)
    for seq, revision in enumerate(Revision.objects.filter(service=service).order_by("position")[:head], start=1):
        _receipt(environment, revision, seq)
    now = timezone.now()
    Environment.objects.filter(pk=environment.pk).update(reachability="ok", checked_at=now, reconciled_at=now)
    return environment


def _receipt(environment: Environment, revision: Revision, seq: int) -> None:
    now = timezone.now()
    environment.applied.create(revision_id=revision.revision_id, seq=seq, checksum=revision.checksum, applied_at=now)
    Environment.objects.filter(pk=environment.pk).update(
        head_revision=revision.revision_id, head_seq=seq, ledger_rows=seq, receipts_seen=seq
    )
    LedgerEntry.objects.create(
        environment=environment, seq=seq, revision_id=revision.revision_id, parent=revision.parent, direction="up",
        cycle=1, checksum=revision.checksum, phase="expand", applied_at=now, operator="olga",
        run_uid="00000000-0000-0000-0000-000000000001", fence=1, fp_before="a", fp_after="b", duration_ms=5,
        seen_at=now,
    )  # fmt: skip
