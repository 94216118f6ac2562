"""`manage.py up`: everything Lockstep needs, in the foreground, from nothing; Ctrl-C stops all of it."""

from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand
from django.http.request import validate_host

from migrations_app.embedded import bind, given, house, lockfile, runtime_env, secret, terminal
from migrations_app.embedded.account import server_account
from migrations_app.embedded.home import make_home
from migrations_app.embedded.program import Program, say
from migrations_app.embedded.supervisor import Supervisor
from migrations_app.engine.errors import LockstepError

PAGE_SECONDS = 90.0
PASSWORD_FILE = "first-password"  # noqa: S105 - a file's name


class Command(BaseCommand):
    """Start the servers, prepare the database, run the programs."""

    help = "Run Lockstep with everything it needs in the foreground."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See interface: --no-demo, --bind, --data-dir."""
        parser.add_argument("--no-demo", action="store_true", help="no demonstration fleet, only one user")
        parser.add_argument("--bind", metavar="HOST:PORT", help="instead of GUNICORN_BIND")
        parser.add_argument("--data-dir", metavar="DIR", type=Path, help="instead of LOCKSTEP_DATA_DIR")

    def handle(self, *_: object, **options: Any) -> None:
        """Run until told to stop; 0 then, 1 when something was refused."""
        terminal.on_stop(_interrupt)
        _speak_in_lines()
        try:
            _up(_plan(options["bind"], options["data_dir"], demo=not options["no_demo"]))
        except LockstepError as error:
            self.stderr.write(error.sentence)
            sys.exit(1)
        except KeyboardInterrupt:
            say("up", "Stopped.")


class _Lines(logging.Handler):
    """What the servers' modules log comes out like everything else here."""

    def emit(self, record: logging.LogRecord) -> None:
        say("up", record.getMessage())


def _speak_in_lines() -> None:
    logger = logging.getLogger("migrations_app.embedded")
    logger.handlers, logger.propagate = [_Lines(logging.INFO)], False
    logger.setLevel(logging.INFO)


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _plan(bind_text: str | None, data_dir: Path | None, *, demo: bool) -> house.Plan:
    environment = house.user_environment(settings.LOCKSTEP_DATA_DIR)
    return house.Plan(
        base_dir=settings.BASE_DIR,
        data_dir=(data_dir or settings.LOCKSTEP_DATA_DIR).absolute(),
        bind=bind.parse(bind_text or environment.get("GUNICORN_BIND") or bind.DEFAULT),
        demo=demo,
        environment=environment,
    )


def _up(plan: house.Plan) -> None:
    """Refuse before anything starts; then run with the folder locked."""
    make_home(plan.data_dir, server_account())
    # Static files come straight from the source here; the web server only warns when this folder is missing.
    (plan.data_dir / "static").mkdir(exist_ok=True)
    lock = lockfile.hold(plan.data_dir / "up.lock", what="Lockstep")
    try:
        bind.ensure_free(plan.bind)
        given.check(plan.environment)
        _run(plan)
    finally:
        lock.release()


def _run(plan: house.Plan) -> None:
    """1. Servers. 2. Addresses for other terminals. 3. Commands. 4. Programs. 5. Watch until told to stop."""
    closed = terminal.closed()
    with Supervisor() as supervisor:
        try:
            made = {**house.make_keys(plan), **house.watchdog_paths(plan), **house.start_servers(plan, supervisor)}
            runtime_env.write(plan.data_dir, {**made, "GUNICORN_BIND": plan.bind.text})
            crew = house.Crew(plan, supervisor, house.environment_of_children(plan, made))
            logins = _prepare(crew)
            web = _start_programs(crew)
            _announce(plan, web, logins)
            supervisor.watch(until=closed)
        finally:
            _stop_in_peace(supervisor)
            runtime_env.remove(plan.data_dir)


def _stop_in_peace(supervisor: Supervisor) -> None:
    """From here on a second Ctrl-C only shortens the wait."""
    say("up", "Stopping everything. Ctrl-C again gives running jobs no more time.")
    terminal.on_stop(lambda *_: supervisor.hurry())


def _prepare(crew: house.Crew) -> list[str]:
    """Bring the database up to date; return the users whose password is still the generated one."""
    crew.command("migrate", "--noinput", "--verbosity", "0")
    password = secret.kept(crew.plan.data_dir / PASSWORD_FILE, secret.password)
    only = [] if crew.plan.demo else ["--admin-only"]
    logins = crew.command("ensure_demo_users", *only, extra={"LOCKSTEP_FIRST_PASSWORD": password})
    if crew.plan.demo and _exists("demo"):
        say("up", "Preparing the demonstration fleet")
        crew.command("demo")
    return logins


def _start_programs(crew: house.Crew) -> Program:
    web = crew.web()
    crew.workers()
    return web


def _exists(command: str) -> bool:
    if command in get_commands():
        return True
    say("up", f"There is no `manage.py {command}` in this version; it is left out.")
    return False


def _host(where: bind.Bind) -> str:
    """The name to call the pages by: this machine's own where that is allowed, else the first that is."""
    allowed: list[str] = settings.ALLOWED_HOSTS
    near = where.near.host
    if not allowed or validate_host(f"[{near}]" if ":" in near else near, allowed):
        return near
    return allowed[0].lstrip(".").strip("[]")


def _announce(plan: house.Plan, web: Program, logins: list[str]) -> None:
    host = _host(plan.bind)
    url = bind.Bind(host, plan.bind.port).url
    if not bind.wait_for_page(plan.bind, "/login", host=host, patience=PAGE_SECONDS, alive=lambda: web.poll() is None):
        say("up", f"{url}/login does not answer; the lines of `web` above say why.")
        return
    lines = ["", f"  Lockstep is running at {url}", ""]
    if logins:
        lines += [f"    {login}" for login in logins]
        lines += ["", f"    password  {secret.read(plan.data_dir / PASSWORD_FILE)}", ""]
    lines += [f"  Data are kept in {plan.data_dir}. Ctrl-C stops everything.", ""]
    sys.stdout.write("\n".join(lines) + os.linesep)
    sys.stdout.flush()
