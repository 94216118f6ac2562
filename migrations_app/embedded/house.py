"""What `manage.py up` runs: servers, preparing commands and programs, in the order they need each other.

Nothing is told on a command line that is secret; children get it in their environment.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrations_app.embedded import postgres, program, redis, runtime_env, secret, targets
from migrations_app.embedded.bind import Bind
from migrations_app.embedded.databases import Owner, create_database
from migrations_app.embedded.supervisor import Supervisor
from migrations_app.engine.errors import Refused

CONTROL = "lockstep"
REHEARSALS = "LOCKSTEP_REHEARSAL_SERVERS"
# A rehearsal is one or two sessions at work; restoring a schema in one transaction locks each of its tables.
SCRATCH = {"max_connections": "60", "shared_buffers": "48MB", "max_locks_per_transaction": "256"}
WORKERS = 2
WEB_PATIENCE_SECONDS = 35.0  # A little more than gunicorn's graceful_timeout.
WORKER_PATIENCE_SECONDS = 20.0
WATCHDOG_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class Plan:
    """What to run and where."""

    base_dir: Path
    data_dir: Path
    bind: Bind
    demo: bool
    environment: Mapping[str, str] = field(repr=False)

    def given(self, name: str) -> bool:
        """Whether the user set the variable, or its `_FILE` form."""
        return bool(self.environment.get(name) or self.environment.get(f"{name}_FILE"))


def start_servers(plan: Plan, supervisor: Supervisor) -> dict[str, str]:
    """Start the embedded servers that are needed; return the variables that lead to them."""
    made: dict[str, str] = {}
    if not plan.given("LOCKSTEP_DATABASE_URL") or plan.demo:
        server = _add_postgres(plan, supervisor, 18)
        made[targets.variable(18)] = server.dsn
        if not plan.given("LOCKSTEP_DATABASE_URL"):
            made["LOCKSTEP_DATABASE_URL"] = _control_database(plan, server)
    if plan.demo:
        made[targets.variable(16)] = _add_postgres(plan, supervisor, 16).dsn
    if not plan.given("LOCKSTEP_REDIS_URL"):
        made["LOCKSTEP_REDIS_URL"] = _add_redis(plan, supervisor).url()
    if not plan.given(REHEARSALS):
        made[REHEARSALS] = " ".join(
            _add_scratch(plan, supervisor, major) for major in ((18, 16) if plan.demo else (18,))
        )
    return made


def _add_scratch(plan: Plan, supervisor: Supervisor, major: int) -> str:
    """A server for rehearsals alone, apart from all targets; it starts after the pages, and may be lost."""
    home = plan.data_dir / f"rehearsal{major}"
    supervisor.add_later(f"PostgreSQL {major} for rehearsals", lambda: start_scratch(home, major))
    return postgres.address(home)


def start_scratch(home: Path, major: int) -> postgres.Server:
    """Losing everything on it costs nothing: a folder that no server starts on any more is made anew."""
    try:
        return postgres.start(home, major, fast=True, settings=SCRATCH)
    except Refused as refusal:
        if refusal.code not in ("postgres_did_not_start", "foreign_data_folder"):
            raise
        program.say("up", f"{refusal.message} It holds nothing of value: making it anew.")
        shutil.rmtree(home / "data")
        return postgres.start(home, major, fast=True, settings=SCRATCH)


def _add_postgres(plan: Plan, supervisor: Supervisor, major: int) -> postgres.Server:
    def start() -> postgres.Server:
        server = postgres.start(plan.data_dir / f"postgres{major}", major)
        targets.refresh(plan.data_dir, server)
        return server

    program.say("up", f"Starting PostgreSQL {major} in {plan.data_dir / f'postgres{major}'}")
    running = supervisor.add(f"PostgreSQL {major}", start)
    assert isinstance(running, postgres.Server)
    return running


def _add_redis(plan: Plan, supervisor: Supervisor) -> redis.RedisServer:
    program.say("up", f"Starting Redis in {plan.data_dir / 'redis'}")
    running = supervisor.add("Redis", lambda: redis.start(plan.data_dir / "redis"))
    assert isinstance(running, redis.RedisServer)
    return running


def _control_database(plan: Plan, server: postgres.Server) -> str:
    password = secret.kept(plan.data_dir / "control-password", secret.password)
    return create_database(server.dsn, CONTROL, owner=Owner(CONTROL, password))


def make_keys(plan: Plan) -> dict[str, str]:
    """The keys the user did not set, made once."""
    makers: dict[str, tuple[str, Callable[[], str]]] = {
        "LOCKSTEP_SECRET_KEY": ("secret-key", secret.signing_key),
        "LOCKSTEP_CREDENTIALS_KEY": ("credentials-key", secret.credentials_key),
    }
    return {
        name: secret.kept(plan.data_dir / file, make) for name, (file, make) in makers.items() if not plan.given(name)
    }


def watchdog_paths(plan: Plan) -> dict[str, str]:
    """Where web and watchdog meet; what the user set stays."""
    runtime_dir = plan.environment.get("WATCHDOG_RUNTIME_DIR") or str(plan.data_dir / "run")
    made = {
        "WATCHDOG_RUNTIME_DIR": runtime_dir,
        "WATCHDOG_RESTART_FLAG": str(Path(runtime_dir) / "lockstep_restart.flag"),
        "WATCHDOG_PID_FILE": str(Path(runtime_dir) / "gunicorn.pid"),
        "WATCHDOG_STATE_FILE": str(plan.data_dir / "restart_state.json"),
    }
    if not plan.given("WATCHDOG_RUNTIME_DIR"):
        Path(runtime_dir).mkdir(mode=0o700, exist_ok=True)
    return {name: value for name, value in made.items() if not plan.given(name)}


def environment_of_children(plan: Plan, made: Mapping[str, str]) -> dict[str, str]:
    """What every child gets to know."""
    return {
        "LOCKSTEP_LOG_FORMAT": "console",
        **plan.environment,
        **made,
        "LOCKSTEP_DATA_DIR": str(plan.data_dir),
        "GUNICORN_BIND": plan.bind.text,
        "PYTHONUNBUFFERED": "1",
    }


@dataclass(frozen=True)
class Crew:
    """Starts Lockstep's own programs under a supervisor."""

    plan: Plan
    supervisor: Supervisor
    environment: Mapping[str, str] = field(repr=False)

    def command(self, name: str, *arguments: str, extra: Mapping[str, str] | None = None) -> list[str]:
        """Run a management command to its end and return its lines marked `login: `; refuse when it fails."""
        logins: list[str] = []

        def hear(speaker: str, line: str) -> None:
            if line.startswith("login: "):
                logins.append(line.removeprefix("login: "))
            else:
                program.say(speaker, line)

        running = program.run(
            name,
            self._manage(name, *arguments),
            env={**self.environment, **(extra or {})},
            cwd=self.plan.base_dir,
            hear=hear,
        )
        self.supervisor.oversee(running.pid)
        try:
            status = running.finish()
        except KeyboardInterrupt:
            # Before the servers it uses, so that it does not end on a traceback about them.
            running.ask_to_stop()
            running.stop()
            raise
        self.supervisor.clear(running.pid)
        if status != 0:
            raise _command_failed(name, status)
        return logins

    def web(self) -> program.Program:
        """Start gunicorn."""
        configuration = self.plan.base_dir / "deploy" / "gunicorn.conf.py"
        argv = [sys.executable, "-m", "gunicorn", "-c", str(configuration), "dashboard.wsgi:application"]
        running = self.supervisor.add(
            "web", lambda: self._run("web", argv, WEB_PATIENCE_SECONDS, {"LOCKSTEP_WEB_POOL": "1"})
        )
        assert isinstance(running, program.Program)
        return running

    def workers(self) -> None:
        """Start the programs that work without a browser."""
        for number in range(1, WORKERS + 1):
            self._add(f"worker-{number}", "worker")
        self._add("scheduler", "scheduler")
        watchdog = [sys.executable, "-m", "migrations_app.watchdog"]
        self.supervisor.add("watchdog", lambda: self._run("watchdog", watchdog, WATCHDOG_PATIENCE_SECONDS, {}))
        if self.plan.demo:
            self.supervisor.add_later("The demonstration's practice", self._practice, once=True)

    def _practice(self) -> program.Program:
        """Rehearsals and drills, which need the servers for rehearsals and would keep the pages waiting."""
        return self._run("demo", self._manage("demo", "--practise"), WORKER_PATIENCE_SECONDS, {})

    def _add(self, name: str, command: str) -> None:
        self.supervisor.add(name, lambda: self._run(name, self._manage(command), WORKER_PATIENCE_SECONDS, {}))

    def _run(self, name: str, argv: list[str], patience: float, extra: Mapping[str, str]) -> program.Program:
        return program.run(name, argv, env={**self.environment, **extra}, cwd=self.plan.base_dir, patience=patience)

    def _manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.plan.base_dir / "manage.py"), *arguments]


def _command_failed(name: str, status: int) -> Refused:
    return Refused(
        "command_failed",
        f"`manage.py {name}` failed ({program.ending(status)}); its own lines are above.",
        not_done="Lockstep was not started, and what had been started is stopped again.",
        next_step="Correct what it names and start again.",
    )


def user_environment(data_dir: Path) -> dict[str, str]:
    """This process's environment without what settings took from the file of another `up`."""
    environment = dict(os.environ)
    runtime_env.forget(data_dir, environment)
    return environment
