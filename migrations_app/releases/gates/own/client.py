"""The script that pages load: by which rules it waits and repeats, and whether any of its parts goes past them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrations_app.releases.gates.own.installation import HTML, Installation
from migrations_app.releases.gates.own.seen import Seen, bad, judged
from migrations_app.releases.gates.own.visitors import READ

RULES = (
    (r"\bDB_POOL_EXHAUSTED: 0\b", "does not give up at once when the pool is full (DB_POOL_EXHAUSTED: 0 repeats)"),
    (r"\bCIRCUIT_BREAKER_OPEN: 1\b", "does not stop after one more try at an open circuit (CIRCUIT_BREAKER_OPEN: 1)"),
    (r"\[1000, 2000, 4000\]", "does not wait 1, 2 and 4 seconds between its tries"),
    (r"\b30000\b", "does not give up a request after 30 seconds"),
    (r"\b3000\b", "does not leave a server alone for 3 seconds at least that asks for it"),
    (r"[\"']Retry-After[\"']", "does not read the header Retry-After"),
    (r"\bretry_after_seconds\b", "does not read meta.retry_after_seconds"),
    (r"[\"']X-Retry-Attempt[\"']", "does not say with X-Retry-Attempt that it comes again"),
    (r"[\"']Idempotency-Key[\"']", "does not look whether a change may be sent twice"),
)
_SCRIPT = re.compile(r'src="([^"]*/js/lockstep\.[0-9a-f]+\.js)"')
_BLOCK = re.compile(r"/\* (\w+\.js) \*/ try \{(.*?)(?=/\* \w+\.js \*/ try \{|\Z)", re.DOTALL)
_FETCH = re.compile(r"(?<![\w.])fetch\(")


def look(place: Installation) -> Seen:
    page = place.ask("/", READ, accept=HTML).body.decode("utf-8", "replace")
    named = _SCRIPT.search(page)
    if named is None:
        return bad("The first page loads no script of Lockstep's, so nothing waits for a server that is busy.")
    script = place.ask(named[1], accept="*/*").body.decode("utf-8", "replace")
    broken = [f"The script {told}." for pattern, told in RULES if not re.search(pattern, script)]
    broken += _past(script)
    return judged(
        broken,
        "The script that pages load repeats nothing while the pool is full, tries an open circuit once more, waits as "
        "Retry-After says, and no part of it asks past these rules.",
    )


def _past(script: str) -> Iterator[str]:
    """Parts that ask the server themselves; the one with the rules is where the waiting times are."""
    for name, body in _BLOCK.findall(script):
        if "[1000, 2000, 4000]" not in body and _FETCH.search(body):
            yield f"{name} asks the server past the rules for waiting."
