"""The installation that is looked at: its folder, its address, and who may ask it what."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from migrations_app.engine.errors import LockstepError

JSON, HTML = "application/json", "text/html"
# What may stand at a place of an answer, as a sentence calls it.
KINDS: Mapping[str, tuple[type, ...]] = {
    "a list": (list,),
    "an object": (dict,),
    "a text": (str,),
    "a number": (int, float),
}
MOST_BYTES = 8 << 20
ANSWER_S = 20.0
PROCESS_S = 120.0


class NotSeen(LockstepError):
    """What a look needs cannot be had, so nothing is known."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__("not_seen", message, next_step=next_step)


class NotThere(NotSeen):
    """Lockstep answers, and has no such address or field, which is a finding and no lack of one."""


class Misshapen(NotSeen):
    """It is there, and is something else than was agreed on: a finding as well."""


@dataclass(frozen=True)
class Answer:
    """The names of headers are in small letters."""

    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401  whatever it said
        """Raises NotSeen where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise NotSeen(f"{self.path} answered {self.status} with something that is no JSON.") from None

    def object(self) -> dict[str, Any]:
        """Raises NotSeen where it is no JSON, and Misshapen where it is a list, a number or a text."""
        found: dict[str, Any] = part(self.json(), "", self.path, "an object")
        return found


@dataclass(frozen=True)
class Installation:
    """`visitors`: a session's cookie for each right, of somebody who has it. `headers` go along with every request."""

    root: Path
    base: str
    visitors: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def ask(self, path: str, right: str = "", *, accept: str = JSON, most: int = MOST_BYTES) -> Answer:
        """One GET, without following anything. Raises NotSeen where nobody answers or nobody here has the right."""
        headers = {"Accept": accept, "Accept-Encoding": "identity", **self.headers}
        if right:
            headers["Cookie"] = self._cookie(right)
        parts = urlsplit(self.base)
        made = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = made(parts.hostname or "", parts.port, timeout=ANSWER_S)
        try:
            connection.request("GET", path, headers=headers)
            told = connection.getresponse()
            found = {name.lower(): value for name, value in told.getheaders()}
            return Answer(path, told.status, found, told.read(most))
        except (OSError, http.client.HTTPException) as failure:
            why = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
            raise NotSeen(
                f"{self.base}{path} does not answer ({why}).",
                "Start Lockstep with `make up`, or name its address with --base.",
            ) from None
        finally:
            connection.close()

    def told(self, path: str, right: str = "", at: str = "", kind: str = "") -> Any:  # noqa: ANN401  JSON
        """What stands at a place in the JSON of an answer: 200, or 503 as /health is when something is down.

        Raises NotSeen, NotThere where the address or the place does not exist, and Misshapen.
        """
        answer = self.ask(path, right)
        if answer.status == 404:
            raise NotThere(f"{path} answers 404: this installation has no such address.")
        if answer.status not in (200, 503):
            raise NotSeen(f"{path} answered {answer.status}.", _SIGN_IN if answer.status in (302, 401, 403) else "")
        return part(answer.json(), at, path, kind)

    def manage(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *arguments, env=env)

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, apart: bool = False, within: float = PROCESS_S
    ) -> subprocess.CompletedProcess[str]:
        """This Python in the installation's folder; `apart`: it may know nothing of servers and files that are in use.

        Raises subprocess.TimeoutExpired.
        """
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**_environment(apart), "DJANGO_SETTINGS_MODULE": "dashboard.settings", **(env or {})},
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def alone(self, program: str, **env: str) -> Mapping[str, Any]:
        """One of the programs in alone/, in a process of its own; what it says last is JSON. Raises NotSeen."""
        done = self.run("-m", f"{__package__}.alone.{program}", env=env)
        try:
            said: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            raise NotSeen(f"A process of its own for this look ended without a result: {last_line(done)}") from None
        return said

    def _cookie(self, right: str) -> str:
        if right not in self.visitors:
            raise NotSeen(
                f"Nobody here has the right {right!r}, so {self.base} cannot be asked.",
                "Give an active user a role that has it: `manage.py gates self` asks in their name.",
            )
        return self.visitors[right]


def _environment(apart: bool) -> dict[str, str]:
    """Nobody gets the token."""
    known = {name: value for name, value in os.environ.items() if name != "LOCKSTEP_TOKEN"}
    if not apart:
        return known
    kept = {name: value for name, value in known.items() if not name.startswith(_IN_USE)}
    return {**kept, **{name: value for name, value in known.items() if name.startswith("LOCKSTEP_TEST_")}}


def part(document: Any, at: str, path: str, kind: str = "") -> Any:  # noqa: ANN401  JSON
    """Raises NotThere where the names of `at` lead nowhere, and Misshapen where no such kind of thing stands there."""
    for name in at.split(".") if at else []:
        if not isinstance(document, dict) or name not in document:
            raise NotThere(f"{at} is missing from {path}.")
        document = document[name]
    if kind and not isinstance(document, KINDS[kind]):
        raise Misshapen(f"{at or 'The answer'} of {path} is {json.dumps(document)[:60]}, and not {kind}.")
    return document


def rows_of(document: Any, at: str, path: str, names: Sequence[str]) -> list[Mapping[str, Any]]:  # noqa: ANN401  JSON
    """A list of objects that have these names. Raises NotThere and Misshapen."""
    rows: list[Mapping[str, Any]] = part(document, at, path, "a list")
    for row in rows:
        for name in names:
            part(row, name, f"{at} of {path}")
    return rows


def text_of(path: Path) -> str:
    """Raises Misshapen where the file is no UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as failure:
        raise Misshapen(
            f"{path} is not UTF-8 (its byte {failure.start + 1} is none), so it could not be read.", "Save it as UTF-8."
        ) from None


_IN_USE = ("LOCKSTEP_", "WATCHDOG_", "GUNICORN_", "WORKER_", "CIRCUIT_BREAKER_", "RESILIENCE_", "HEALTH_")
_SIGN_IN = "Lockstep there does not know the session made here, as where --base is of another installation."


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """The last thing a process said, which is where failures say what they are."""
    said = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
    err = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    told = err[-1] if err else said[-1] if said else "it said nothing"
    return f"{told[:300]}{'' if told.endswith('.') else '.'}"
