"""What the gate reads with its one statement, held against rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from dashboard import tokens
from migrations_app.models import (
    Cutover,
    CutoverStep,
    Environment,
    LedgerEntry,
    NodeReport,
    Revision,
    Run,
    RunStep,
    SchemaState,
    Service,
)
from migrations_app.releases.boot import chains
from migrations_app.releases.boot.deciding import decide
from migrations_app.releases.boot.known import Asked, Half, Known, Node
from migrations_app.releases.boot.nodes import report_node
from migrations_app.releases.boot.reading import Found, read
from tests.edge.fleet import make_receipt, make_run
from tests.edge.releases import make_release, make_standing
from tests.releases.gates.rows import put

pytestmark = pytest.mark.django_db


@pytest.fixture
def prod(service: Service) -> Environment:
    """At sc-10, its third revision."""
    return make_standing(service, "prod", 3, reachability="ok")


def look(asked: Asked | None = None, environment: str = "prod", prefix: str = "") -> Found:
    return read("orders", environment, asked or Asked(schema_rev="sc-10"), prefix)


def known(asked: Asked | None = None) -> Known:
    found = look(asked).known
    assert found is not None
    return found


def test_it_finds_a_place_that_can_be_told(prod: Environment) -> None:
    place = known().place
    assert (place.position, place.schema_rev, place.doubt, place.running) == (3, "sc-10", "", False)
    assert decide(Asked(schema_rev="sc-10"), known()).allow
    assert [r.code for r in decide(Asked(schema_rev="sc-9"), known()).reasons] == ["schema_differs"]


def test_it_tells_a_service_that_is_not_there_from_an_environment_that_is_not(prod: Environment) -> None:
    assert (look(environment="none").service, look(environment="none").known) == (True, None)
    assert read("none", "prod", Asked()).service is False


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"reachability": "unreachable"}, "its target cannot be reached"),
        ({"reachability": "unknown"}, "its target cannot be reached"),
        ({"reconcile_note": "parted"}, "its receipts and the ledger disagree"),
        ({"head_revision": "0099_gone"}, "its head is no revision of the chain"),
        ({"reconciled_at": None, "head_seq": 0, "head_revision": ""}, "its target was never read"),
        (
            {"head_revision": "0002_step"},
            "revisions below its head are missing, or some above it are applied",
        ),
    ],
)
def test_what_cannot_be_told_is_a_doubt(prod: Environment, change: dict[str, object], doubt: str) -> None:
    Environment.objects.filter(pk=prod.pk).update(**change)
    assert known().place.doubt == doubt
    assert not decide(Asked(schema_rev="sc-10"), known()).told


def test_a_comparison_grows_old_by_the_database_clock(prod: Environment) -> None:
    Environment.objects.filter(pk=prod.pk).update(reconciled_at=Now() - timedelta(minutes=11))
    assert [reason.code for reason in decide(Asked(schema_rev="sc-10"), known()).reasons] == ["target_not_compared"]


def test_it_finds_the_open_run_and_where_it_ends(prod: Environment, olga: User) -> None:
    make_run(prod, olga, status="succeeded")
    run = make_run(prod, olga, status="queued")
    found = known().run
    assert found is not None
    assert (found.id, found.status, found.ends_at) == (run.pk, "queued", 1)
    assert known().place.running


def left(prod: Environment, by: User, *steps: str, status: str = "failed", direction: str = "up", **fields: Any) -> Run:
    """A run that ended, of as many steps of the fourth revision."""
    run = make_run(prod, by, status, finished_at=Now(), **fields)
    run.steps.all().delete()
    for n, word in enumerate(steps, start=1):
        RunStep.objects.create(
            run=run, ordinal=n, revision_id="0004_step", n=n, of=len(steps), mode="tx", statements=1, status=word
        )
    Run.objects.filter(pk=run.pk).update(direction=direction, steps_done=steps.count("done"))
    return run


def seen(prod: Environment, half_done: str) -> None:
    SchemaState.objects.update_or_create(environment=prod, defaults={"read_at": Now(), "half_done": half_done})


@pytest.mark.parametrize(
    ("ended", "half"),
    [
        ({"status": "failed"}, True),
        ({"status": "cancelled"}, True),
        ({"status": "failed", "direction": "down"}, True),
        ({"status": "succeeded"}, False),
        ({"status": "rolled_back", "direction": "down"}, False),
    ],
)
def test_it_finds_what_a_run_left_half_way(prod: Environment, olga: User, ended: dict[str, str], half: bool) -> None:
    run = left(prod, olga, "done", "failed", **ended)
    assert known().half == (Half("0004_step", run.pk, ended.get("direction", "up")) if half else None)
    assert decide(Asked(schema_rev="sc-10"), known()).allow is not half


def test_a_run_that_did_nothing_hides_no_half_and_one_that_succeeds_ends_it(prod: Environment, olga: User) -> None:
    run = left(prod, olga, "done", "failed")
    for status in ("failed", "cancelled"):
        left(prod, olga, "pending", "failed", status=status)
        assert known().half == Half("0004_step", run.pk, "up")
    waits = left(prod, olga, "pending", "pending", status="queued")
    assert [one.code for one in decide(Asked(schema_rev="sc-10"), known()).reasons] == ["run_leads_away"]
    waits.steps.update(status="done")
    Run.objects.filter(pk=waits.pk).update(status="succeeded", steps_done=2)
    assert known().half is None


def test_a_revision_with_its_receipt_is_whole_and_one_that_nobody_could_tell_of_is_not(
    prod: Environment, olga: User
) -> None:
    run = left(prod, olga, "done", "done")
    make_receipt(prod, 4)
    assert known().half is not None  # of another run
    LedgerEntry.objects.filter(seq=4).update(run=run)
    assert known().half is None
    given_up = left(prod, olga, "unknown", status="cancelled", error={"revision_id": "0005_step"})
    assert known().half == Half("0005_step", given_up.pk, "up")


def test_the_target_s_own_word_counts_from_when_it_was_read(prod: Environment, olga: User) -> None:
    seen(prod, "0004_step")
    assert known().half == Half("0004_step", None, None)
    run = left(prod, olga, "done", "failed")
    SchemaState.objects.update(read_at=Now() - timedelta(minutes=5), half_done="")
    assert known().half == Half("0004_step", run.pk, "up")
    seen(prod, "0004_step")
    assert known().half == Half("0004_step", run.pk, "up")
    seen(prod, "")  # restored to before that run
    assert known().half is None


def test_a_run_that_moves_shows_as_progress(prod: Environment, olga: User) -> None:
    run = make_run(prod, olga)
    before = known().run
    type(run).objects.filter(pk=run.pk).update(beat_at=timezone.now())
    after = known().run
    assert before and after and before.progress != after.progress


def test_it_finds_what_an_open_cutover_leads_to(prod: Environment, service: Service, olga: User) -> None:
    release = make_release(service, olga, "2.0", "sc-11")
    with connection.cursor() as cursor:  # no gate lets this one through
        cursor.execute("ALTER TABLE migrations_app_cutover DISABLE TRIGGER cutover_guard")
    cutover = put(Cutover(service=service, release=release, requested_by=olga))
    CutoverStep.objects.create(cutover=cutover, ordinal=1, environment=prod, to_revision="0005_step")
    assert known().planned == (5,)
    decision = decide(Asked(release_id="2.0"), known(Asked(release_id="2.0")))
    assert ([reason.code for reason in decision.reasons], decision.hopeless) == (["schema_differs"], False)


def test_it_finds_what_a_release_was_registered_with(prod: Environment, service: Service, olga: User) -> None:
    make_release(service, olga, "1.0", "sc-9", "sc-10")
    found = known(Asked(release_id="1.0")).release
    assert found is not None
    assert (found.schema_rev_min, found.schema_rev_max, found.index_hash) == ("sc-9", "sc-10", "")
    assert known(Asked(release_id="9.9")).release is None


def test_it_finds_the_other_members_and_what_the_asking_node_said(prod: Environment) -> None:
    for name in ("n1", "n2", "gone", "old"):
        report_node(environment=prod, asked=Asked(schema_rev="sc-10", index_hash="h1", node=name))
    NodeReport.objects.filter(node="gone").update(retired_at=Now())
    NodeReport.objects.filter(node="old").update(at=Now() - timedelta(minutes=11))
    asked = Asked(schema_rev="sc-10", index_hash="h1", node="n1")
    (node,) = known(asked).nodes
    assert node == Node("n2", "", "h1", None, node.silent_s) and node.silent_s < 5
    own = look(asked).own
    assert own is not None
    assert own.says(asked) and not own.says(Asked(schema_rev="sc-11", node="n1"))


def test_it_names_the_expected_secrets(prod: Environment) -> None:
    assert known().secrets == ()
    Environment.objects.filter(pk=prod.pk).update(secrets_rev="a", secrets_rev_next="b")
    assert known().secrets == ("a", "b")


def test_it_finds_the_token_and_how_it_stands(prod: Environment, olga: User) -> None:
    made = tokens.create(user=olga, by=None)
    found = look(prefix=made.token.prefix).token
    assert found is not None
    assert (found.user, found.state, found.roles, found.unused_s) == (olga.pk, "valid", ["operator"], None)
    assert tokens.is_of(found.sha256, made.text) and not tokens.is_of(found.sha256, made.text + "x")
    tokens.revoke(made.token, by=olga)
    revoked = look(prefix=made.token.prefix).token
    assert revoked is not None and revoked.state == "revoked"


def test_the_chain_is_read_again_when_it_changed(
    prod: Environment, service: Service, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    known()
    with django_assert_num_queries(1):  # type: ignore[operator]
        known()
    Revision.objects.filter(service=service, position=5).update(schema_rev="sc-99")
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert known().chain.names == ("sc-9", "sc-10", "sc-99", "sc-2")


def test_chains_do_not_pile_up(prod: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "MOST", 1)
    chains._kept.clear()
    chains._kept[-1] = (1, known().chain)
    chains._kept.pop(prod.service_id, None)
    known()
    assert set(chains._kept) == {prod.service_id}
