"""Two things about one gate at the same moment: whoever comes second sees what the first one did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection

from migrations_app.engine.errors import Refused
from migrations_app.models import AuditEntry, Cutover, Environment, GateSignature, Release
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.gates.signing import sign_off, withdraw
from migrations_app.releases.registering import register_release
from migrations_app.rollouts.cutting_over import cut_over
from tests.edge.fleet import make_environment, make_service
from tests.edge.releases import make_chain
from tests.edge.test_query_counts import SCRIPT
from tests.releases.gates.shapes import SMALL, gate, make_ready, report, report_all
from tests.runs.support import person
from tests.sampling import sample

pytestmark = pytest.mark.django_db(transaction=True)

RACES, TOGETHER = 1_000, 10
ROUNDS = sample(range(0, RACES, 4 * TOGETHER), 13)
Doing = Callable[[], object]


@pytest.fixture
def people(transactional_db: None) -> dict[str, User]:
    return {
        "olga": person("olga", "operator"),
        "ann": person("ann", "release-manager"),
        "omar": person("omar", "on-call"),
        "rita": person("rita", "release-manager", "operator"),
    }


@pytest.fixture
def make_one(people: dict[str, User]) -> Callable[[str], Release]:
    service = make_service(people["olga"])
    make_chain(service)
    service.revisions.update(up_script=SCRIPT, down_script=SCRIPT)
    Environment.objects.filter(pk=make_environment(service, "test-eu", "test").pk).update(reachability="ok")
    edit_catalogue(service=service, content=SMALL, note="small enough to read", by=person("adam", "admin"))

    def make(release_id: str) -> Release:
        return register_release(service=service, release_id=release_id, schema_rev="sc-11", by=people["olga"]).release

    return make


def at_once(*doings: Doing) -> list[object]:
    """What each one returned, or the code of its refusal."""
    barrier = Barrier(len(doings))

    def one(doing: Doing) -> object:
        try:
            barrier.wait(timeout=30)
            return doing()
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(doings)) as threads:
        return list(threads.map(one, doings))


def codes(results: Sequence[object]) -> list[str]:
    return sorted(one for one in results if isinstance(one, str))


@pytest.mark.parametrize("first", ROUNDS)
def test_one_person_in_two_windows_signs_once(
    first: int, make_one: Callable[[str], Release], people: dict[str, User]
) -> None:
    for number in range(first, first + TOGETHER):
        release = make_one(f"twice-{number}")
        report_all(release, people["olga"])
        shown = gate(release, "tests").evidence_hash

        def sign(release: Release = release, shown: str = shown) -> object:
            return sign_off(release=release, gate="tests", evidence_hash=shown, by=people["ann"])

        assert codes(at_once(sign, sign)) == ["signed_before"]
        assert len(gate(release, "tests").signed) == 1


@pytest.mark.parametrize("first", ROUNDS)
def test_a_signature_against_new_evidence_is_refused_or_void(
    first: int, make_one: Callable[[str], Release], people: dict[str, User]
) -> None:
    for number in range(first, first + TOGETHER):
        release = make_one(f"against-{number}")
        report_all(release, people["olga"])
        shown = gate(release, "tests").evidence_hash
        told = at_once(
            lambda release=release, shown=shown: sign_off(  # type: ignore[misc]
                release=release, gate="tests", evidence_hash=shown, by=people["ann"]
            ),
            lambda release=release: report(release, people["olga"], "tests", "unit"),  # type: ignore[misc]
        )
        assert codes(told) in ([], ["evidence_changed"])
        assert gate(release, "tests").signed == ()


@pytest.mark.parametrize("first", ROUNDS)
def test_a_cutover_against_bad_news_knows_it_or_came_first(
    first: int, make_one: Callable[[str], Release], people: dict[str, User]
) -> None:
    for number in range(first, first + TOGETHER):
        release = make_one(f"news-{number}")
        make_ready(release, people["olga"], people["ann"], people["omar"])
        signed = GateSignature.objects.filter(release=release, by=people["omar"], gate_key="tests").get()
        bad: Doing = (
            (lambda release=release: report(release, people["olga"], "tests", "unit", "fail"))  # type: ignore[misc]
            if number % 2
            else (lambda signed=signed: withdraw(signed, reason="a second thought", by=people["omar"]))  # type: ignore[misc]
        )
        told = at_once(lambda release=release: cut_over(release=release, by=people["rita"]), bad)  # type: ignore[misc]
        assert codes(told) in ([], ["not_admitted"])
        of_release = AuditEntry.objects.filter(data__object=f"release:orders/{release.release_id}")
        last = list(of_release.order_by("-seq").values_list("data__action", flat=True)[:2])
        if codes(told):
            assert not Cutover.objects.filter(release=release).exists()
        else:
            assert last[1] == "cutover.start", "the cutover stands in the chain before what would have kept it back"
            Cutover.objects.filter(release=release).update(status="cancelled")


@pytest.mark.parametrize("first", ROUNDS)
def test_two_cutovers_at_once_are_one(first: int, make_one: Callable[[str], Release], people: dict[str, User]) -> None:
    for number in range(first, first + TOGETHER):
        release = make_one(f"both-{number}")
        make_ready(release, people["olga"], people["ann"], people["omar"])

        def start(release: Release = release) -> object:
            return cut_over(release=release, by=people["rita"])

        assert codes(at_once(start, start)) == ["not_admitted"]
        assert Cutover.objects.filter(release=release).count() == 1
        Cutover.objects.filter(release=release).update(status="cancelled")
