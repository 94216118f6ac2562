"""What may stand in an address at all, and the administrator's list of hosts; nothing is looked up here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

from migrations_app.engine.errors import Refused

LONGEST = 2000
PORTS = {"https": 443, "http": 80}
_PLAIN = re.compile(r"[!-\[\]-~]+\Z")  # ASCII that can be seen, without the backslash, which browsers read as a slash
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,62})"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\Z")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")


@dataclass(frozen=True)
class Address:
    """`host` is a name or the usual form of an IP address, in small letters and without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def text(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


@dataclass(frozen=True)
class Host:
    """One that may be asked although it lies inside, and by http; `port` None: at the usual ports."""

    name: str
    port: int | None = None

    def covers(self, address: Address) -> bool:
        ports = PORTS.values() if self.port is None else (self.port,)
        return self.name == address.host and address.port in ports


def read_address(url: str) -> Address:
    """Raises Refused("bad_address") that says what is wrong with it."""
    if len(url) > LONGEST or not _PLAIN.match(url):
        raise bad(url, f"is longer than {LONGEST} characters, or holds a blank, a backslash or a letter beyond ASCII")
    parts = _split(url)
    if parts.scheme not in PORTS:
        raise bad(url, "is no http or https address")
    if "@" in parts.netloc:
        raise bad(url, "holds a user or a password")
    host, port = _host_and_port(url, parts)
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return Address(parts.scheme, host, port or PORTS[parts.scheme], path)


def read_hosts(entries: Iterable[str]) -> tuple[Host, ...]:
    """`host` or `host:port` each. Raises Refused("bad_address") that names the entry."""
    return tuple(_entry(entry) for entry in entries)


def bad(what: str, why: str) -> Refused:
    return Refused(
        "bad_address",
        f"{what[:200]!r} {why}.",
        not_done="Nothing was asked.",
        next_step="Write https://HOST/PATH, with the host's name as the name service knows it.",
    )


def _entry(entry: str) -> Host:
    if "/" in entry or "@" in entry:
        raise bad(entry, "is no host, and no host:port")
    return Host(*_host_and_port(entry, _split(f"//{entry}")))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise bad(url, "cannot be read as an address") from None


def _host_and_port(told: str, parts: SplitResult) -> tuple[str, int | None]:
    host = parts.hostname or ""
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise bad(told, "has no port from 1 to 65535")
    if not _is_ip(host) and (not _NAME.match(host) or _NUMBER.match(host.rpartition(".")[2])):
        # A resolver would read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses too.
        raise bad(told, "names no host")
    return host, port


def _is_ip(host: str) -> bool:
    if "%" in host:
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
