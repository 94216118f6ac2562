"""The environment as typed values: every secret also as NAME_FILE, every bad value named at start.

When `manage.py up` runs embedded servers it leaves their addresses in `<data dir>/runtime.env`, so that a
command typed in another terminal finds the same servers.
"""

from __future__ import annotations

import math
import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from migrations_app.watchdog import contract, policy
from migrations_app.watchdog.contract import RuntimeContract

BASE_DIR = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    return Path(os.environ.get("LOCKSTEP_DATA_DIR") or BASE_DIR / ".lockstep").absolute()


def load_runtime_env() -> None:
    """Fill in what is not set from the file that a running `manage.py up` keeps."""
    path = data_dir() / "runtime.env"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    for line in lines:
        name, separator, value = line.partition("=")
        if separator and f"{name}_FILE" not in os.environ:
            os.environ.setdefault(name, value)


def text(name: str, default: str = "") -> str:
    """The variable, or the content of the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name, default)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names {path!r}, which cannot be read ({error.strerror}). "
            f"Give a readable file, or set {name} itself."
        ) from None


def number(name: str, default: float, most: float = math.inf) -> float:
    value = text(name)
    if not value:
        return default
    try:
        parsed = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; it wants a number, such as {default:g}.") from None
    if not parsed > 0:
        raise ImproperlyConfigured(f"{name} is {value!r}; it wants a number above zero.")
    if parsed > most:
        raise ImproperlyConfigured(f"{name} is {value!r}; it wants a number that is {most:g} at most.")
    return parsed


def count(name: str, default: int, most: float = math.inf) -> int:
    """A whole number above zero."""
    parsed = float(number(name, default, most))
    if not parsed.is_integer():
        raise ImproperlyConfigured(f"{name} is {text(name)!r}; it wants a whole number, such as {default}.")
    return int(parsed)


def number_or_off(name: str, default: float) -> float:
    """0 turns it off."""
    return 0.0 if text(name).strip() in ("0", "0.0") else number(name, default)


def choice(name: str, words: tuple[str, ...], default: str) -> str:
    given = text(name) or default
    if given not in words:
        raise ImproperlyConfigured(f"{name} is {given!r}; it wants one of {', '.join(words)}.")
    return given


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks, separated by commas or spaces."""
    try:
        return tuple(ip_network(word) for word in text(name).replace(",", " ").split())
    except ValueError as problem:
        raise ImproperlyConfigured(f"{name}: {problem}. It wants addresses and networks, such as 10.0.0.0/8.") from None


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if value in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if not value else value in ("1", "true", "yes", "on")
    raise ImproperlyConfigured(f"{name} is {value!r}; it wants true or false.")


# Of libpq's parameters: how the way to the database is protected, and which of several servers is meant.
PARAMETERS = {
    "channel_binding", "gssencmode", "keepalives", "keepalives_idle", "require_auth", "sslcert", "sslcrl", "sslkey",
    "sslmode", "sslnegotiation", "sslrootcert", "target_session_attrs", "tcp_user_timeout",
}  # fmt: skip


def database(name: str) -> dict[str, Any] | None:
    """Django's DATABASES entry from a PostgreSQL URL; None when it is not set."""
    url = text(name)
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/") or not _port_is_good(parts):
        raise ImproperlyConfigured(
            f"{name} is not a PostgreSQL address. It wants postgresql://USER:PASSWORD@HOST:PORT/DATABASE "
            "(the value is not repeated here, it may hold a password)."
        )
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    options = {key: value for key, value in query.items() if key not in ("host", "port")}
    unknown = sorted(options.keys() - PARAMETERS)
    if unknown:
        raise ImproperlyConfigured(
            f"{name} has the parameter {unknown[0]!r}, which Lockstep does not pass on. "
            f"Take it out; these are passed on: {', '.join(sorted(PARAMETERS))}."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", unquote(parts.hostname or "")),
        "PORT": query.get("port", str(parts.port or "")),
        "OPTIONS": options,
    }


def _port_is_good(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def redis_url(name: str) -> str:
    url = text(name)
    if url and urlsplit(url).scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(
            f"{name} is not a Redis address. It wants redis://HOST:PORT/0, rediss://… or unix:///PATH?db=0."
        )
    return url


def runtime_contract() -> RuntimeContract:
    try:
        return contract.read(os.environ, BASE_DIR)
    except contract.BadSetting as wrong:
        raise ImproperlyConfigured(str(wrong)) from None


def restart_rules() -> policy.Rules:
    try:
        return policy.rules(os.environ)
    except contract.BadSetting as wrong:
        raise ImproperlyConfigured(str(wrong)) from None
