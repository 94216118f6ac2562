"""The seal holds the hash of the document alone: what stands around it is exactly what a bundle is made with."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from migrations_app.audit.chain import Anchor, digest
from migrations_app.audit.verify import verify
from migrations_app.releases.bundle import shape
from migrations_app.releases.bundle.check import check, check_file
from migrations_app.releases.bundle.kinds import Broken
from migrations_app.releases.bundle.make import Bundle

pytestmark = pytest.mark.django_db

Content = dict[str, Any]
DEEP = '{"object":' + "[" * 100_000 + "]" * 100_000 + "}"


def put(content: Content, path: str, value: object) -> Content:
    """A copy with another value at `a.0.b`, or with one more."""
    changed = deepcopy(content)
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place: Any = changed
    for step in way:
        place = place[step]
    place[last] = value
    return changed


def refused(content: Content) -> str:
    with pytest.raises(Broken) as found:
        check(content)
    return str(found.value)


def test_more_than_it_is_made_with_is_refused(content: Content) -> None:
    for path, said in (
        ("verdict", "The bundle has something that no bundle has: verdict."),
        ("proof.note", "The proof of the bundle has something that no bundle has: note."),
        (
            "proof.seal.note",
            "The seal of the bundle is no entry of the audit log: it does not have exactly seq, at_us,",
        ),
        (
            "document.entries.0.note",
            "Audit entry 1 of the bundle is no entry of the audit log: it does not have exactly",
        ),
    ):
        assert refused(put(content, path, "all gates pass")).startswith(said), path
    for name in ("seal", "links", "links_left_out"):
        proof = {key: value for key, value in content["proof"].items() if key != name}
        assert refused({**content, "proof": proof}) == f"The proof of the bundle lacks: {name}."
    assert refused(put(content, "proof", [])) == "The proof of the bundle is not made of names and values."


def test_numbers_texts_and_hashes_are_of_their_kind(content: Content) -> None:
    for place, what in (
        ("proof.seal", "The seal of the bundle"),
        ("document.entries.0", "Audit entry 1 of the bundle"),
    ):
        entry = content["proof"]["seal"] if place == "proof.seal" else content["document"]["entries"][0]
        for name in ("seq", "at_us"):
            number = entry[name]
            for value in (number + 0.9, float(number), str(number), True, None, float("inf"), 10**4000):
                said = refused(put(content, f"{place}.{name}", value))
                assert said == f"{what} is no entry of the audit log: its {name} is no whole number.", value
        for name in ("prev_hash", "hash"):
            small = entry[name]
            spaced = " ".join(small[at : at + 2] for at in range(0, 64, 2))
            for value in (small.upper(), spaced, small[:62], small + "00", small + "\n", "０" * 64, 7, None):
                said = refused(put(content, f"{place}.{name}", value))
                assert said == f"{what} is no entry of the audit log: its {name} is not 64 hex digits.", value
        assert (
            refused(put(content, f"{place}.body", {})) == f"{what} is no entry of the audit log: its body is no text."
        )


def test_sizes_are_whole_numbers(content: Content) -> None:
    size = content["document"]["artefacts"][0]["size"]
    for path, value, said in (
        ("document.artefacts.0.size", float(size), "Artefact 1 of the bundle has no size"),
        ("document.artefacts.0.size", True, "Artefact 1 of the bundle has no size"),
        ("document.artefacts.0.sha256", "A" * 64, "or no hash of 64 hex digits."),
        ("document.evidence.0.artefact_size", float(size), "has a size that is no whole number."),
        ("document.entries", {}, "The bundle has no list of entries."),
        ("proof.links", {}, "The bundle has no list of links."),
    ):
        assert said in refused(put(content, path, value)), path


def test_links_are_of_others_and_in_order(content: Content) -> None:
    first, second = content["proof"]["links"]
    own, seal = content["document"]["entries"][0], content["proof"]["seal"]
    own_link = [own["seq"], own["prev_hash"], own["hash"]]
    before = [own["seq"] - 1, "0" * 64, own["prev_hash"]]
    kind, order = "is not a number with two hashes of 64 hex digits.", "is there twice or not in order."
    for links, said in (
        ([[*first, "x"], second], kind),
        ([first[:2], second], kind),
        ([{"seq": 1}, second], kind),
        ([[first[0] + 0.7, *first[1:]], second], kind),
        ([[str(first[0]), *first[1:]], second], kind),
        ([[first[0], first[1].upper() + " ", first[2]], second], kind),
        ([[first[0], first[1], first[2].upper()], second], kind),
        ([first, first, second], order),
        ([second, first], order),
        ([own_link, first, second], order),
        ([before, first, second], order),
        ([first, second, [seal["seq"], seal["prev_hash"], seal["hash"]]], order),
        ([first, second, [seal["seq"] + 1, seal["hash"], "0" * 64]], "are missing."),
    ):
        assert refused(put(content, "proof.links", links)).endswith(said), links


def test_links_are_left_out_only_where_they_are_too_many(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    def left(many: object, links: object = ()) -> Content:
        return put(put(content, "proof.links", list(links)), "proof.links_left_out", many)  # type: ignore[call-overload]

    links = content["proof"]["links"]
    assert "leaves 2 links of the audit log out; a bundle does so only beyond 100,000" in refused(left(2))
    for many in (True, False, 2.0, "2", None, float("inf")):
        assert f"says that it leaves {many!r} links" in refused(left(many))
    monkeypatch.setattr(shape, "MOST_LINKS", 1)
    assert ". 2 entries of others between are left out, their hashes too. " in check(left(2))
    for many, kept in ((1, ()), (-2, ()), (3, ()), (2, links)):
        assert f"says that it leaves {many} links" in refused(left(many, kept))


def test_entries_that_follow_each_other_do_so_where_links_are_left_out(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape, "MOST_LINKS", 1)
    changed = put(put(content, "proof.links", []), "proof.links_left_out", 2)
    rows = changed["document"]["entries"]
    later = next(row for row, earlier in zip(rows[1:], rows, strict=False) if row["seq"] == earlier["seq"] + 1)
    later["prev_hash"] = "0" * 64
    rehash(later)
    monkeypatch.setattr("migrations_app.releases.bundle.check._sealed", lambda document, seal: None)
    assert f"Entry number {later['seq']} of the audit log does not follow from" in refused(changed)


def rehash(entry: Content) -> None:
    before = bytes.fromhex(entry["prev_hash"])
    entry["hash"] = digest(before, entry["seq"], entry["at_us"], entry["body"]).hex()


def test_a_body_that_nobody_can_read_is_named(content: Content) -> None:
    for place in ("proof.seal", "document.entries.0"):
        for body in (DEEP, "[]", "{", '{"object":1,"object":2}', '{"object":NaN}'):
            changed = put(content, f"{place}.body", body)
            entry = changed["proof"]["seal"] if place == "proof.seal" else changed["document"]["entries"][0]
            rehash(entry)
            said = f"Entry number {entry['seq']} of the audit log has a body that cannot be read."
            assert refused(changed) == said, (place, body[:20])


def test_hashes_of_others_are_compared_with_the_chain(bundle: Bundle, tmp_path: Path) -> None:
    path, chain = tmp_path / "b.json", tmp_path / "chain.jsonl"
    path.write_text(bundle.text)
    verify(export=chain)
    assert ". 2 entries of others between are known by hashes alone. " in check_file(path)
    assert ". 2 entries of others between are known by hashes that the chain has too. " in check_file(path, (), chain)
    made_up = json.loads(bundle.text)
    first, second = made_up["proof"]["links"]
    first[2] = second[1] = "0" * 64
    path.write_text(json.dumps(made_up))
    assert "known by hashes alone" in check_file(path)
    said = f"Entry number {first[0]} of the bundle is another one than in the chain."
    with pytest.raises(Broken, match=said):
        check_file(path, (), chain)
    with pytest.raises(Broken, match="is not the one that was anchored"):
        check_file(path, [Anchor(first[0], second[2])])
