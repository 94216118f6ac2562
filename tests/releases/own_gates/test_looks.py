"""Every check of the shipped catalogue is looked at; what cannot be seen is unknown, and unknown is never green."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from migrations_app.management.own_gates import address
from migrations_app.releases.gates.catalogue import Catalogue, Check, Gate
from migrations_app.releases.gates.own import looks
from migrations_app.releases.gates.own.installation import Installation
from migrations_app.releases.gates.own.looks import Line, look_at, look_of, names, sentence, shipped_gates
from migrations_app.releases.gates.own.seen import MOST, Seen, bad, good, judged, listed, unknown
from tests.releases.own_gates.copies import NOWHERE, ROOT


def test_each_check_of_the_catalogue_has_a_look() -> None:
    for gate in shipped_gates().gates:
        for check in gate.checks:
            assert look_of(gate, check), f"{gate.key}/{check.key}"
    assert len(names()) == 24


def test_a_check_that_nobody_wrote_a_look_for_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    check = Check("new", "Something new")
    strange = Gate("frontend-build", "It", (check,)), Gate("other", "It", (check,))
    monkeypatch.setattr(looks, "shipped_gates", lambda: Catalogue(strange))
    found = list(look_at(Installation(ROOT, NOWHERE)))
    assert [line.seen.state for line in found] == ["unknown", "unknown"]
    assert [line.number for line in found] == ["1.1", "2.1"]


@pytest.mark.parametrize(
    ("failure", "state", "told"),
    [
        (KeyError("status"), "fail", "What was answered does not have the agreed shape: status is missing."),
        (
            TypeError("'NoneType' object is not iterable"),
            "fail",
            "What was answered does not have the agreed shape: TypeError: 'NoneType' object is not iterable.",
        ),
        (IndexError("list index out of range"), "fail", "does not have the agreed shape: IndexError: list index"),
        (AttributeError("no attribute 'get'"), "fail", "does not have the agreed shape: AttributeError: no attribute"),
        (ValueError("x"), "fail", "does not have the agreed shape: ValueError: x."),
        (RuntimeError("x"), "unknown", "The look itself failed: RuntimeError: x"),
    ],
)
def test_a_look_that_breaks_is_a_line_and_the_next_ones_come(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, state: str, told: str
) -> None:
    def broken(place: Installation) -> Seen:
        raise failure

    monkeypatch.setattr(looks, "look_of", lambda gate, check: broken if check.key == "readme" else lambda _: good("x"))
    first, *others = look_at(Installation(ROOT, NOWHERE), ["documentation"])
    assert first.seen.state == state
    assert told in first.seen.sentence
    assert [line.seen.state for line in others] == ["pass", "pass"]


@pytest.mark.parametrize(
    "base",
    [
        "http://127.0.0.1:abc", "http://127.0.0.1:99999", "http://127.0.0.1:0", "127.0.0.1:8000", "ftp://host",
        "http://", "http://host/lockstep", "http://host?x", "http://me@host", "http://a b", "http://a..b",
        "http://[::1",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_by_name(base: str) -> None:
    told = re.escape(f"argument --base: {base!r} is no address of a Lockstep; it wants http://HOST:PORT")
    with pytest.raises(CommandError, match=told):
        call_command("gates", "self", "--base", base)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000/", "https://lockstep.example.org", "http://[::1]:8000"])
def test_an_address_is_taken_as_it_is(base: str) -> None:
    assert address(base) == base


def lines(*seen: Seen) -> list[Line]:
    gate = Gate("it", "It", (Check("this", "This"),))
    return [Line("1.1", gate, gate.checks[0], one) for one in seen]


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ((good("a"), good("b")), "All is green: each of the 2 checks holds on this installation."),
        ((good("a"), bad("b")), "Not green: of 2 checks 1 does not hold; 1 hold."),
        ((good("a"), unknown("b")), "Not green: of 2 checks 1 is unknown; 1 hold."),
        ((bad("a"), bad("b"), unknown("c")), "Not green: of 3 checks 2 do not hold and 1 is unknown; 0 hold."),
        ((), "Nothing was looked at."),
    ],
)
def test_what_all_of_it_comes_to(seen: tuple[Seen, ...], told: str) -> None:
    assert sentence(lines(*seen)) == told


def test_a_list_stays_readable() -> None:
    assert listed(["a"]) == "a"
    assert listed(list("abc")) == "a, b and c"
    assert listed(list("abcdefgh")) == "a, b, c, d, e and 3 more"
    assert judged([f"{number}." for number in range(MOST + 2)], "").sentence == "0. 1. 2. 3. 4. And 2 more."


@pytest.mark.django_db
def test_without_anybody_who_answers_it_is_unknown_and_fails(tmp_path: Path) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match=r"Not green: of 4 checks 4 are unknown; 0 hold\."):
        call_command("gates", "self", "--base", NOWHERE, "--only", "cache-observability", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["passed"], [check["state"] for check in told["checks"]]) == (False, ["unknown"] * 4)
    assert "Nobody here has the right 'admin'" in told["checks"][0]["sentence"]


@pytest.mark.django_db
def test_a_name_that_no_check_has_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no gate and no check 'cache'"):
        call_command("gates", "self", "--only", "cache")


@pytest.mark.django_db
def test_without_a_token_nothing_is_looked_at_that_was_to_be_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCKSTEP_TOKEN", raising=False)
    with pytest.raises(CommandError, match="LOCKSTEP_TOKEN is not set"):
        call_command("gates", "self", "--only", "documentation", "--post", "orders", "2.0")
