"""`manage.py gates self`: the looks at this very installation, as lines for people or JSON for programs."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.http.request import validate_host

from migrations_app.embedded import bind
from migrations_app.engine.errors import LockstepError
from migrations_app.management import asking
from migrations_app.releases.gates.own.installation import Installation
from migrations_app.releases.gates.own.looks import Line, look_at, names, sentence
from migrations_app.releases.gates.own.posting import Poster
from migrations_app.releases.gates.own.seen import GREEN
from migrations_app.releases.gates.own.visitors import visitors


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--base", metavar="URL", type=address, help="where it answers; left out, where GUNICORN_BIND says"
    )
    parser.add_argument("--only", action="append", default=[], metavar="GATE[/CHECK]", help="look at this alone")
    parser.add_argument("--json", action="store_true", help="passed, sentence and checks as JSON")
    parser.add_argument(
        "--post", nargs=2, metavar=("SERVICE", "RELEASE"), help="report what was seen by the API, with LOCKSTEP_TOKEN"
    )


def address(text: str) -> str:
    """Scheme, host and port, and nothing behind them. Raises ArgumentTypeError, which is told with the usage."""
    try:
        parts = urlsplit(text)
        (parts.hostname or "").encode("idna")
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not text.isprintable() or set(text) & set(" @?#") or parts.path.strip("/"):
        raise ArgumentTypeError(
            f"{text!r} is no address of a Lockstep; it wants http://HOST:PORT or https://HOST, such as "
            f"http://{bind.DEFAULT}. Nothing was looked at."
        )
    return text


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Raises CommandError, and so exit code 1, unless every check that was looked at is green."""
    _refuse_strange(options["only"])
    lines: list[Line] = []
    with asking.refusals(), visitors() as people:
        place = _installation(options["base"], people)
        poster = Poster(place.base, os.environ.get("LOCKSTEP_TOKEN", ""), place.headers) if options["post"] else None
        for line in look_at(place, options["only"]):
            lines.append(line)
            if not options["json"]:
                command.stdout.write(f"{line.number} {line.seen.state:7} {line.name}: {line.seen.sentence}")
                command.stdout.flush()
        posted, refused = _posted(poster, options["post"], lines) if poster else ([], "")
    _finish(command, lines, posted, as_json=options["json"])
    if refused:
        raise CommandError(refused)


def _posted(poster: Poster, where: tuple[str, str], lines: list[Line]) -> tuple[list[str], str]:
    """A sentence for each check as far as it came, and why it came no further."""
    posted: list[str] = []
    try:
        for one in poster.post(*where, lines):
            posted.append(one)
    except LockstepError as failure:
        return [*posted, failure.sentence], failure.sentence
    return posted, ""


def _finish(command: BaseCommand, lines: list[Line], posted: list[str], *, as_json: bool) -> None:
    green = bool(lines) and all(line.seen.state in GREEN for line in lines)
    told = sentence(lines)
    if as_json:
        command.stdout.write(json.dumps(_document(lines, posted, told, green), ensure_ascii=False, indent=2))
    for one in [] if as_json else posted:
        command.stdout.write(one)
    if not green:
        raise CommandError(told)
    if not as_json:
        command.stdout.write(told)


def _document(lines: list[Line], posted: list[str], told: str, green: bool) -> dict[str, object]:
    checks = [
        {
            "number": line.number,
            "gate": line.gate.key,
            "check": line.check.key,
            "title": line.check.title,
            "state": line.seen.state,
            "sentence": line.seen.sentence,
        }
        for line in lines
    ]
    return {"passed": green, "sentence": told, "checks": checks, "posted": posted}


def _refuse_strange(only: list[str]) -> None:
    known = {part for name in names() for part in (name, name.partition("/")[0])}
    strange = [name for name in only if name not in known]
    if strange:
        raise CommandError(
            f"There is no gate and no check {strange[0]!r}. Nothing was looked at. Known: {', '.join(names())}."
        )


def _installation(base: str | None, people: Any) -> Installation:  # noqa: ANN401  a mapping of cookies
    given = base or bind.parse(os.environ.get("GUNICORN_BIND") or bind.DEFAULT).url
    headers = {} if base else _as_the_proxy_would()
    return Installation(Path(settings.BASE_DIR), given.rstrip("/"), people, headers)


def _as_the_proxy_would() -> dict[str, str]:
    """Asked past the proxy, the pages still want its name and its word that the way was safe."""
    headers = {"X-Forwarded-Proto": "https"} if settings.USE_TLS else {}
    allowed: list[str] = settings.ALLOWED_HOSTS
    if allowed and not validate_host("127.0.0.1", allowed):
        headers["Host"] = allowed[0].lstrip(".").strip("[]")
    return headers
