"""The runtime contract: paths and address that web, workers, scheduler and watchdog have to agree about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

# Another number once a field means something else.
VERSION = "1"

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class BadSetting(ValueError):
    """A variable holds what cannot be used; the sentence names it, what it got and what it wants."""


@dataclass(frozen=True)
class RuntimeContract:
    """As the environment gives it, good or bad; `errors` says what is bad."""

    version: str
    project_root: str
    gunicorn_bind: str
    validation_enforced: bool
    watchdog_runtime_dir: str
    watchdog_restart_flag: str
    watchdog_pid_file: str
    watchdog_state_file: str
    watchdog_check_interval: float

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def read(environ: Mapping[str, str], project_root: Path) -> RuntimeContract:
    """Paths not given follow the runtime directory. Raises BadSetting for a number or a switch that is none."""
    runtime_dir = Path(environ.get("WATCHDOG_RUNTIME_DIR") or "/run/lockstep")
    return RuntimeContract(
        version=VERSION,
        project_root=str(project_root),
        gunicorn_bind=environ.get("GUNICORN_BIND") or "127.0.0.1:8000",
        validation_enforced=flag(environ, "RUNTIME_CONTRACT_ENFORCE", True),
        watchdog_runtime_dir=str(runtime_dir),
        watchdog_restart_flag=environ.get("WATCHDOG_RESTART_FLAG") or str(runtime_dir / "lockstep_restart.flag"),
        watchdog_pid_file=environ.get("WATCHDOG_PID_FILE") or str(runtime_dir / "gunicorn.pid"),
        watchdog_state_file=environ.get("WATCHDOG_STATE_FILE") or "/var/lib/lockstep/restart_state.json",
        watchdog_check_interval=number(environ, "WATCHDOG_CHECK_INTERVAL", 5),
    )


def errors(contract: RuntimeContract) -> tuple[str, ...]:
    """What does not hold, a sentence each."""
    return tuple(_errors(contract))


def _errors(contract: RuntimeContract) -> Iterator[str]:
    runtime_dir = Path(contract.watchdog_runtime_dir)
    if not runtime_dir.is_absolute():
        yield f"WATCHDOG_RUNTIME_DIR is {contract.watchdog_runtime_dir!r}; it wants a whole path, from the root."
    for name, path in (
        ("WATCHDOG_RESTART_FLAG", contract.watchdog_restart_flag),
        ("WATCHDOG_PID_FILE", contract.watchdog_pid_file),
    ):
        if Path(path).parent != runtime_dir:
            yield f"{name} is {path!r}; it has to lie directly in the runtime directory {str(runtime_dir)!r}."
    if contract.watchdog_restart_flag == contract.watchdog_pid_file:
        yield "WATCHDOG_RESTART_FLAG and WATCHDOG_PID_FILE name the same file."
    if not Path(contract.watchdog_state_file).is_absolute():
        yield f"WATCHDOG_STATE_FILE is {contract.watchdog_state_file!r}; it wants a whole path, from the root."
    if ":" not in contract.gunicorn_bind:
        yield f"GUNICORN_BIND is {contract.gunicorn_bind!r}; it wants one address, HOST:PORT."


def fingerprint(contract: RuntimeContract) -> str:
    """The same in two processes if they were started under the same contract."""
    text = json.dumps(contract.as_json(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def number(environ: Mapping[str, str], name: str, default: float, *, least: float = 0.0) -> float:
    """A number above zero, or of at least `least` if that is given; a whole one stays whole."""
    given = environ.get(name, "").strip()
    if not given:
        return default
    try:
        value = float(given)
    except ValueError:
        value = -1.0
    good = value >= least if least else value > 0
    if not good or value == float("inf"):
        wants = f"a number of {least:g} or more" if least else "a number above zero"
        raise BadSetting(f"{name} is {given!r}; it wants {wants}.")
    return int(value) if value.is_integer() else value


def flag(environ: Mapping[str, str], name: str, default: bool) -> bool:
    given = environ.get(name, "").strip().lower()
    if given and given not in _TRUE + _FALSE:
        raise BadSetting(f"{name} is {given!r}; it wants true or false.")
    return given in _TRUE if given else default
