"""Reads a folder of revisions: `NNNN_name.up.sql`, with `.down.sql` and `.verify.sql` if there are any."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from migrations_app.engine.contract.chain import MAX_LENGTH, Declared, is_revision_id, name_order
from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.header import Header, read_header
from migrations_app.engine.sql.parser import MAX_BYTES

FILE = re.compile(r"(?P<id>.+)\.(?P<part>up|down|verify)\.sql\Z")
PARTS = ("up", "down", "verify")
Files = dict[str, dict[str, Path]]


@dataclass(frozen=True)
class RevisionFiles:
    revision_id: str
    up: str
    down: str | None
    verify: str | None
    header: Header

    @property
    def declared(self) -> Declared:
        return Declared(self.revision_id, self.header.parent)


def check_revision_id(name: str) -> None:
    if not is_revision_id(name):
        _refuse(
            "bad_name",
            f"{name[:MAX_LENGTH]!r} is not a revision id.",
            "Use digits, an underscore, then letters, digits, dots, dashes and underscores, like "
            f"0001_add_orders; at most {MAX_LENGTH} characters.",
        )


def read_folder(path: str | Path) -> tuple[RevisionFiles, ...]:
    """The revisions in name order; files that are not .sql are left alone."""
    folder = Path(path)
    if not folder.is_dir():
        _refuse("no_folder", f"{folder} is not a folder.", "Name the folder that holds the .up.sql files.")
    files = _collect(folder)
    for revision_id, parts in files.items():
        if "up" not in parts:
            _refuse_orphan(revision_id, parts)
    revisions = tuple(_read(name, files[name]) for name in sorted(files, key=name_order))
    _refuse_same_number(revisions)
    return revisions


def _collect(folder: Path) -> Files:
    files: Files = {}
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or not file.name.endswith(".sql"):
            continue
        match = FILE.match(file.name)
        if match is None or not is_revision_id(match["id"]):
            _refuse_name(file)
        files.setdefault(match["id"], {})[match["part"]] = file
    return files


def _read(revision_id: str, parts: dict[str, Path]) -> RevisionFiles:
    texts = {part: _text(file) for part, file in parts.items()}
    return RevisionFiles(
        revision_id=revision_id,
        up=texts["up"],
        down=texts.get("down"),
        verify=texts.get("verify"),
        header=_header(parts["up"], texts["up"]),
    )


def _text(file: Path) -> str:
    if not file.is_file():
        _refuse("bad_file", f"{file.name} is not a regular file.", "Put a plain file in its place.")
    if file.stat().st_size > MAX_BYTES:
        _refuse(
            "too_large",
            f"{file.name} has {file.stat().st_size:,} bytes; the most that is read is {MAX_BYTES:,}.",
            "Split it into several revisions; load bulk data outside of revisions.",
        )
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        _refuse("not_unicode", f"{file.name} is not UTF-8 at byte {error.start + 1}.", "Save it as UTF-8.")


def _header(file: Path, text: str) -> Header:
    try:
        return read_header(text)
    except Refused as error:
        message = f"{file.name}: {error.message}"
        raise Refused(error.code, message, not_done=error.not_done, next_step=error.next_step) from error


def _refuse_orphan(revision_id: str, parts: Iterable[str]) -> NoReturn:
    present = " and ".join(f"{revision_id}.{part}.sql" for part in parts)
    _refuse("orphan_file", f"There is {present} but no {revision_id}.up.sql.", "Add the up file or remove these.")


def _refuse_name(file: Path) -> NoReturn:
    _refuse(
        "bad_name",
        f"{file.name[:200]} is not the name of a revision's file.",
        "Name it like 0001_add_orders.up.sql, .down.sql or .verify.sql: digits, an underscore, then letters, "
        "digits, dots, dashes and underscores.",
    )


def _refuse_same_number(revisions: Iterable[RevisionFiles]) -> None:
    """Two revisions of one number have no order by name, so each must name its parent."""
    counts = Counter(name_order(one.revision_id)[0] for one in revisions)
    for one in revisions:
        if counts[name_order(one.revision_id)[0]] > 1 and one.header.parent is None:
            _refuse(
                "same_number",
                f"{one.revision_id} shares its number with another revision, so their order is not known.",
                "Give it another number, or write `-- lockstep: parent REVISION` at its top.",
            )


def _refuse(code: str, message: str, next_step: str) -> NoReturn:
    raise Refused(code, message, not_done="No revision was read.", next_step=next_step)
