"""Read a connection string into a value that never shows its password and holds no dangerous parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo

from migrations_app.engine.errors import Refused

MAX_LENGTH = 4096
DEFAULT_PORT = 5432
SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})

# Safe in anybody's hands; passed on as written.
PASSED_ON = frozenset(
    {
        "user", "password", "host", "port", "dbname", "sslmode", "sslnegotiation", "sslsni", "gssencmode",
        "channel_binding", "require_auth", "ssl_min_protocol_version", "ssl_max_protocol_version",
    }
)  # fmt: skip

# Harmless, but every session sets its own: accepted and dropped, since hosting companies' URLs carry them.
OVERRULED = frozenset(
    {
        "application_name", "fallback_application_name", "client_encoding", "connect_timeout", "keepalives",
        "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
    }
)  # fmt: skip

# They name files of this machine or an address other than the host shown: for the administrator only.
ADMINISTRATOR_ONLY = frozenset(
    {
        "hostaddr", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslcrldir", "sslcertmode",
        "krbsrvname", "gsslib",
    }
)  # fmt: skip

# What libpq would otherwise take from this process's environment or home directory. Without these a typed
# address could be sent the password of somebody else's database.
PINNED = {
    "password": "",
    "passfile": "/nonexistent/lockstep-reads-no-password-file",
    "options": "",
    "hostaddr": "",
    "gssencmode": "disable",
    "target_session_attrs": "any",
    "load_balance_hosts": "disable",
}
PINNED_WHEN_TYPED = {"sslcertmode": "disable"}


@dataclass(frozen=True, repr=False)
class Dsn:
    """The address of one database. The password lives in a field that no repr, str or error shows."""

    user: str
    host: str
    port: int
    dbname: str
    trusted: bool
    _parameters: tuple[tuple[str, str], ...]

    @property
    def safe(self) -> str:
        """The address without the password, for pages and logs."""
        return f"{self.user}@{self.host}:{self.port}/{self.dbname}"

    def __repr__(self) -> str:
        return f"Dsn({self.safe})"

    def __str__(self) -> str:
        return self.safe

    def conninfo(self) -> str:
        """The string for psycopg, password included: hand it on, never keep or print it."""
        pinned = PINNED if self.trusted else PINNED | PINNED_WHEN_TYPED
        return conninfo.make_conninfo("", **{**pinned, **dict(self._parameters)})

    def url(self) -> str:
        """The same as a URL, which is what most programs read from DATABASE_URL; hand it on, never keep or print it."""
        rest = dict(self._parameters)
        who = quote(rest.pop("user"), safe="")
        if password := rest.pop("password", ""):
            who += f":{quote(password, safe='')}"
        host, port, dbname = rest.pop("host"), rest.pop("port"), quote(rest.pop("dbname"), safe="")
        if host.startswith("/"):
            rest |= {"host": host, "port": port}
            where = ""
        else:
            where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"postgresql://{who}@{where}/{dbname}{'?' if rest else ''}{urlencode(rest, quote_via=quote)}"

    def in_database(self, dbname: str) -> Dsn:
        """The same server and user, another database."""
        parameters = {**dict(self._parameters), "dbname": dbname}
        return Dsn(self.user, self.host, self.port, dbname, self.trusted, tuple(sorted(parameters.items())))

    def as_user(self, user: str, password: str) -> Dsn:
        """The same database, another user."""
        parameters = {**dict(self._parameters), "user": user, "password": password}
        return Dsn(user, self.host, self.port, self.dbname, self.trusted, tuple(sorted(parameters.items())))


def parse(dsn: str, *, trusted: bool) -> Dsn:
    """Read a URL or `key=value` text; `trusted` means the machine's administrator wrote it, not a user."""
    given = _read(dsn)
    parameters = {name: value for name, value in given.items() if value and name not in OVERRULED}
    for name, value in parameters.items():
        _check_parameter(name, value, trusted=trusted)
    _check_complete(parameters)
    _check_host(parameters["host"], trusted=trusted)
    port = _port(parameters.get("port", str(DEFAULT_PORT)))
    return Dsn(
        user=parameters["user"],
        host=parameters["host"],
        port=port,
        dbname=parameters["dbname"],
        trusted=trusted,
        _parameters=tuple(sorted({**parameters, "port": str(port)}.items())),
    )


def _read(dsn: str) -> dict[str, str]:
    if not dsn.strip() or len(dsn) > MAX_LENGTH or any(ord(letter) < 32 for letter in dsn.strip()):
        raise _unreadable()
    try:
        return {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn.strip()).items()}
    except psycopg.Error as error:
        name = _unknown_parameter(dsn, str(error))
    except UnicodeDecodeError:
        name = None  # a percent-encoded byte that is no UTF-8
    raise _unreadable() if name is None else _wrong(name, "is not a connection parameter of PostgreSQL")


def _unknown_parameter(dsn: str, complaint: str) -> str | None:
    """The name libpq stumbled over, but only where it can't be a piece of an unquoted password."""
    found = re.fullmatch(r'invalid URI query parameter: "([a-zA-Z_]{1,40})"', complaint.strip())
    if found is None or "@" in dsn.partition("?")[2]:
        return None
    return found[1]


def _check_parameter(name: str, value: str, *, trusted: bool) -> None:
    if name in PASSED_ON:
        if name == "sslmode" and value not in SSL_MODES:
            raise _wrong("sslmode", "must be one of " + ", ".join(sorted(SSL_MODES)))
        return
    if name in ADMINISTRATOR_ONLY and (trusted or (name, value) == ("sslrootcert", "system")):
        return
    if name in ADMINISTRATOR_ONLY:
        raise _wrong(name, "may only be used in a connection string that the administrator keeps")
    raise _wrong(name, "is not allowed here")


def _check_complete(parameters: dict[str, str]) -> None:
    missing = [name for name in ("host", "user", "dbname") if not parameters.get(name)]
    if missing:
        raise Refused(
            "dsn_incomplete",
            f"The connection string names no {' and no '.join(missing)}.",
            not_done="No connection was opened.",
            next_step="Write it out in full: postgresql://user:password@host:5432/database.",
        )


def _check_host(host: str, *, trusted: bool) -> None:
    if "," in host:
        raise _wrong("host", "must name one server: a run needs to know which one it is on")
    if host.startswith("@"):
        raise _wrong("host", "must not be an abstract socket")
    if "@" in host:
        # A password with an @ that is not percent-encoded: its rest would be shown as the server's name.
        raise _unreadable()
    if "/" in host and not (trusted and host.startswith("/")):
        raise _wrong("host", "must be a server's name or address, not a path of this machine")
    if not (host.startswith("/") or _can_be_resolved(host)):
        raise _wrong("host", "has an empty part or one of more than 63 characters between its dots")


def _can_be_resolved(host: str) -> bool:
    """Whether the resolver takes it as a name at all; it would raise what no caller expects."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _port(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,5}", text) and 0 < int(text) < 65536:
        return int(text)
    raise _wrong("port", "must be one number between 1 and 65535")


def _wrong(name: str, why: str) -> Refused:
    return Refused(
        "dsn_parameter",
        f"The connection parameter “{name}” {why}.",
        not_done="No connection was opened.",
        next_step=f"Remove or correct “{name}”, or ask the administrator for an env: or file: reference.",
    )


def _unreadable() -> Refused:
    return Refused(
        "dsn_unreadable",
        "This is not a connection string that PostgreSQL understands.",
        not_done="No connection was opened.",
        next_step=(
            "Write postgresql://user:password@host:5432/database and percent-encode special characters "
            "of the password (a space is %20, an @ is %40, a / is %2F)."
        ),
    )
