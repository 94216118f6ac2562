"""Which PostgreSQL versions a target may run, and how a version number is spoken."""

from __future__ import annotations

from migrations_app.engine.errors import Refused

# client_connection_check_interval, on which a worker's sudden death relies, came with 14.
OLDEST = 140000


def spoken(server_version_num: int) -> str:
    """`150018` is 15.18, `90624` is 9.6.24."""
    if server_version_num >= 100000:
        return f"{server_version_num // 10000}.{server_version_num % 10000}"
    return f"{server_version_num // 10000}.{server_version_num // 100 % 100}.{server_version_num % 100}"


def require_version(server_version_num: int) -> None:
    """Refuse a server older than Lockstep's promises need."""
    if server_version_num >= OLDEST:
        return
    raise Refused(
        "server_too_old",
        f"The target runs PostgreSQL {spoken(server_version_num)}; Lockstep needs 14 or newer.",
        not_done="Nothing was changed in the target.",
        next_step="Upgrade the server, then add the environment again.",
    )
