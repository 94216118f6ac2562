"""Answers that no library would send: lockstep-boot waits on each of them, and takes the yes that comes after."""

from __future__ import annotations

import gzip
import subprocess
import sys

import pytest

from tests.releases.boot.lockstep_boot import argv, boot, environment, pythons, raw_gate


def sent(body: bytes, head: str = "HTTP/1.0 200 OK") -> bytes:
    return head.encode() + b"\r\n\r\n" + body


YES = sent(b'{"allow": true}')
CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
UNREADABLE = [
    (sent(b"", "GARBAGE"), "cannot be asked: BadStatusLine: GARBAGE."),
    (sent(b"", "HTTP/1.1 abc OK"), "cannot be asked: BadStatusLine: HTTP/1.1 abc OK."),
    (sent(b'40\r\n{"allow": true}', CHUNKED), "cannot be asked: IncompleteRead("),
    (sent(b'{"allow": true}', "HTTP/1.1 200 OK\r\nContent-Length: 500"), "has 15 bytes and says it has 500."),
    (sent(b'f\r\n{"allow": true}\r\n', CHUNKED), "cannot be asked: IncompleteRead("),
    (sent(b'{"allow": true}', "HTTP/1.1 200 OK\r\nContent-Length: x"), "has 15 bytes and says it has x."),
    (sent(b'{"allow": true}', "HTTP/1.1 200 OK\r\nContent-Length: -1"), "has 15 bytes and says it has -1."),
    (sent(b'{"allow": true}', "HTTP/1.1 200 OK\r\nTransfer-Encoding: br"), "coded in a way that is not known."),
    (sent(b"{}", "HTTP/1.0 200 OK" + "\r\nA: b" * 200), "HTTPException: got more than 100 headers."),
    (sent(b"{}", "HTTP/1.0 200 OK\r\nA: " + "x" * 70000), "LineTooLong: got more than 65536 bytes"),
    (sent(b"[" * 100_000), "answered 200 that cannot be read: RecursionError"),
    (sent(b'{"allow": true}' + b" " * (1 << 20) + b"no"), "is longer than 1048576 bytes."),
    (sent(gzip.compress(b'{"allow": true}'), "HTTP/1.0 200 OK\r\nContent-Encoding: gzip"), "it was not Lockstep."),
    (sent(b"", "HTTP/1.0 302 Found\r\nLocation: http://["), "cannot be asked: Invalid IPv6 URL."),
    (sent(b'{"allow": false, "phase_seconds": 1' + b"0" * 400 + b"}"), "answered 200 that cannot be read."),
    (sent(b'{"allow": true, "phase_seconds": NaN}'), "answered 200, and it was not Lockstep."),
    (sent(b'{"phase_seconds": 1e999}', "HTTP/1.0 409 Conflict"), "answered 409 that cannot be read."),
    (sent(b'{"phase_seconds": Infinity}', "HTTP/1.0 409 Conflict"), "answered 409, and it was not Lockstep."),
    (b"", "cannot be asked: Remote end closed connection without response."),
]
REFUSED = b'"success": false, "error": {"code": "x", "message": "y"}'
CONTRADICTORY = [
    (sent(b'{"allow": false, "allow": true}'), "a name stands in it twice"),
    (sent(b'{"allow": true}', "HTTP/1.0 409 Conflict"), "it allows, and its status is none that does"),
    (sent(b'{"allow": true, ' + REFUSED + b"}"), "it allows, and tells of an error"),
    (sent(b'{"allow": true, "more": {"a": 1, "a": 1}}'), "a name stands in it twice"),
    (sent(b'{"allow": true, "success": 1}'), "it allows, and tells of an error"),
    (sent(b'{"allow": true, "reasons": [{"code": "x", "sentence": "no"}]}'), "it allows, and says what is against it"),
    (sent(b'{"allow": true, "error": null}'), "it allows, and tells of an error"),
    (sent(b'{"allow": true, "reasons": null}'), "it allows, and says what is against it"),
    # Neither of these ends it, as they would without the yes.
    (
        sent(b'{"allow": true, ' + REFUSED + b"}", "HTTP/1.0 404 Not Found"),
        "it allows, and its status is none that does",
    ),
    (sent(b'{"allow": true, "hopeless": true}'), "it allows, and says what is against it"),
    (
        sent(b'{"allow": true, "hopeless": true}', "HTTP/1.0 409 Conflict"),
        "it allows, and its status is none that does",
    ),
]


def waits(answers: list[tuple[bytes, str]], python: str = sys.executable) -> None:
    with raw_gate(*(raw for raw, _ in answers), YES) as told:
        done = boot(told.url, "--every", "0.01", "--", "echo", "started", python=python)
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, len(told.asked)) == (0, "started\n", len(answers) + 1), done.stderr
    assert len(lines) == len(answers) + 1, done.stderr
    for line, (_, part) in zip(lines, answers, strict=False):
        assert part in line and line.startswith("lockstep-boot: not yet: "), (part, line)


@pytest.mark.parametrize("python", [one for one in pythons() if one.endswith((sys.executable, "3.8", "3.13"))])
def test_it_waits_on_what_it_cannot_read(python: str) -> None:
    waits(UNREADABLE, python)


def test_it_waits_on_what_contradicts_itself() -> None:
    waits([(raw, f"that contradicts itself: {part}.") for raw, part in CONTRADICTORY])


@pytest.mark.parametrize(
    "body", [b'{"allow": true}', b'{"allow": true, "success": true, "reasons": [], "hopeless": false, "new": 1}']
)
def test_a_yes_is_one_in_chunks_too(body: bytes) -> None:
    with raw_gate(sent(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), CHUNKED)) as told:
        assert (boot(told.url).returncode, len(told.asked)) == (0, 1)


@pytest.mark.parametrize("raw", [UNREADABLE[0][0], UNREADABLE[2][0], UNREADABLE[8][0], sent(b"", "HTTP/1.0 500 No")])
def test_how_the_record_is_answered_changes_nothing(raw: bytes) -> None:
    with raw_gate(YES, recorded=raw) as told:
        done = boot(told.url, "--", "sh", "-c", "exit 3")
    assert (done.returncode, len(told.recorded)) == (3, 1)
    assert done.stderr.splitlines()[1].startswith("lockstep-boot: this start could not be recorded: ")


def test_an_answer_that_trickles_is_bounded_as_a_whole() -> None:
    """The library's time-out begins anew with each byte. A question has ten seconds, its record three, by one rule."""
    with raw_gate(sent(b"{}"), recorded=b"HTTP/1.0 201 Created\r\nA: ", trickle=True) as told:
        done = boot(told.url, "--deadline", "0.01")
    assert done.returncode == 75
    assert done.stderr.endswith("could not be recorded: no whole answer within 3 s\n")


def test_that_nobody_hears_it_changes_nothing() -> None:
    with raw_gate(UNREADABLE[0][0], YES) as told:
        for closed in ("2>&-", "2>/dev/full"):
            command = ["sh", "-c", f'exec "$@" {closed}', "sh", *argv(told.url, "--", "echo", "started")]
            done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, timeout=30, check=False)
            assert (done.returncode, done.stdout) == (0, b"started\n"), closed


def test_what_an_answer_says_stays_on_one_line() -> None:
    reason = b'{"code": "c", "sentence": "a\\nlockstep-boot: b\\u001b[2J \\ud800", "clears": [[1]]}'
    with raw_gate(sent(b'{"reasons": [' + reason + b"]}", "HTTP/1.0 409 Conflict"), YES) as told:
        done = boot(told.url)
    assert done.stderr.splitlines()[0] == "lockstep-boot: not yet: a lockstep-boot: b [2J   (c)"
