"""Ask a site at a constant rate and see how long the answers take: see load_process.py for what is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.timing import Sample
from tests.bench.web import PATIENCE_S, Site

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Page:
    """`etag` asks whether it changed; then 304 is the answer that is wanted. `bearer` is a token of the API."""

    path: str
    etag: str = ""
    bearer: str = ""

    @property
    def status(self) -> int:
        return 304 if self.etag else 200


@dataclass(frozen=True)
class Load:
    """What came back; times in seconds, each counted from when its request was due."""

    asked_rate: float
    achieved_rate: float  # good answers in a second, until the last one
    sample: Sample
    of_page: dict[str, Sample]
    errors: dict[str, int]
    late: Sample  # how late the asking process itself was


def load(site: Site, cookie: str, pages: Sequence[Page], *, rate: float, seconds: float) -> Load:
    """The pages in turn, `rate` in a second altogether (0: as many as are answered), after a short warm-up."""
    plan = {
        "host": site.host,
        "port": site.port,
        "rate": rate,
        "warm_s": min(seconds / 4, 3.0),
        "seconds": seconds,
        "patience_s": PATIENCE_S,
        "targets": [{"request": _request(site, cookie, page), "status": page.status} for page in pages],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load_process"],
        input=json.dumps(plan),
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return _read(json.loads(done.stdout), pages, rate)


def _read(found: dict[str, object], pages: Sequence[Page], rate: float) -> Load:
    took: list[tuple[int, float]] = [(int(which), ms / 1e3) for which, ms in found["took_ms"]]  # type: ignore[attr-defined]
    of_page = {
        page.path: Sample(tuple(seconds for which, seconds in took if which == number))
        for number, page in enumerate(pages)
    }
    errors: dict[str, int] = dict(found["errors"])  # type: ignore[call-overload]
    return Load(
        asked_rate=rate,
        achieved_rate=(len(took) - sum(errors.values())) / float(str(found["seconds"])),
        sample=Sample(tuple(seconds for _, seconds in took)),
        of_page=of_page,
        errors=errors,
        late=Sample(tuple(ms / 1e3 for ms in found["late_ms"])),  # type: ignore[attr-defined]
    )


def _request(site: Site, cookie: str, page: Page) -> str:
    lines = [
        f"GET {page.path} HTTP/1.1",
        f"Host: {site.host}:{site.port}",
        f"Authorization: Bearer {page.bearer}" if page.bearer else f"Cookie: {cookie}",
        "Accept: text/html",
        "Accept-Encoding: gzip",
        *([f"If-None-Match: {page.etag}", "HX-Request: true"] if page.etag else []),
    ]
    return "\r\n".join([*lines, "", ""])
