"""A worker asks an address, and holds status, headers and JSON of the answer against what is wanted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings as configured

from migrations_app import strict_json
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.models import Release
from migrations_app.outbound.address import read_address, read_hosts
from migrations_app.outbound.asking import MOST_BYTES, Answer, get
from migrations_app.releases.gates import assertions, places
from migrations_app.releases.gates.assertions import Assertion
from migrations_app.releases.gates.catalogue import Check
from migrations_app.releases.gates.kinds import (
    EVERY,
    Found,
    bad_text,
    bad_times,
    found,
    timeout_s,
    unknown_settings,
)

TIMEOUT_S = 5.0
LONGEST_S = 10.0
_MOST_HEADERS = 20
_KNOWN = frozenset(
    {"url", "environment", "path", "method", "status", "headers", "assertions", "timeout_seconds", EVERY}
)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")


@dataclass(frozen=True)
class _Wanted:
    """A header with an empty value only has to be there."""

    status: int
    headers: Mapping[str, str]
    assertions: tuple[Assertion, ...]

    @property
    def told(self) -> str:
        more = " with all that is wanted of it" if self.headers or self.assertions else ""
        return f"answered {self.status}{more}"


def problem(settings: Mapping[str, object]) -> str:
    return (
        unknown_settings(settings, _KNOWN)
        or _bad_place(settings)
        or _bad_wish(settings)
        or assertions.problem(settings.get("assertions", []))
        or bad_times(settings, LONGEST_S)
    )


def longest_s(release: Release, check: Check) -> float:
    named = check.settings.get("environment")
    asked = len(places.environments(release, str(named))) if named else 1
    return timeout_s(check, TIMEOUT_S) * max(asked, 1)


def collect(release: Release, check: Check) -> Found:
    urls, broken = _urls(release, check.settings)
    wanted = _wanted(check.settings)
    failed: dict[str, list[str]] = {}
    for url in urls:
        sentences, phrases = _asked(url, wanted, timeout_s(check, TIMEOUT_S))
        broken += sentences
        if phrases:
            failed[url] = phrases
    good = f"GET {', '.join(urls)} {wanted.told}."
    producer = urls[0] if len(urls) == 1 else "lockstep"
    return found(producer, good, broken, {"asked": urls, "broken": failed})


def _urls(release: Release, settings: Mapping[str, object]) -> tuple[list[str], list[str]]:
    """What is asked, and a sentence for each address that is missing."""
    if "url" in settings:
        return [str(settings["url"])], []
    name = str(settings["environment"])
    found_ones = places.environments(release, name)
    missing = [f"{one.name} has no health address." for one in found_ones if not one.health_url]
    if not found_ones:
        missing = [places.nowhere(release, name)]
    return [_below(one.health_url, str(settings.get("path", ""))) for one in found_ones if one.health_url], missing


def _below(health_url: str, path: str) -> str:
    """Another path of the server that the health address names."""
    parts = urlsplit(health_url)
    return f"{parts.scheme}://{parts.netloc}{path}" if path else health_url


def _asked(url: str, wanted: _Wanted, limit_s: float) -> tuple[list[str], list[str]]:
    """Sentences for a reader, and the same without what was found, which a signature binds."""
    try:
        answer = get(url, hosts=read_hosts(configured.LOCKSTEP_OUTBOUND_HOSTS), timeout_s=limit_s)
    except LockstepError as failure:
        return [failure.sentence], [failure.code]
    if answer.status != wanted.status:
        more = " Redirects are not followed." if 300 <= answer.status < 400 else ""
        return [f"GET {url} answered {answer.status} instead of {wanted.status}.{more}"], ["status"]
    broken = {**_headers(answer, wanted), **_document(answer, wanted)}
    told = " ".join(broken.values())
    return ([f"GET {url}: {told}"] if broken else []), list(broken)


def _headers(answer: Answer, wanted: _Wanted) -> dict[str, str]:
    broken = {}
    for name, value in wanted.headers.items():
        came = answer.headers.get(name.lower())
        if came is None:
            broken[f"header {name}"] = f"The header {name} is missing from the answer."
        elif value and came != value:
            broken[f"header {name}"] = f"The header {name} is {came[:80]!r} and not {value!r}."
    return broken


def _document(answer: Answer, wanted: _Wanted) -> dict[str, str]:
    if not wanted.assertions:
        return {}
    if not answer.whole:
        return {"size": f"The answer is longer than the {MOST_BYTES // 1024} kB that are read."}
    try:
        document = strict_json.loads(answer.body)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return {"json": "The answer is no JSON."}
    except ValueError as wrong:
        return {"json": f"The answer is no JSON that every reader takes alike: {wrong}."}
    return {one.told: why for one in wanted.assertions if (why := one.broken(document))}


def _wanted(settings: Mapping[str, object]) -> _Wanted:
    status, headers = settings.get("status", 200), settings.get("headers", {})
    assert isinstance(status, int) and isinstance(headers, Mapping)
    return _Wanted(status, headers, assertions.read(settings.get("assertions", [])))


def _bad_place(settings: Mapping[str, object]) -> str:
    if ("url" in settings) == ("environment" in settings):
        return "needs either a url, or an environment (its name or a stage) whose health address is asked."
    if "url" in settings:
        return _bad_url(settings) or ("has a path beside a url." if "path" in settings else "")
    path = settings.get("path", "/")
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        return f"has the path {str(path)[:60]!r}; it begins with one slash."
    return bad_text(settings, "environment") or _unreadable(f"https://host{path}")


def _bad_url(settings: Mapping[str, object]) -> str:
    return bad_text(settings, "url", 2000) or _unreadable(str(settings["url"]))


def _unreadable(url: str) -> str:
    try:
        read_address(url)
    except Refused as refusal:
        return f"has an address that cannot be asked: {refusal.message}"
    return ""


def _bad_wish(settings: Mapping[str, object]) -> str:
    method, status, headers = settings.get("method", "GET"), settings.get("status", 200), settings.get("headers", {})
    if method != "GET":
        return f"has the method {method!r}; a check only asks, with GET."
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599:
        return f"has the status {status!r}; it is a whole number from 100 to 599."
    if not isinstance(headers, Mapping) or len(headers) > _MOST_HEADERS:
        return f"has headers that are no object of at most {_MOST_HEADERS} names and values."
    for name, value in headers.items():
        if not _HEADER.match(name) or not isinstance(value, str) or len(value) > 500:
            return f"wants the header {name[:60]!r}, whose name or value is none."
    return ""
