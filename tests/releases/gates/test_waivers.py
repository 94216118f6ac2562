"""An exemption lets one check pass for a while, by the word of two people."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.engine.errors import Refused
from migrations_app.models import GateWaiver, Release
from migrations_app.releases.gates.reading import judged
from migrations_app.releases.gates.waivers import ask_waiver, decide_waiver
from migrations_app.statuses import CheckState
from tests.releases.gates.shapes import gate, report, report_all, sign

pytestmark = pytest.mark.django_db
WHY = "the runner is away until Monday"


def ask(release: Release, by: User, **given: object) -> GateWaiver:
    wanted = {"gate": "tests", "check": "unit", "reason": WHY, "hours": 24} | given
    return ask_waiver(release=release, by=by, **wanted)  # type: ignore[arg-type]


def refusal(code: str, release: Release, by: User, **given: object) -> None:
    with pytest.raises(Refused) as refused:
        ask(release, by, **given)
    assert refused.value.code == code
    assert not GateWaiver.objects.exists()


def test_asked_for_it_changes_nothing_yet(release: Release, omar: User) -> None:
    ask(release, omar)
    found = gate(release, "tests").checks[0]
    assert (found.state, found.blocks) == (CheckState.MISSING, True)
    assert found.asked is not None
    assert found.asked.requested_by == "omar"


def test_approved_it_lets_the_check_pass_and_says_who(release: Release, omar: User, ann: User) -> None:
    decide_waiver(ask(release, omar), "approve", by=ann)
    found = gate(release, "tests")
    assert (found.state, found.green) == (CheckState.WAIVED, True)
    assert found.checks[0].sentence == f"Let pass by ann for omar: {WHY}"
    assert found.checks[0].until is not None


def test_a_check_that_passes_needs_none(release: Release, omar: User, ann: User, olga: User) -> None:
    decide_waiver(ask(release, omar), "approve", by=ann)
    report(release, olga, "tests", "unit")
    assert gate(release, "tests").state == CheckState.PASS


def test_revoked_it_counts_no_more_and_signatures_fall(release: Release, omar: User, ann: User, olga: User) -> None:
    asked = ask(release, omar)
    decide_waiver(asked, "approve", by=ann)
    sign(release, "tests", omar)
    decide_waiver(asked, "revoke", reason="the runner is back", by=ann)
    found = gate(release, "tests")
    assert (found.state, found.signed) == (CheckState.MISSING, ())


def test_it_counts_only_while_who_approved_it_could_approve_it_now(
    release: Release, omar: User, ann: User, olga: User
) -> None:
    decide_waiver(ask(release, omar), "approve", by=ann)

    def told() -> str:
        found = gate(release, "tests").checks[0]
        assert (found.state, found.blocks) == (CheckState.MISSING, True)
        return found.sentence.partition("The exemption does not count: ")[2]

    assert (
        judged(release, without=[ann.pk])
        .verdict.gates[1]
        .checks[0]
        .sentence.endswith("The exemption does not count: ann asks for this cutover, and nobody signs what they run.")
    )
    ann.groups.clear()
    assert told() == "ann has no role any more that approves one."
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert told() == "the account of ann is disabled."


@pytest.mark.parametrize("who", ["omar", "olga"])
def test_neither_who_asked_nor_the_author_approves(release: Release, omar: User, olga: User, who: str) -> None:
    asked = ask(release, omar)
    with pytest.raises(Refused) as refused:
        decide_waiver(asked, "approve", by={"omar": omar, "olga": olga}[who])
    told = {
        "omar": ("own_request", "Nobody decides what they asked for themselves."),
        "olga": ("own_release", "olga registered this release, and nobody signs their own."),
    }
    assert (refused.value.code, refused.value.message) == told[who]


def test_it_is_decided_once(release: Release, omar: User, ann: User) -> None:
    asked = ask(release, omar)
    decide_waiver(asked, "decline", reason="show it instead", by=ann)
    with pytest.raises(Refused) as refused:
        decide_waiver(asked, "approve", by=ann)
    assert refused.value.code == "waiver_is_decline"
    assert refused.value.message == "It is declined already."


def test_what_makes_no_sense_is_refused(release: Release, omar: User, olga: User) -> None:
    refusal("reason_missing", release, omar, reason="because")
    refusal("bad_expiry", release, omar, hours=169)
    refusal("bad_expiry", release, omar, hours=0)
    refusal("no_such_gate", release, omar, gate="nothing")
    refusal("no_such_check", release, omar, check="nothing")


def test_one_is_asked_for_at_a_time(release: Release, omar: User, ann: User, olga: User) -> None:
    report_all(release, olga)
    ask(release, omar)
    with pytest.raises(Refused) as refused:
        ask(release, ann)
    assert refused.value.code == "waiver_asked"
