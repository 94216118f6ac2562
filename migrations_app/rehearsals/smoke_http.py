"""HTTP checks of an application: read from a TOML file, asked of this machine's loopback alone, one after the other."""

from __future__ import annotations

import json
import re
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from migrations_app.embedded.places import LOOPBACK
from migrations_app.engine.errors import Refused

MOST_CHECKS = 50
LONGEST_S = 60.0
_MOST_BYTES = 256 * 1024
_SHOWN = 120  # characters of an answer that was not expected
_PATH = re.compile(r"/[!-~]{0,999}")

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Check:
    """GET `path` is answered with `status`; the body holds `text`, and as JSON these values at these places."""

    path: str
    status: int = 200
    text: str = ""
    json: tuple[tuple[str, Scalar], ...] = ()
    timeout_s: float = 5.0

    @property
    def expected(self) -> str:
        values = [f"{place} = {json.dumps(value)}" for place, value in self.json]
        return " and ".join([str(self.status), *([json.dumps(self.text)] if self.text else []), *values])


@dataclass(frozen=True)
class Checks:
    """`start_s` is how long the application may take until it answers at all."""

    start_s: float
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Answer:
    """`status` is None where there was none, and `body` says why."""

    status: int | None
    body: bytes
    ms: int


@dataclass(frozen=True)
class Result:
    """One line of the record."""

    good: bool
    sentence: str


def read_checks(file: Path) -> Checks:
    """Raises Refused("smoke_unreadable") that names the place."""
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unreadable(file, str(error)) from None
    if unknown := given.keys() - {"start_s", "check"}:
        raise _unreadable(file, f"{sorted(unknown)[0]} is no setting; there are start_s and [[check]]")
    start, found = given.get("start_s", 30), given.get("check", [])
    if not _is_time(start):
        raise _unreadable(file, f"start_s is {start!r}, not a number of seconds up to {LONGEST_S:.0f}")
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_CHECKS:
        raise _unreadable(file, f"it has to hold 1 to {MOST_CHECKS} tables [[check]]")
    return Checks(float(start), tuple(_check(file, number, one) for number, one in enumerate(found, start=1)))


def ask(check: Check, port: int) -> Answer:
    """Without following where an answer points to; what is longer than a quarter MiB is cut off."""
    began = time.monotonic()
    connection = HTTPConnection(LOOPBACK, port, timeout=check.timeout_s)
    try:
        connection.request("GET", check.path, headers={"User-Agent": "lockstep-smoke", "Connection": "close"})
        response = connection.getresponse()
        body = b""
        while len(body) < _MOST_BYTES and (part := response.read1(65536)):
            body += part
            if time.monotonic() - began > check.timeout_s:
                raise TimeoutError(f"no end of the answer within {check.timeout_s:g} s")
        return Answer(response.status, body, _since(began))
    except (OSError, HTTPException) as error:
        return Answer(None, (str(error) or type(error).__name__).encode(), _since(began))
    finally:
        connection.close()


def judge(check: Check, answer: Answer) -> Result:
    """What was expected, what came and how long it took."""
    why = _why_not(check, answer)
    came = "no answer" if answer.status is None else str(answer.status)
    if not why:
        return Result(True, f"GET {check.path}: {came} in {answer.ms} ms, expected {check.expected}.")
    return Result(False, f"GET {check.path}: {came} in {answer.ms} ms, expected {check.expected}; {why}.")


def _why_not(check: Check, answer: Answer) -> str:
    body = answer.body.decode(errors="replace").replace("\x00", "\ufffd")
    if answer.status != check.status:
        return f"it said {body.strip()[:_SHOWN]!r}"
    if check.text and check.text not in body:
        return f"the text is not in {body.strip()[:_SHOWN]!r}"
    if not check.json:
        return ""
    try:
        document = json.loads(body)
    except ValueError:
        return f"no JSON came but {body.strip()[:_SHOWN]!r}"
    for place, value in check.json:
        try:
            found = _at(document, place)
        except (KeyError, IndexError, TypeError, ValueError):
            return f"there is no {place}"
        if found != value or isinstance(found, bool) != isinstance(value, bool):
            return f"{place} is {json.dumps(found)[:_SHOWN]}"
    return ""


def _at(document: object, place: str) -> object:
    for step in place.split("."):
        if isinstance(document, list):
            document = document[int(step)]
        elif isinstance(document, dict):
            document = document[step]
        else:
            raise KeyError(step)
    return document


def _check(file: Path, number: int, given: object) -> Check:
    if not isinstance(given, dict):
        raise _unreadable(file, f"check {number} is no table")
    if wrong := _wrong(given):
        raise _unreadable(file, f"of check {number}, {wrong}")
    return Check(**{**given, "json": tuple(given.get("json", {}).items())})


def _wrong(given: Mapping[str, object]) -> str:
    """What is wrong with one table of the file, or nothing."""
    path, status, values = given.get("path"), given.get("status", 200), given.get("json", {})
    if unknown := sorted(given.keys() - Check.__annotations__.keys()):
        return f"{unknown[0]} is no setting; there are {', '.join(Check.__annotations__)}"
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        return "path has to begin with / and hold no blanks"
    if type(status) is not int or not 100 <= status <= 599:
        return "status is no status of HTTP"
    if not isinstance(given.get("text", ""), str):
        return "text is no text"
    if not isinstance(values, dict) or not all(isinstance(value, Scalar) for value in values.values()):
        return "json is no table of places and plain values"
    if not _is_time(given.get("timeout_s", 5)):
        return f"timeout_s is no number of seconds up to {LONGEST_S:.0f}"
    return ""


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_S


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _unreadable(file: Path, why: str) -> Refused:
    return Refused(
        "smoke_unreadable",
        f"The smoke checks in {file.name} cannot be used: {why}.",
        not_done="Nothing was rehearsed.",
        next_step="Correct that file, as docs/rehearsals.md describes it, or take it away.",
    )
