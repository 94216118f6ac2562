"""One folder: the web process works in it, and nothing that it loads lies outside of it and its Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from migrations_app.releases.gates.own.installation import Installation
from migrations_app.releases.gates.own.seen import Seen, bad, good, judged, listed, unknown
from migrations_app.releases.gates.own.visitors import ADMIN

STATUS = "/admin/api/worker/status"


def root_only(place: Installation) -> Seen:
    """The folder of the process that answers, and the root that it believes in."""
    pid = place.told(STATUS, ADMIN, "data.worker_pid", "a number")
    try:
        folder = Path(f"/proc/{pid}/cwd").readlink()
    except FileNotFoundError:
        return unknown(f"The web process {pid} is not on this machine, so its working folder cannot be seen.")
    except PermissionError:
        return unknown(f"The web process {pid} belongs to another user; ask as that user or as root.")
    if not _same(folder, place.root):
        return bad(f"The web process {pid} runs in {folder}, and the project is {place.root}: start it from there.")
    believed = place.told("/health", ADMIN, "runtime_contract.contract.project_root")
    if not _same(Path(str(believed)), place.root):
        return bad(
            f"The web process {pid} takes {believed or 'nothing'} for the project's root, which is {place.root}."
        )
    return good(f"The web process {pid} runs in {place.root} and takes that for the project's root.")


def no_legacy_tree(place: Installation) -> Seen:
    said = place.alone("imported")
    broken = [f"{name} is loaded from {file}, outside of {place.root} and of Python." for name, file in said["outside"]]
    missing = [f"{path} is on Python's search path, outside of {place.root}." for path in said["search"]]
    return judged(broken + missing, f"A fresh web process loads {said['modules']} modules, {_from(said)}.")


def _from(said: Mapping[str, Any]) -> str:
    return f"all of them from {listed(said['homes'])}"


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
