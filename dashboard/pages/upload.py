"""Uploaded files as revisions: grouped by name, every refusal collected, nothing stored here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.core.files.uploadedfile import UploadedFile

from migrations_app.engine.contract.chain import is_revision_id, name_order
from migrations_app.engine.contract.folder import FILE, RevisionFiles
from migrations_app.engine.errors import LockstepError
from migrations_app.engine.sql.header import read_header
from migrations_app.engine.sql.parser import MAX_BYTES
from migrations_app.fleet.revisions import read_draft

MOST_FILES = 600


@dataclass(frozen=True)
class Upload:
    """What was offered; with any refusal nothing of it is stored."""

    revisions: tuple[RevisionFiles, ...] = ()
    refusals: tuple[str, ...] = ()

    def refused(self, failure: LockstepError) -> Upload:
        return replace(self, refusals=(*self.refusals, failure.sentence))


def read_upload(files: Sequence[UploadedFile[bytes]]) -> Upload:
    """
    1. Names and encodings.
    2. Each revision's SQL, parsed without storing.
    """
    if not files:
        return Upload(refusals=("No file was chosen. Choose one or more .up.sql, .down.sql or .verify.sql files.",))
    if len(files) > MOST_FILES:
        return Upload(refusals=(f"{len(files)} files are too many at once; upload at most {MOST_FILES}.",))
    pile = _Pile()
    for file in files:
        pile.take(file)
    pile.refuse_orphans()
    revisions: list[RevisionFiles] = []
    for revision_id in sorted(pile.texts, key=name_order):
        try:
            revisions.append(_read(revision_id, pile.texts[revision_id]))
        except LockstepError as failure:
            pile.refusals.append(failure.sentence)
    return Upload(tuple(revisions), tuple(pile.refusals))


class _Pile:
    """The files by revision, and what could not be taken; a revision with an unreadable file is left out whole."""

    def __init__(self) -> None:
        self.texts: dict[str, dict[str, str]] = {}
        self.refusals: list[str] = []
        self._unreadable: set[str] = set()

    def take(self, file: UploadedFile[bytes]) -> None:
        name = (file.name or "").rpartition("/")[2]
        match = FILE.match(name)
        if match is None or not is_revision_id(match["id"]):
            self.refusals.append(f"{name[:120]}: not a revision's file; name it like 0001_add_orders.up.sql.")
            return
        parts = self.texts.setdefault(match["id"], {})
        if match["part"] in parts:
            self.refusals.append(f"{name}: chosen twice; keep one of the two.")
            return
        try:
            parts[match["part"]] = _text(file)
        except ValueError as reason:
            self.refusals.append(f"{name}: {reason}")
            self._unreadable.add(match["id"])

    def refuse_orphans(self) -> None:
        for revision_id, parts in list(self.texts.items()):
            if "up" not in parts or revision_id in self._unreadable:
                del self.texts[revision_id]
            if "up" not in parts and revision_id not in self._unreadable:
                present = " and ".join(f"{revision_id}.{part}.sql" for part in parts)
                self.refusals.append(f"{present}: there is no {revision_id}.up.sql beside it.")


def _text(file: UploadedFile[bytes]) -> str:
    if (file.size or 0) > MAX_BYTES:
        raise ValueError(f"{file.size:,} bytes; the most that is read is {MAX_BYTES:,}.")
    try:
        content: bytes = file.read()
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start + 1}; save it as UTF-8.") from None


def _read(revision_id: str, parts: dict[str, str]) -> RevisionFiles:
    read_draft(revision_id, parts["up"], parts.get("down"), parts.get("verify"))
    return RevisionFiles(
        revision_id=revision_id,
        up=parts["up"],
        down=parts.get("down"),
        verify=parts.get("verify"),
        header=read_header(parts["up"]),
    )
