"""What was seen goes to a Lockstep as evidence of a release, by the API, with the token of whoever reports it."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from migrations_app.engine.errors import Refused
from migrations_app.releases.gates.evidence import BY_HAND, LONGEST_SUMMARY
from migrations_app.releases.gates.own.installation import part, rows_of
from migrations_app.releases.gates.own.looks import Line
from migrations_app.releases.gates.own.seen import UNKNOWN

PRODUCER = "manage.py gates self"
TIMEOUT_S = 20.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token is for one address."""

    def redirect_request(self, *given: Any, **more: Any) -> None:  # noqa: ANN401  as it is there
        return None


class Poster:
    def __init__(self, base: str, token: str, headers: Mapping[str, str]) -> None:
        if not token:
            raise _refused("LOCKSTEP_TOKEN is not set.", "Set it to a token of somebody who may report evidence.")
        self._api = f"{base.rstrip('/')}/api/v1"
        self._headers = {**headers, "Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._opener = urllib.request.build_opener(_NoRedirects)

    def post(self, service: str, release_id: str, lines: Iterable[Line]) -> Iterator[str]:
        """A sentence for each check. What is unknown is not evidence, and a fact is nobody's to report."""
        number = self._number(service, release_id)
        for line in lines:
            if line.seen.state == UNKNOWN:
                yield f"{line.name} is unknown, so nothing was posted."
            elif line.check.kind not in BY_HAND:
                yield f"{line.name} is found out by Lockstep for each release, so nothing was posted."
            else:
                yield f"{line.name} is evidence {self._reported(number, line)}"

    def _reported(self, release: int, line: Line) -> str:
        path = f"/releases/{release}/evidence"
        told = self._ask(path, _evidence(line))
        hint = part(told, "hint", path)
        return f"{part(told, 'id', path)}.{f' {hint}' if hint else ''}"

    def _number(self, service: str, release_id: str) -> int:
        path = f"/releases?{urllib.parse.urlencode({'service': service, 'release_id': release_id})}"
        found = rows_of(self._ask(path), "releases", f"{self._api}{path}", ["id"])
        if not found:
            raise _refused(f"{service} has no release {release_id!r}.", "Register it, or correct its name.")
        return int(part(found[0], "id", path, "a number"))

    def _ask(self, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401  JSON
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, **({"Content-Type": "application/json"} if data else {})}
        request = urllib.request.Request(f"{self._api}{path}", data, headers)  # noqa: S310  as the caller named it
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as failure:
            with failure:
                raise _refused(_told(failure)) from None
        except (OSError, ValueError) as failure:
            raise _refused(f"{self._api} does not answer ({getattr(failure, 'reason', failure)}).") from None


def _evidence(line: Line) -> dict[str, object]:
    return {
        "gate": line.gate.key,
        "check": line.check.key,
        "status": line.seen.state,
        "summary": line.seen.sentence[:LONGEST_SUMMARY],
        "producer": PRODUCER,
    }


def _told(failure: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(failure.read())["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The address of evidence answered {failure.code}."


def _refused(message: str, next_step: str = "") -> Refused:
    return Refused("not_posted", message, not_done="Nothing more was posted.", next_step=next_step)
