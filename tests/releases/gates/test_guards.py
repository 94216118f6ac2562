"""What the database refuses about gates by itself, whoever writes the rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from migrations_app.models import (
    BreakGlass,
    BreakGlassAnswer,
    Cutover,
    CutoverGate,
    GateSignature,
    GateWaiver,
    Release,
    ReleaseState,
    SignatureWithdrawal,
    WaiverDecision,
)
from migrations_app.permissions import RELEASE_MANAGER
from migrations_app.releases.gates.judging import Verdict
from migrations_app.releases.gates.waivers import decide_waiver
from tests.audit_flush import KEPT, truncatable
from tests.edge.fleet import make_environment, make_run
from tests.edge.people import person
from tests.releases.gates.rows import put, tell
from tests.releases.gates.shapes import gate, make_ready, report, report_all, sign, verdict
from tests.releases.gates.signed import make_signed

pytestmark = pytest.mark.django_db


@pytest.fixture
def truncate_triggers() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in (*KEPT, "releasestate"):
            cursor.execute(truncatable(table, yes=False))
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in (*KEPT, "releasestate"):
            cursor.execute(truncatable(table, yes=True))


def waiver(release: Release, by: User, **fields: object) -> GateWaiver:
    given = {"gate_key": "tests", "check_key": "unit", "reason": "r", "expires_at": Now() + timedelta(hours=1)}
    return put(GateWaiver(release=release, requested_by=by, **given | fields))


def create_cutover(release: Release, by: User, shown: Verdict | None = None) -> Cutover:
    """As somebody might who leaves the judging out: with what the gates would have to be like."""
    cutover = Cutover.objects.create(service_id=release.service_id, release=release, requested_by=by)
    for one in (shown or verdict(release)).gates:
        CutoverGate.objects.create(
            cutover=cutover, gate_key=one.gate.key, state="pass", evidence_hash=one.evidence_hash
        )
    tell(cutover)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS cutover_guard IMMEDIATE")
    return cutover


@pytest.mark.parametrize("how", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "replica"])
def test_rows_are_never_changed(release: Release, olga: User, ann: User, omar: User, how: str) -> None:
    make_signed(release, olga, ann, omar)
    for table in KEPT:
        name, key = f"migrations_app_{table}", "sha256" if table == "evidenceartefact" else "id"
        statement = how.format(name, key, key)
        if how == "replica":
            statement = f"SET LOCAL session_replication_role = replica; DELETE FROM {name}"
        rows = count(name)
        assert rows, table
        with pytest.raises(DatabaseError, match=f"{name} are never changed"), transaction.atomic():
            connection.cursor().execute(statement)
        assert count(name) == rows, table


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        found: int = cursor.fetchone()[0]
    return found


def test_rows_are_never_truncated(release: Release, olga: User, truncate_triggers: None) -> None:
    report_all(release, olga)
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in (*KEPT, "releasestate"):
        with pytest.raises(DatabaseError, match="TRUNCATE refused"), transaction.atomic():
            connection.cursor().execute(f"TRUNCATE migrations_app_{table} CASCADE")


def test_the_author_signs_nothing(release: Release, olga: User) -> None:
    report_all(release, olga)
    with pytest.raises(DatabaseError, match="nobody signs their own"), transaction.atomic():
        put(
            GateSignature(
                release=release, gate_key="build", by=olga, evidence_hash="x", expires_at=Now() + timedelta(hours=1)
            )
        )


def test_only_the_signer_withdraws(release: Release, olga: User, ann: User, omar: User) -> None:
    report_all(release, olga)
    signed = sign(release, "build", ann)
    with pytest.raises(DatabaseError, match="whoever gave it"), transaction.atomic():
        put(SignatureWithdrawal(signature=signed, by=omar, reason="r"))


@pytest.mark.parametrize(
    ("verbs", "by"),
    [
        (["approve"], "omar"),  # who asked
        (["approve"], "olga"),  # who registered the release
        (["withdraw"], "ann"),
        (["revoke"], "ann"),
        (["decline", "approve"], "ann"),
        (["approve", "revoke", "approve"], "ann"),
    ],
)
def test_a_waiver_is_decided_once_and_by_another(
    release: Release, olga: User, ann: User, omar: User, verbs: list[str], by: str
) -> None:
    people = {"olga": olga, "ann": ann, "omar": omar}
    asked = waiver(release, omar)
    for verb in verbs[:-1]:
        put(WaiverDecision(waiver=asked, verb=verb, by=ann))
    with pytest.raises(DatabaseError), transaction.atomic():
        put(WaiverDecision(waiver=asked, verb=verbs[-1], by=people[by]))


def test_a_waiver_ends_within_a_week(release: Release, omar: User) -> None:
    with pytest.raises(DatabaseError, match="waiver_ends_within_a_week"), transaction.atomic():
        waiver(release, omar, expires_at=Now() + timedelta(days=7, minutes=1))


def test_a_waiver_that_is_over_is_not_approved(release: Release, omar: User, ann: User) -> None:
    then = Now() - timedelta(hours=2)
    asked = waiver(release, omar, requested_at=then, expires_at=then + timedelta(hours=1))
    with pytest.raises(DatabaseError, match="is over"), transaction.atomic():
        put(WaiverDecision(waiver=asked, verb="approve", by=ann))


def test_evidence_of_the_future_is_refused(release: Release) -> None:
    with pytest.raises(DatabaseError, match="future"), transaction.atomic():
        release.evidence.create(gate_key="tests", check_key="unit", status="pass", at=Now() + timedelta(days=1))


def test_who_asks_does_not_break_the_glass(release: Release, omar: User) -> None:
    glass = put(
        BreakGlass(release=release, asked_by=omar, reason="r", blockers_hash="x", expires_at=Now() + timedelta(hours=1))
    )
    with pytest.raises(DatabaseError, match="two people"), transaction.atomic():
        put(BreakGlassAnswer(glass=glass, granted=True, by=omar))


def test_a_release_keeps_its_catalogue_and_is_never_called_ready(release: Release) -> None:
    for change in ("catalogue_id = NULL", "status = 'ready'"):
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(f"UPDATE migrations_app_releasestate SET {change}")
    assert ReleaseState.objects.get().catalogue is not None


class TestACutoverThatNobodyJudged:
    def test_gets_through_where_everything_is_shown_and_signed(
        self, release: Release, olga: User, ann: User, omar: User, ada: User
    ) -> None:
        make_ready(release, olga, ann, omar)
        assert create_cutover(release, ada).pk

    def test_is_refused_with_a_gate_that_was_left_out(
        self, release: Release, olga: User, ann: User, omar: User, ada: User
    ) -> None:
        make_ready(release, olga, ann, omar)
        with pytest.raises(DatabaseError, match="the gate build does not pass"), transaction.atomic():
            put(Cutover(service_id=release.service_id, release=release, requested_by=ada))
            connection.cursor().execute("SET CONSTRAINTS cutover_guard IMMEDIATE")

    def test_is_refused_where_a_check_failed(
        self, release: Release, olga: User, ann: User, omar: User, ada: User
    ) -> None:
        make_ready(release, olga, ann, omar)
        shown = {one.gate.key: one.evidence_hash for one in verdict(release).gates}
        report(release, olga, "build", "assets", "fail")
        assert gate(release, "build").evidence_hash != shown["build"]
        with pytest.raises(DatabaseError, match="signatures of the gate build are missing"), transaction.atomic():
            create_cutover(release, ada)
        with pytest.raises(DatabaseError, match="build/assets is not shown"), transaction.atomic():
            cutover = put(Cutover(service_id=release.service_id, release=release, requested_by=ada))
            for key, digest in shown.items():
                CutoverGate.objects.create(cutover=cutover, gate_key=key, state="pass", evidence_hash=digest)
            connection.cursor().execute("SET CONSTRAINTS cutover_guard IMMEDIATE")

    def test_is_refused_where_who_asks_is_one_of_the_signers(
        self, release: Release, olga: User, ann: User, omar: User
    ) -> None:
        make_ready(release, olga, ann, omar)
        with pytest.raises(DatabaseError, match="signatures of the gate"), transaction.atomic():
            create_cutover(release, ann)

    def test_is_refused_where_a_signer_was_disabled(
        self, release: Release, olga: User, ann: User, omar: User, ada: User
    ) -> None:
        make_ready(release, olga, ann, omar)
        User.objects.filter(pk=omar.pk).update(is_active=False)
        with pytest.raises(DatabaseError, match="signatures of the gate tests are missing"), transaction.atomic():
            create_cutover(release, ada)

    def test_is_refused_where_a_signer_lost_the_role_or_ran_the_release(
        self, release: Release, olga: User, ann: User, omar: User, ada: User
    ) -> None:
        place = make_environment(release.service)
        make_ready(release, olga, ann, omar)
        groups = list(omar.groups.all())
        omar.groups.clear()
        with pytest.raises(DatabaseError, match="signatures of the gate tests are missing"), transaction.atomic():
            create_cutover(release, ada)
        omar.groups.set(groups)
        make_run(place, omar, status="failed", started_at=timezone.now())
        with pytest.raises(DatabaseError, match="signatures of the gate tests are missing"), transaction.atomic():
            create_cutover(release, ada)

    def test_is_refused_where_who_approved_an_exemption_may_no_more(
        self, release: Release, olga: User, ann: User, omar: User, ada: User
    ) -> None:
        for check in ("assets", "manifest"):
            report(release, olga, "build", check)
        decide_waiver(waiver(release, omar), "approve", by=ann)
        third = person("third", RELEASE_MANAGER)
        for key in ("tests", "build"):
            for signer in (omar, third):
                sign(release, key, signer)
        with transaction.atomic():
            assert create_cutover(release, ada).pk
            transaction.set_rollback(True)
        shown = verdict(release)
        for by in (ann, ada):
            with pytest.raises(DatabaseError, match="tests/unit is not shown"), transaction.atomic():
                create_cutover(release, by, shown)
            ann.groups.clear()

    def test_is_refused_without_a_second_name_on_the_glass(self, release: Release, omar: User) -> None:
        glass = put(
            BreakGlass(
                release=release, asked_by=omar, reason="r", blockers_hash="x", expires_at=Now() + timedelta(hours=1)
            )
        )
        with pytest.raises(DatabaseError, match="not broken by two people"), transaction.atomic():
            put(Cutover(service_id=release.service_id, release=release, requested_by=omar, glass=glass))
            connection.cursor().execute("SET CONSTRAINTS cutover_guard IMMEDIATE")
