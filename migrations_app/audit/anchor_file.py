"""The file in which heads of the chain are noted, on the standard library alone: lines are added and never rewritten.

A line is `SEQ:HASH TIME`. Whoever rewrites the chain cannot make it fit a file that is out of their reach.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from migrations_app.audit.chain import Anchor


class BadAnchors(ValueError):
    """A line of the file is no anchor."""


def read_anchors(path: Path) -> tuple[Anchor, ...]:
    """Without a file there are none. Raises BadAnchors, OSError."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ()
    return tuple(_anchor(path, number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _anchor(path: Path, number: int, line: str) -> Anchor:
    try:
        return Anchor.parse(line.split()[0])
    except ValueError:
        raise BadAnchors(
            f"Line {number} of {path.name} is no anchor: the file was changed, or not written whole."
        ) from None


def add_anchor(path: Path, anchor: Anchor, at: str) -> None:
    """On the disk before it returns, and whole: half a line would take the next one with it. Raises OSError."""
    line = f"{anchor.seq}:{anchor.hash} {at}\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        began = os.fstat(file).st_size
        if os.write(file, line) < len(line):
            os.ftruncate(file, began)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(file)
    finally:
        os.close(file)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
