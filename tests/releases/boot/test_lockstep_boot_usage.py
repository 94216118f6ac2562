"""How lockstep-boot tells that it was called the wrong way: by what it knows, and never by what it was given."""

from __future__ import annotations

import sys

import pytest

from migrations_app.embedded.places import free_port
from tests.releases.boot.lockstep_boot import boot, pythons, script

UNKNOWN = "There is an option that is not known; the command stands behind --."
ADDRESS = "LOCKSTEP_URL is no http or https address"
MORE = "LOCKSTEP_URL holds a user, a query, a fragment, a blank or a sign that is not ASCII"
SPAN = "and up to 86400"


@pytest.mark.parametrize("python", [one for one in pythons() if one.endswith((sys.executable, "3.8", "3.13"))])
def test_its_own_errors_name_options_and_no_values(python: str) -> None:
    for options, sentence in (
        (["--token=hidden-word", "--", "serve"], UNKNOWN),
        (["serve", "--db-password=hidden-word"], UNKNOWN),
        (["serve", "--secret=hidden-word"], UNKNOWN),
        (["--s=hidden-word"], UNKNOWN),
        (["-phidden-word"], UNKNOWN),
        (["--node", "--", "hidden-word"], "--node needs a value."),
        (["--help=hidden-word"], "--help takes no value."),
    ):
        done = boot("http://127.0.0.1:1", *options, python=python)
        assert (done.returncode, done.stderr, done.stdout) == (64, f"lockstep-boot: {sentence}\n", ""), options


@pytest.mark.parametrize(
    ("url", "sentences"),
    [
        ("https://lockstep.example.org", []),
        ("http://[::1]:8080/behind/", []),
        ("http://bob:hidden-word@host", [MORE]),
        ("http://hidden-word@host:80", [MORE]),
        ("http://host/?key=hidden-word", [MORE]),
        ("http://host#hidden-word", [MORE]),
        ("http://host/hidden word", [MORE]),
        ("http://host/hidden\nword", [MORE]),
        ("http://h\u00f6st", [MORE]),
        ("http://host:hidden-word", [ADDRESS]),
        ("http://bob:hidden/word@host", [ADDRESS]),
        ("bob:hidden-word@host", [ADDRESS]),
    ],
)
def test_an_address_holds_nothing_else(url: str, sentences: list[str]) -> None:
    assert list(script()._address_faults(url)) == sentences


def test_an_address_that_is_refused_is_a_wrong_call() -> None:
    done = boot("http://bob:hidden-word@host")
    assert (done.returncode, done.stderr) == (64, f"lockstep-boot: {MORE}\n")


@pytest.mark.parametrize(
    ("proxy", "sentence"),
    [
        ("http:/bob:hidden-word@proxy", "cannot be asked: proxy URL with no authority. (unreadable)"),
        ("http:bob:hidden-word", "cannot be asked: InvalidURL: nonnumeric port. (unreadable)"),
    ],
)
def test_the_password_of_a_proxy_is_not_told(proxy: str, sentence: str) -> None:
    done = boot("http://127.0.0.1:1", "--deadline", "0.01", http_proxy=proxy, no_proxy="")
    assert done.returncode == 75
    assert sentence in done.stderr and "hidden" not in done.stderr


def test_of_a_probe_s_command_nothing_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = boot(url, "--deadline", "0.01", "--probe", "PASSWORD=hidden-word probe")
    assert "the probe did not run: No such file or directory\n" in done.stderr and "hidden" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("deadline", "86400", ""),
        ("deadline", "100000", f"LOCKSTEP_DEADLINE is no number of seconds above 0 {SPAN}"),
        ("every", "0", f"LOCKSTEP_EVERY is no number of seconds above 0 {SPAN}"),
        ("every", "nan", f"LOCKSTEP_EVERY is no number of seconds above 0 {SPAN}"),
        ("wait_for_plan", "0", ""),
        ("wait_for_plan", "-1", f"LOCKSTEP_WAIT_FOR_PLAN is no number of seconds from 0 {SPAN}"),
    ],
)
def test_a_number_of_seconds_has_limits_that_are_named(name: str, value: str, sentence: str) -> None:
    wrong: list[str] = []
    script()._seconds(name, value, 1.0, wrong)
    assert wrong == ([sentence] if sentence else [])
