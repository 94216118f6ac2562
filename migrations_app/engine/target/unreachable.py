"""Turn a failed connection into one sentence: the reason, never the driver's own text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from migrations_app.engine.errors import ConnectionLost, LockstepError, Refused
from migrations_app.engine.target.dsn import Dsn


@dataclass(frozen=True)
class Reason:
    """`words` as PostgreSQL or the driver writes them; `passing` when waiting may help."""

    words: tuple[str, ...]
    code: str
    sentence: str
    next_step: str
    passing: bool = False


# libpq hands over no SQLSTATE before the session is open, so its words have to do. First match wins.
REASONS = (
    Reason(
        ("password authentication failed", "no password supplied", "authentication failed"),
        "wrong_password",
        "The server did not accept the user or the password.",
        "Check both, then enter the connection string again.",
    ),
    Reason(
        ("no pg_hba.conf entry", "pg_hba.conf rejects"),
        "not_admitted",
        "The server does not admit this user from this machine.",
        "Ask the database's administrator for an entry in pg_hba.conf.",
    ),
    Reason(
        ("is not permitted to log in", "permission denied for database"),
        "not_admitted",
        "This user may not log in to this database.",
        "Ask the database's administrator for the LOGIN and CONNECT rights.",
    ),
    Reason(
        ("not currently accepting connections",),
        "not_admitted",
        "This database accepts no connections.",
        "Ask its administrator to allow connections to it.",
    ),
    Reason(
        ("too many clients", "too many connections", "remaining connection slots", "no more connections"),
        "too_many_connections",
        "The server has no free connection slot.",
        "Close other sessions or wait, then try again.",
        passing=True,
    ),
    Reason(
        ("is starting up", "is shutting down", "is not yet accepting", "recovery mode"),
        "target_starting",
        "The server is starting or stopping.",
        "Wait until it accepts connections, then try again.",
        passing=True,
    ),
    Reason(
        ("does not exist",),
        "unknown_database",
        "The server has no such database or user.",
        "Check the name of the database and of the user.",
    ),
    Reason(
        ("failed to resolve", "could not translate host name"),
        "target_unreachable",
        "The host name is not known.",
        "Check the host name and the name service of this machine.",
        passing=True,
    ),
    Reason(
        ("connection refused", "no such file or directory"),
        "target_unreachable",
        "Nothing listens at this address.",
        "Check the host and port, and that the server is running.",
        passing=True,
    ),
    Reason(
        ("timeout", "timed out", "no route", "unreachable"),
        "target_unreachable",
        "The server did not answer in time.",
        "Check the network path and the firewall between this machine and the server.",
        passing=True,
    ),
    Reason(
        ("closed the connection unexpectedly", "connection reset"),
        "target_unreachable",
        "The other side closed the connection.",
        "Check that a PostgreSQL server listens at this address, and read its log.",
        passing=True,
    ),
    Reason(
        ("ssl", "certificate", "tls"),
        "tls_failed",
        "No encrypted connection with a certificate that checks out could be made.",
        "Check sslmode and the certificate authority of the connection string.",
    ),
)
UNKNOWN = Reason(
    (),
    "target_unreachable",
    "The connection failed for a reason Lockstep does not know.",
    "Read the server's own log for this moment.",
    passing=True,
)


def why_not(dsn: Dsn, complaint: str) -> LockstepError:
    """The named failure for what the driver said about this address."""
    reason = _reason(complaint)
    kind = ConnectionLost if reason.passing else Refused
    return kind(
        reason.code,
        f"Cannot connect to {dsn.safe}: {reason.sentence}",
        not_done="Nothing was sent to the database.",
        next_step=reason.next_step,
    )


def _reason(complaint: str) -> Reason:
    # Names are quoted in it, and a user may well be called "timeout".
    spoken = re.sub(r"\"[^\"]*\"|'[^']*'", "", complaint).lower()
    return next((reason for reason in REASONS if any(word in spoken for word in reason.words)), UNKNOWN)
