"""A bundle's file, plain or packed with gzip, as what stands in it; never more of it than a bundle can be."""

from __future__ import annotations

import gzip
import json
import zlib
from io import BytesIO
from pathlib import Path
from typing import IO

from migrations_app.audit.export import once
from migrations_app.releases.bundle.kinds import Json

FORMAT = "lockstep release bundle 1"
# Unpacked. The artefacts of a bundle take 27 MB at most (20 MB, in base64), its links 15 MB (100,000 of 150 bytes);
# over 200 MB are left for SQL, reports and audit entries, and a small file of packed blanks cannot fill the memory.
LARGEST = 256 * 1024 * 1024
_CHUNK = 1024 * 1024


class NoBundle(ValueError):
    """The file is not a bundle at all."""


def load(path: Path) -> Json:
    """Raises NoBundle, OSError."""
    if path.stat().st_size > LARGEST:
        raise _too_large("it has")
    with path.open("rb") as file:
        return read(_whole(file, "it has"))


def read(data: bytes | bytearray) -> Json:
    """Raises NoBundle."""
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data)
    try:
        bundle = parse(data)
    except (ValueError, RecursionError, MemoryError):
        raise NoBundle("It is no bundle: neither JSON nor JSON packed with gzip.") from None
    if not isinstance(bundle, dict) or bundle.get("format") != FORMAT:
        raise NoBundle(f"It is no bundle of this version, which has the format {FORMAT!r}.")
    return bundle


def parse(text: str | bytes | bytearray) -> object:
    """JSON that every reader takes alike. Raises ValueError, RecursionError."""
    return json.loads(text, object_pairs_hook=once, parse_constant=_no_number)


def _unpacked(data: bytes | bytearray) -> bytearray:
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            return _whole(file, "unpacked it has")
    except (OSError, EOFError, zlib.error):
        raise NoBundle("It is no bundle: it is packed with gzip, and cannot be unpacked.") from None


def _whole(file: IO[bytes] | gzip.GzipFile, it_has: str) -> bytearray:
    found = bytearray()
    while chunk := file.read(_CHUNK):
        found += chunk
        if len(found) > LARGEST:
            raise _too_large(it_has)
    return found


def _too_large(it_has: str) -> NoBundle:
    return NoBundle(f"It is no bundle: {it_has} more than {LARGEST:,} bytes, and the rest was not read.")


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number in JSON")
