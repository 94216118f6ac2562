"""Web, workers, scheduler and watchdog run under one contract: the same unit files, the same paths, the same port."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from migrations_app.releases.gates.own import fields, units
from migrations_app.releases.gates.own.installation import Installation, part
from migrations_app.releases.gates.own.root_execution import STATUS
from migrations_app.releases.gates.own.seen import Seen, bad, judged, listed, unknown
from migrations_app.releases.gates.own.visitors import ADMIN
from migrations_app.watchdog.files import beat_age, read_pid

# The name of a path in worker/status, and in the contract as /health tells it.
PATHS = {
    "runtime_dir": "watchdog_runtime_dir",
    "flag_path": "watchdog_restart_flag",
    "pid_path": "watchdog_pid_file",
    "state_path": "watchdog_state_file",
}
LATE = 6  # intervals without a look after which a watchdog counts as gone


def same_runtime(place: Installation) -> Seen:
    found = units.read(place.root / units.FOLDER)
    if not found:
        return unknown(f"There are no unit files in {place.root / units.FOLDER}, as in an image without them.")
    broken = list(units.disagreements(found))
    if broken:
        return judged(broken, "")
    errors = place.told("/health", ADMIN, "runtime_contract.errors", "a list")
    broken = [f"What runs here breaks the contract: {error}" for error in errors]
    return judged(
        broken,
        f"{listed([name.removesuffix('.service') for name in found])} have one user, folder, Python and environment "
        f"({units.common_file(found)}), and what runs here keeps the contract.",
    )


def watchdog_paths(place: Installation) -> Seen:
    """What the page of workers believes, what /health tells, and what the files themselves show."""
    status = place.told(STATUS, ADMIN)
    lacking = fields.missing(status, fields.STATUS)
    if lacking:
        return bad(f"{listed(lacking)} {'is' if len(lacking) == 1 else 'are'} missing from {STATUS}.")
    paths: Mapping[str, Any] = part(status, "data.runtime_contract.watchdog", STATUS)
    health = place.told("/health", ADMIN)
    contract: Mapping[str, Any] = part(health, "runtime_contract.contract", "/health", "an object")
    interval = float(part(health, "runtime_contract.contract.watchdog_check_interval", "/health", "a number"))
    broken = [
        f"The admin's side has {name} as {paths.get(name)}, and the contract of the pages {field} as "
        f"{contract.get(field)}: a restart would be asked for in one place and looked for in another."
        for name, field in PATHS.items()
        if paths.get(name) is None or paths.get(name) != contract.get(field)
    ]
    broken += map(str, part(status, "data.runtime_contract.validation.errors", STATUS, "a list"))
    if broken:
        return bad(" ".join(broken))
    if not Path(paths["runtime_dir"]).is_dir():
        return unknown(
            f"{paths['runtime_dir']} is not on this machine or may not be read, so its files cannot be seen."
        )
    broken = [
        *_master(paths["pid_path"], part(status, "data.worker_pid", STATUS, "a number")),
        *_beat(paths["runtime_dir"], interval),
    ]
    return judged(broken, f"Pages, /health and watchdog use the same files in {paths['runtime_dir']}.")


def single_port(place: Installation) -> Seen:
    bind = place.told(STATUS, ADMIN, "data.runtime_contract.single_port_bind", "a text")
    port = urlsplit(place.base).port
    said = place.alone("restart")
    if not said["started"]:
        return bad("gunicorn with deploy/gunicorn.conf.py did not answer within 30 s on a port of its own.")
    broken = []
    if not said["new"]:
        broken.append("30 s after the signal the old processes still answered: the restart changed nothing.")
    if said["lost"]:
        broken.append(f"While gunicorn was restarted {len(said['lost'])} requests got no answer: {said['lost'][0]}.")
    if port and not bind.endswith(f":{port}"):
        broken.append(f"The installation says it listens on {bind}, and it was asked on port {port}.")
    return judged(
        broken,
        f"It listens on {bind}; while a gunicorn of the same configuration was restarted, {said['asked']} of "
        f"{said['asked']} requests were answered, at the end by new processes alone.",
    )


def _master(pid_path: str, worker_pid: int) -> Iterator[str]:
    """The pid file names the process that the answering one was forked from."""
    master = read_pid(Path(pid_path))
    if master is None:
        yield f"{pid_path} names no process: the watchdog could not restart anything."
        return
    parent = _parent(worker_pid)
    if parent is not None and parent != master:
        yield f"{pid_path} names the process {master}, and the web process {worker_pid} belongs to {parent}."


def _parent(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[1])


def _beat(runtime_dir: str, interval: float) -> Iterator[str]:
    age = beat_age(Path(runtime_dir), time.time())
    if age is None:
        yield f"No watchdog has looked into {runtime_dir}: it does not run, or it looks elsewhere."
    elif age > LATE * interval:
        yield f"The watchdog last looked into {runtime_dir} {age:.0f} s ago, and it should every {interval:g} s."
