"""Which rehearsal server a target's major version gets, asked of the servers themselves."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from django.conf import settings

from migrations_app.embedded.wheels import POSTGRES_FOLDERS, postgres_bin
from migrations_app.engine.clone.server import APPLICATION, SETTING, RehearsalServer
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import parse

# A server keeps its major version while this process lives; one that did not answer is asked again.
_majors: dict[str, int] = {}


def rehearsal_servers() -> tuple[RehearsalServer, ...]:
    """Those that answer, in the order of the setting: what was left behind may be on any of them."""
    servers = []
    for address in settings.LOCKSTEP_REHEARSAL_SERVERS:
        try:
            servers.append(_at(address))
        except LockstepError:
            continue  # whoever needs this very one is told by rehearsal_server()
    return tuple(servers)


def rehearsal_server(major: int) -> RehearsalServer:
    """The first server of that major version. Raises Refused("no_rehearsal_server")."""
    problems: list[str] = []
    for address in sorted(settings.LOCKSTEP_REHEARSAL_SERVERS, key=lambda one: _majors.get(one) != major):
        try:
            server = _at(address)
        except LockstepError as failure:
            problems.append(failure.message)
            continue
        if server.major == major:
            return server
        problems.append(f"{server.dsn.safe} runs {server.major}.")
    raise _missing(major, problems)


def programs_for(major: int) -> Path:
    """The folder of the oldest pg_dump that knows this major version: a newer one writes settings it does not know."""
    fitting = [one for one in sorted(POSTGRES_FOLDERS) if one >= major]
    if not fitting:
        raise Refused(
            "rehearsal_server_too_new",
            f"The newest pg_dump here is of PostgreSQL {max(POSTGRES_FOLDERS)}; it cannot read {major}.",
            not_done="No clone was made.",
            next_step="Upgrade Lockstep.",
        )
    return postgres_bin(fitting[0])


def _at(address: str) -> RehearsalServer:
    dsn = parse(address, trusted=True)
    if address not in _majors:
        with closing(open_session(dsn, application_name=APPLICATION)) as conn:
            _majors[address] = conn.info.server_version // 10000
    return RehearsalServer(dsn, _majors[address], programs_for(_majors[address]))


def _missing(major: int, problems: list[str]) -> Refused:
    return Refused(
        "no_rehearsal_server",
        f"There is no rehearsal server of PostgreSQL {major}. {' '.join(problems) or f'{SETTING} names none.'}",
        not_done="No clone was made.",
        next_step=f"Add the address of a spare PostgreSQL {major} server to {SETTING}, or start the one that is there.",
    )
