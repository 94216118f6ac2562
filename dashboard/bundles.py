"""One style sheet and one script for all pages, made of the files in static/ and served from memory.

The files stay as they are, one concern each. A bundle's name holds a hash of its content, so a browser may keep it for
good; whoever asks by an older name, as during a restart, gets what there is now.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.templatetags.static import static
from django.utils.cache import get_conditional_response

SOURCES = settings.BASE_DIR / "static"

# In this order: of two rules that weigh the same, the later one wins.
STYLES = (
    "tokens", "base", "frame", "state", "button", "choice", "sheet", "dialog", "live", "table", "form", "run", "runs",
    "text", "shapes", "drawn", "matrix", "palette", "home", "drills", "releases", "style", "print",
)  # fmt: skip
# In this order: what listens first hears first.
SCRIPTS = (
    "wait", "theme", "time", "countdown", "signed_out", "poll", "copy", "stopwatch", "submit", "dialog", "popover",
    "tip", "toast", "retry", "keys", "palette", "patch", "log_fold", "log", "runs", "grid", "light", "matrix", "window",
)  # fmt: skip
FILES = {"css": STYLES, "js": SCRIPTS}

TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
FOR_GOOD = "max-age=31536000, public, immutable"
_NAME = re.compile(r"/(css|js)/lockstep\.[0-9a-f]{12}\.(?:css|js)\Z")
_GZIP = re.compile(r"\bgzip\b")


@dataclass(frozen=True)
class Bundle:
    """It lies beside its files, so that what they name by a relative address is found."""

    kind: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        return hashlib.blake2b(self.content, digest_size=6).hexdigest()

    @cached_property
    def url(self) -> str:
        return static(f"{self.kind}/lockstep.{self.digest}.{self.kind}")

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.content, mtime=0)


def bundle(kind: str) -> Bundle:
    """`css` or `js`; made once, and while debugging again after each change of a file."""
    files = tuple(SOURCES / kind / f"{name}.{kind}" for name in FILES[kind])
    return _made(kind, files, tuple(file.stat().st_mtime_ns for file in files) if settings.DEBUG else ())


@lru_cache(maxsize=4)
def _made(kind: str, files: tuple[Path, ...], changed: tuple[int, ...]) -> Bundle:
    join = {"css": _joined, "js": _fenced}[kind]
    return Bundle(kind, join([(file.name, file.read_text(encoding="utf-8")) for file in files]).encode())


def _joined(sources: list[tuple[str, str]]) -> str:
    return "\n".join(source for _, source in sources)


def _fenced(sources: list[tuple[str, str]]) -> str:
    """Each in a block of its own: names stay apart, and one that fails is told of without stopping the others."""
    blocks = (
        f"/* {name} */ try {{\n{source}}} catch (problem) {{ reportError(problem); }}" for name, source in sources
    )
    return "\n".join(('"use strict";', *blocks, ""))


class Bundles:
    """Answers for the bundles before anything else is asked, as WhiteNoise does for files."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        named = _NAME.search(request.path)
        found = bundle(named[1]) if named and request.path.startswith(static("")) else None
        return self.get_response(request) if found is None else _answer(request, found)


def _answer(request: HttpRequest, found: Bundle) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    zipped = bool(_GZIP.search(request.headers.get("Accept-Encoding", "")))
    headers = {
        "ETag": f'W/"{found.digest}"',
        "Cache-Control": FOR_GOOD if request.path == found.url else "no-cache",
        "Vary": "Accept-Encoding",
        **({"Content-Encoding": "gzip"} if zipped else {}),
    }
    whole = HttpResponse(found.zipped if zipped else found.content, content_type=TYPES[found.kind], headers=headers)
    whole["Content-Length"] = str(len(whole.content))
    return get_conditional_response(request, etag=headers["ETag"], response=whole) or whole
