"""What the gate says, from plain values: first the yes, then each thing that takes it away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_app.releases.boot.deciding import decide
from migrations_app.releases.boot.known import Asked, Decision, Half, Known
from tests.releases.boot.shapes import GOOD, KNOWN, RELEASE, asked, known, node, place, run


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def test_it_allows_where_everything_holds() -> None:
    assert decide(GOOD, KNOWN) == Decision()
    assert decide(GOOD, KNOWN).allow


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (GOOD, known(place=place(3))),
        (GOOD, known(place=place(1))),
        (GOOD, known(secrets=())),
        (asked(secrets_rev="set-2"), known(secrets=("set-1", "set-2"))),
        (GOOD, known(nodes=(node(), node("n3")))),
        (Asked(schema_rev="sc-10", secrets_rev="set-1"), known(release=None)),
        (asked(probes_ok=None), KNOWN),
        # A node of another release that is ill is what a fix has to start beside.
        (GOOD, known(nodes=(node(release_id="0.9", probes_ok=False),))),
    ],
)
def test_it_allows_what_differs_and_may(question: Asked, found: Known) -> None:
    assert codes(decide(question, found)) == []


@pytest.mark.parametrize(
    ("question", "found", "code", "sentence", "hopeless"),
    [
        (GOOD, known(release=None), "release_unknown", "No release 1.0 is registered.", True),
        (
            asked(schema_rev="sc-11"),
            KNOWN,
            "schema_rev_differs",
            "1.0 is registered for sc-10; the caller says sc-11.",
            True,
        ),
        (
            GOOD,
            known(place=place(4)),
            "schema_differs",
            "prod: Takes sc-10 at most, stands at sc-11: one revision past its window.",
            True,
        ),
        (
            asked(release_id="", schema_rev="sc-12", index_hash="h1"),
            known(release=None),
            "schema_differs",
            "prod: Needs sc-12, stands at sc-10: 3 revisions behind its window.",
            True,
        ),
        (
            asked(release_id="", schema_rev="sc-12"),
            known(release=None, planned=(5,)),
            "schema_differs",
            "prod: Needs sc-12, stands at sc-10: 3 revisions behind its window.",
            False,
        ),
        (
            asked(secrets_rev="old"),
            known(secrets=("set-1", "set-2")),
            "secrets_rev_differs",
            "prod expects the secrets set-1 or set-2, not old.",
            True,
        ),
        (
            asked(secrets_rev=""),
            KNOWN,
            "secrets_rev_missing",
            "prod expects the secrets set-1; the caller names none.",
            True,
        ),
        (
            asked(index_hash="h2"),
            KNOWN,
            "index_hash_differs",
            "The release was registered with the index h1, not h2.",
            True,
        ),
        (
            asked(index_hash=""),
            KNOWN,
            "index_hash_missing",
            "Its index is compared here, and the caller names no index_hash.",
            True,
        ),
        (GOOD, known(nodes=(node(index_hash="h2"),)), "index_differs", "The index h1 is not that of n2.", False),
        (
            GOOD,
            known(nodes=(node(silent_s=60.5),)),
            "index_unknown",
            "n2 did not report for 60 s; what is unknown is not equal.",
            False,
        ),
        (asked(probes_ok=False), KNOWN, "probes_fail", "The caller's own probes fail.", False),
        (
            GOOD,
            known(nodes=(node(probes_ok=False),)),
            "nodes_fail",
            "The probes of n2 fail with the same release.",
            False,
        ),
    ],
)
def test_it_refuses_what_does_not_hold(question: Asked, found: Known, code: str, sentence: str, hopeless: bool) -> None:
    decision = decide(question, found)
    assert [(reason.code, reason.sentence) for reason in decision.reasons] == [(code, sentence)]
    assert (decision.hopeless, decision.told, decision.waiting_for) == (hopeless, True, None)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (known(place=place(2, "its target cannot be reached")), "target_unknown"),
        (known(compared_s=None), "target_not_compared"),
        (known(compared_s=601.0), "target_not_compared"),
        (known(release=RELEASE.__class__(**{**vars(RELEASE), "schema_rev_min": "gone"})), "schema_unknown"),
    ],
)
def test_it_says_so_when_it_cannot_tell(found: Known, code: str) -> None:
    decision = decide(GOOD, found)
    assert codes(decision) == [code]
    assert (decision.allow, decision.told, decision.hopeless) == (False, False, False)


def test_a_schema_that_no_revision_declares_is_not_said_to_have_been_there() -> None:
    (reason,) = decide(asked(release_id="", schema_rev="x9"), known(release=None)).reasons
    assert (reason.code, reason.sentence) == ("schema_unknown", "No revision of orders declares x9.")
    (reason,) = decide(GOOD, known(release=replace(RELEASE, schema_rev_min="gone"))).reasons
    assert reason.sentence == "Unknown: no revision declares gone any more."


def test_what_is_known_to_be_wrong_counts_beside_what_cannot_be_told() -> None:
    decision = decide(asked(secrets_rev="old"), known(compared_s=None))
    assert codes(decision) == ["target_not_compared", "secrets_rev_differs"]
    assert decision.told


def test_it_waits_for_a_run_that_leads_where_it_can_start() -> None:
    decision = decide(GOOD, known(place=place(0), run=run(ends_at=2)))
    assert codes(decision) == ["run_open"]
    assert (decision.waiting_for, decision.progress, decision.hopeless) == (7, "7:3:1.5", False)


def test_it_waits_though_the_schema_would_do_as_it_stands() -> None:
    """A run that is half-way is not told apart from one that has done nothing."""
    assert codes(decide(GOOD, known(run=run(ends_at=3)))) == ["run_open"]


def test_it_waits_for_no_run_that_leads_away() -> None:
    decision = decide(GOOD, known(run=run(ends_at=5)))
    assert codes(decision) == ["run_leads_away"]
    assert (decision.waiting_for, decision.hopeless) == (None, True)
    assert decision.reasons[0].sentence == (
        "Run 7 is under way, so the schema of prod is not settled, and where it ends does not do: "
        "takes sc-10 at most, stands at sc-12: 2 revisions past its window."
    )


def test_a_run_that_leads_to_nothing_known_is_not_waited_for_by_number() -> None:
    decision = decide(GOOD, known(run=run(ends_at=None)))
    assert (codes(decision), decision.waiting_for, decision.hopeless) == (["run_open"], None, False)


@pytest.mark.parametrize(
    ("half", "sentence", "clears"),
    [
        (Half("0003_c", 12, "up"), "Run 12 left 0003_c half applied.", "A run that applies it to its end in prod."),
        (
            Half("0003_c", 12, "down"),
            "Run 12 left 0003_c half rolled back.",
            "A run that rolls it back to its end in prod.",
        ),
        (Half("0003_c", None, "down"), "0003_c is half applied.", "A run that applies it to its end in prod."),
    ],
)
def test_what_stands_half_way_is_no_schema(half: Half, sentence: str, clears: str) -> None:
    decision = decide(GOOD, known(half=half))
    assert [(one.code, one.sentence, one.clears) for one in decision.reasons] == [
        ("schema_half_applied", sentence, clears)
    ]
    assert (decision.allow, decision.told, decision.hopeless) == (False, False, False)
    assert codes(decide(GOOD, known(half=half, run=run(ends_at=2)))) == ["run_open"]


def test_a_run_that_a_person_holds_says_so() -> None:
    decision = decide(GOOD, known(run=run(ends_at=2, status="paused")))
    assert decision.reasons[0].sentence.endswith("It waits for a person.")


def test_reasons_come_in_the_order_of_the_phases() -> None:
    found = known(compared_s=None, place=place(4), nodes=(node(index_hash="h2"),))
    decision = decide(asked(secrets_rev="x", probes_ok=False), found)
    assert [reason.phase for reason in decision.reasons] == [
        "infrastructure", "secrets", "revisions", "index", "services",
    ]  # fmt: skip


def test_it_compares_no_index_where_nobody_names_one() -> None:
    without = RELEASE.__class__(**{**vars(RELEASE), "index_hash": ""})
    silent = node(index_hash="", silent_s=500.0)
    assert decide(asked(index_hash=""), known(release=without, nodes=(silent,))).allow


def test_many_nodes_are_counted_after_the_first() -> None:
    nodes = tuple(node(f"n{number}", index_hash="h2") for number in range(2, 8))
    assert decide(GOOD, known(nodes=nodes)).reasons[0].sentence == (
        "The index h1 is not that of n2, n3, n4 and 3 more."
    )


@given(
    position=st.integers(0, 6),
    doubt=st.sampled_from(["", "its target cannot be reached"]),
    compared_s=st.one_of(st.none(), st.floats(0, 1200)),
    ends_at=st.one_of(st.none(), st.integers(0, 6)),
    is_open=st.booleans(),
    silent_s=st.floats(0, 600),
    index_hash=st.sampled_from(["", "h1", "h2"]),
    secrets_rev=st.sampled_from(["", "set-1", "old"]),
    registered=st.booleans(),
)
def test_it_never_allows_while_anything_is_wrong_or_unknown(
    position: int,
    doubt: str,
    compared_s: float | None,
    ends_at: int | None,
    is_open: bool,
    silent_s: float,
    index_hash: str,
    secrets_rev: str,
    registered: bool,
) -> None:
    found = known(
        place=place(position, doubt),
        compared_s=compared_s,
        run=run(ends_at) if is_open else None,
        nodes=(node(silent_s=silent_s),),
        release=RELEASE if registered else None,
    )
    decision = decide(asked(index_hash=index_hash, secrets_rev=secrets_rev), found)
    good = (
        1 <= position <= 3 and not doubt and compared_s is not None and compared_s <= 600 and not is_open
        and silent_s <= 60 and index_hash == "h1" and secrets_rev == "set-1" and registered
    )  # fmt: skip
    assert decision.allow == good
    assert not (decision.waiting_for and decision.hopeless)
