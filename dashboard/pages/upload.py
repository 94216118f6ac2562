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
Texts = dict[str, dict[str, str]]


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
    texts, refusals = _texts(files)
    revisions: list[RevisionFiles] = []
    for revision_id in sorted(texts, key=name_order):
        try:
            revisions.append(_read(revision_id, texts[revision_id]))
        except LockstepError as failure:
            refusals.append(failure.sentence)
    return Upload(tuple(revisions), tuple(refusals))


def _texts(files: Sequence[UploadedFile[bytes]]) -> tuple[Texts, list[str]]:
    texts: Texts = {}
    refusals: list[str] = []
    for file in files:
        name = (file.name or "").rpartition("/")[2]
        match = FILE.match(name)
        if match is None or not is_revision_id(match["id"]):
            refusals.append(f"{name[:120]}: not a revision's file; name it like 0001_add_orders.up.sql.")
        elif (file.size or 0) > MAX_BYTES:
            refusals.append(f"{name}: {file.size:,} bytes; the most that is read is {MAX_BYTES:,}.")
        elif match["part"] in texts.get(match["id"], {}):
            refusals.append(f"{name}: chosen twice; keep one of the two.")
        else:
            _decode(file, name, texts.setdefault(match["id"], {}), match["part"], refusals)
    for revision_id in [key for key, parts in texts.items() if "up" not in parts]:
        parts = " and ".join(f"{revision_id}.{part}.sql" for part in texts.pop(revision_id)) or revision_id
        refusals.append(f"{parts}: there is no {revision_id}.up.sql beside it.")
    return texts, refusals


def _decode(file: UploadedFile[bytes], name: str, parts: dict[str, str], part: str, refusals: list[str]) -> None:
    try:
        parts[part] = file.read().decode()
    except UnicodeDecodeError as error:
        refusals.append(f"{name}: not UTF-8 at byte {error.start + 1}; save it as UTF-8.")


def _read(revision_id: str, parts: dict[str, str]) -> RevisionFiles:
    read_draft(revision_id, parts["up"], parts.get("down"), parts.get("verify"))
    return RevisionFiles(
        revision_id=revision_id,
        up=parts["up"],
        down=parts.get("down"),
        verify=parts.get("verify"),
        header=read_header(parts["up"]),
    )
