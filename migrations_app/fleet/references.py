"""How an environment names its target: a variable or file that the administrator keeps, or an address typed here."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target.dsn import Dsn, parse
from migrations_app.models.environment import DsnKind

MAX_FILE_BYTES = 8192
# The one part of the data folder that holds addresses of targets, and nothing else.
EMBEDDED_TARGETS = "targets"
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
# Lockstep's own secrets must not become visible as somebody's target.
OWN_VARIABLES = "LOCKSTEP_"
SYSTEM_FOLDERS = (Path("/proc"), Path("/dev"), Path("/sys"))


@dataclass(frozen=True)
class Reference:
    """`name` is the variable or the path; a typed address is kept out of sight in `address`."""

    kind: DsnKind
    name: str = ""
    address: str = field(default="", repr=False)

    def resolve(self) -> Dsn:
        """Read the address this reference stands for, now and in this process."""
        if self.kind == DsnKind.STORED:
            return parse(self.address, trusted=False)
        text = _variable(self.name) if self.kind == DsnKind.ENV else _file(self.name)
        try:
            return parse(text, trusted=True)
        except LockstepError as refusal:
            refusal.message = f"{self.kind}:{self.name}: {refusal.message}"
            raise


def read_reference(text: str) -> Reference:
    """`env:NAME`, `file:PATH`, or else an address; checks the form, looks nothing up."""
    kind, _, name = text.strip().partition(":")
    if kind == DsnKind.ENV:
        return Reference(DsnKind.ENV, _checked_variable(name.strip()))
    if kind == DsnKind.FILE:
        return Reference(DsnKind.FILE, _checked_path(name.strip()))
    return Reference(DsnKind.STORED, address=text.strip())


def _checked_variable(name: str) -> str:
    if not VARIABLE.fullmatch(name) or len(name) > 200:
        raise _refused("An env: reference names no variable.", "Write env:NAME in capitals, digits and underscores.")
    if name.startswith(OWN_VARIABLES):
        raise _refused(f"{name} is one of Lockstep's own settings.", "Keep the address in a variable of another name.")
    return name


def _checked_path(name: str) -> str:
    if not name.startswith("/") or len(name) > 500 or not name.isprintable():
        raise _refused("A file: reference names no absolute path.", "Write file:/absolute/path.")
    _refuse_place(Path(os.path.normpath(name)))
    return name


def _refuse_place(path: Path) -> None:
    if any(path.is_relative_to(folder) for folder in SYSTEM_FOLDERS):
        raise _refused("A file: reference leads into a system folder.", "Keep the address in a file of its own.")
    data_dir = Path(settings.LOCKSTEP_DATA_DIR).resolve()
    inside = path.is_relative_to(data_dir) and not path.is_relative_to(data_dir / EMBEDDED_TARGETS)
    if inside:
        raise _refused(
            "A file: reference leads into Lockstep's own data folder.", "Keep the address in a file elsewhere."
        )


def _variable(name: str) -> str:
    value = os.environ.get(_checked_variable(name), "")
    if value.strip():
        return value
    raise Refused(
        "dsn_reference_missing",
        f"The environment variable {name} is not set for this process.",
        not_done="No connection was opened.",
        next_step="Set it for the web process and for every worker, then restart them.",
    )


def _file(name: str) -> str:
    """The file itself may be a link; what counts is where it leads."""
    path = Path(os.path.realpath(_checked_path(name)))
    _refuse_place(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unreadable(name, "it is not a regular file")
            content = file.read(MAX_FILE_BYTES + 1)
        text = content.decode("utf-8").strip()
    except OSError as error:
        raise _unreadable(name, str(error.strerror).lower()) from None
    except UnicodeDecodeError:
        raise _unreadable(name, "it is not text") from None
    if len(content) > MAX_FILE_BYTES:
        raise _unreadable(name, f"it is larger than {MAX_FILE_BYTES} bytes")
    return text


def _unreadable(name: str, why: str) -> Refused:
    return Refused(
        "dsn_reference_missing",
        f"The file {name} cannot be used: {why}.",
        not_done="No connection was opened.",
        next_step="Give the web process and every worker a readable file that holds one connection string.",
    )


def _refused(message: str, next_step: str) -> Refused:
    return Refused("dsn_reference", message, not_done="Nothing was stored.", next_step=next_step)
