"""What browsers load can be made from this folder alone, and the installation hands out exactly that."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from subprocess import CompletedProcess
from threading import Lock

from migrations_app.releases.gates.own.installation import Answer, Installation, last_line
from migrations_app.releases.gates.own.seen import Seen, bad, good, judged, unknown

_LOCK = Lock()


def build(place: Installation) -> Seen:
    done = _assets(place.root)
    if done.returncode:
        return bad(f"What browsers load cannot be made from {place.root}: {last_line(done)}")
    return good(f"A fresh process made all {len(_manifest(done.stdout))} files that browsers load.")


def artefacts(place: Installation) -> Seen:
    """Each file of the manifest as the running installation hands it out."""
    done = _assets(place.root)
    if done.returncode:
        return unknown(f"There is no manifest to compare with: {last_line(done)}")
    manifest = _manifest(done.stdout)
    broken = [
        told for address, digest in manifest.items() if (told := _wrong(place.ask(address, accept="*/*"), digest))
    ]
    return judged(broken, f"All {len(manifest)} files of the manifest are handed out with their hashes.")


def _assets(root: Path) -> CompletedProcess[str]:
    """Made once for both looks, which may come together."""
    with _LOCK:
        return _made(root)


@lru_cache(maxsize=1)
def _made(root: Path) -> CompletedProcess[str]:
    return Installation(root, "").manage("assets")


def _manifest(text: str) -> dict[str, str]:
    """Address to SHA-256."""
    lines = (line.partition("  ") for line in text.splitlines())
    return {address: digest for digest, gap, address in lines if gap}


def _wrong(answer: Answer, digest: str) -> str:
    if answer.status != 200:
        return f"{answer.path} is in the manifest, and the installation answers {answer.status}."
    found = hashlib.sha256(answer.body).hexdigest()
    if found == digest:
        return ""
    return (
        f"{answer.path} is handed out with SHA-256 {found[:12]}…, and the file in the folder has {digest[:12]}…: "
        "the web processes are older or newer than the folder; restart them."
    )
