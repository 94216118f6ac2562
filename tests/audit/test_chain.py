"""The chain's arithmetic, without a database."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from migrations_app.audit.chain import GENESIS, Anchor, Link, digest, verify_links


def chain_of(*bodies: str) -> list[Link]:
    links: list[Link] = []
    head = GENESIS
    for seq, body in enumerate(bodies, start=1):
        own = digest(head, seq, seq * 1_000_000, body)
        links.append(Link(seq, seq * 1_000_000, body, head, own))
        head = own
    return links


@pytest.fixture
def links() -> list[Link]:
    return chain_of("{}", '{"a":1}', '{"b":"ü"}', '{"c":3}', '{"d":4}')


def test_it_accepts_an_empty_chain() -> None:
    verdict = verify_links([])
    assert (verdict.ok, verdict.checked, verdict.head_hash) == (True, 0, GENESIS.hex())


def test_it_accepts_what_was_written(links: list[Link]) -> None:
    verdict = verify_links(links)
    assert (verdict.ok, verdict.checked, verdict.head_seq) == (True, 5, 5)
    assert verdict.sentence == f"5 entries verified to number 5, head {links[-1].hash.hex()}."


def test_it_hashes_by_the_written_recipe() -> None:
    assert digest(GENESIS, 1, 1_000_000, "ü") == hashlib.sha256(bytes(32) + "1|1000000|ü".encode()).digest()


def test_it_names_the_first_entry_whose_content_differs(links: list[Link]) -> None:
    links[2] = replace(links[2], body='{"b":"u"}')
    verdict = verify_links(links)
    assert verdict.first_bad is not None
    assert (verdict.ok, verdict.checked) == (False, 2)
    assert (verdict.first_bad.seq, verdict.first_bad.code) == (3, "content")
    assert verdict.sentence == "Entry number 3 is not what was written: its hash differs."


def test_it_names_an_entry_whose_time_was_changed(links: list[Link]) -> None:
    links[1] = replace(links[1], at_us=links[1].at_us + 1)
    first_bad = verify_links(links).first_bad
    assert first_bad and (first_bad.seq, first_bad.code) == (2, "content")


@pytest.mark.parametrize(
    ("keep", "sentence"),
    [
        ((0, 1, 3, 4), "Entry number 3 is missing: the chain goes on at 4."),
        ((0, 4), "Entry number 2 to 4 is missing: the chain goes on at 5."),
        ((1, 2, 3, 4), "Entry number 1 is missing: the chain goes on at 2."),
    ],
)
def test_it_names_removed_entries(links: list[Link], keep: tuple[int, ...], sentence: str) -> None:
    assert verify_links([links[i] for i in keep]).sentence == sentence


def test_it_names_entries_out_of_order(links: list[Link]) -> None:
    first_bad = verify_links([links[0], links[1], links[1], links[2]]).first_bad
    assert first_bad and first_bad.code == "reordered"


def test_it_names_entries_that_exchanged_their_content(links: list[Link]) -> None:
    one, two = links[1], links[2]
    links[1], links[2] = replace(one, body=two.body), replace(two, body=one.body)
    first_bad = verify_links(links).first_bad
    assert first_bad and (first_bad.seq, first_bad.code) == (2, "content")


def test_it_names_a_forged_entry_by_the_one_that_no_longer_follows(links: list[Link]) -> None:
    body = '{"a":2}'
    forged = digest(links[1].prev_hash, 2, links[1].at_us, body)
    links[1] = replace(links[1], body=body, hash=forged)
    first_bad = verify_links(links).first_bad
    assert first_bad and (first_bad.seq, first_bad.code) == (3, "forged")


def test_it_sees_a_cut_tail_only_with_an_anchor(links: list[Link]) -> None:
    anchor = Anchor(5, links[4].hash.hex())
    assert verify_links(links[:3]).ok
    verdict = verify_links(links[:3], anchors=[anchor])
    assert verdict.first_bad and verdict.first_bad.code == "cut"
    assert verdict.sentence == "The chain ends at number 3, but number 5 was anchored: the tail was cut off."


def test_it_sees_a_rewritten_chain_only_with_an_anchor(links: list[Link]) -> None:
    rewritten = chain_of("{}", '{"a":9}', '{"b":"ü"}', '{"c":3}', '{"d":4}')
    assert verify_links(rewritten).ok
    verdict = verify_links(rewritten, anchors=[Anchor(4, links[3].hash.hex())])
    assert verdict.first_bad and (verdict.first_bad.seq, verdict.first_bad.code) == (4, "anchor")


def test_it_goes_on_from_a_trusted_entry(links: list[Link]) -> None:
    verdict = verify_links(links[2:], start_seq=2, start_hash=links[1].hash)
    assert (verdict.ok, verdict.checked) == (True, 3)


def test_it_compares_the_anchor_with_the_entry_it_starts_from(links: list[Link]) -> None:
    wrong = verify_links(links[2:], start_seq=2, start_hash=links[1].hash, anchors=[Anchor(2, "0" * 64)])
    assert wrong.first_bad and (wrong.first_bad.seq, wrong.first_bad.code) == (2, "anchor")
    assert verify_links(links[2:], start_seq=2, start_hash=links[1].hash, anchors=[Anchor(2, links[1].hash.hex())]).ok


def test_it_cannot_compare_an_anchor_before_the_start(links: list[Link]) -> None:
    verdict = verify_links(links[2:], start_seq=2, start_hash=links[1].hash, anchors=[Anchor(1, links[0].hash.hex())])
    assert verdict.first_bad and verdict.first_bad.code == "anchor"
    assert "before" in verdict.sentence


@pytest.mark.parametrize("text", ["", "5", "5:", "x:" + "0" * 64, "5:" + "0" * 63, "5:" + "G" * 64, "²:" + "0" * 64])
def test_it_refuses_what_is_no_anchor(text: str) -> None:
    with pytest.raises(ValueError, match="is not an anchor"):
        Anchor.parse(text)
