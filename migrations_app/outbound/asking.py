"""One request: the name is looked up once, and that very place is asked, under the name, without redirect or proxy."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from migrations_app.engine.errors import LockstepError
from migrations_app.outbound.address import Address, Host, read_address
from migrations_app.outbound.guard import refuse_denied, refuse_unusual
from migrations_app.outbound.limit import Limit, within

MOST_BYTES = 64 * 1024
_MOST_PLACES = 4
_HEADERS = {"Accept": "application/json, */*;q=0.5", "User-Agent": "lockstep-check"}


@dataclass(frozen=True)
class Answer:
    """The names of headers are in small letters. `whole` false: there was more than is read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool


class NoAnswer(LockstepError):
    """Nobody answered, or not in time or not as HTTP has it; the message says which."""

    def __init__(self, method: str, address: Address, why: str) -> None:
        super().__init__("no_answer", f"{method} {address.text}: {why}.")


@dataclass(frozen=True)
class _Request:
    """Without a body it is a GET, with one a POST."""

    address: Address
    body: bytes | None = None

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"

    @property
    def headers(self) -> Mapping[str, str]:
        return _HEADERS if self.body is None else {**_HEADERS, "Content-Type": "application/json"}


def get(url: str, *, hosts: Sequence[Host], timeout_s: float) -> Answer:
    """Raises Refused for what is not asked, NoAnswer."""
    return _send(_Request(read_address(url)), hosts, timeout_s)


def post_json(url: str, content: Mapping[str, object], *, hosts: Sequence[Host], timeout_s: float) -> Answer:
    """Raises Refused for what is not told anything, NoAnswer."""
    return _send(_Request(read_address(url), json.dumps(content).encode()), hosts, timeout_s)


def _send(request: _Request, hosts: Sequence[Host], timeout_s: float) -> Answer:
    address = request.address
    refuse_unusual(address, hosts)
    with within(timeout_s) as limit:
        try:
            return _ask(request, hosts, limit, timeout_s)
        except (OSError, http.client.HTTPException) as error:
            why = f"no answer within {timeout_s:g} s" if limit.over else _why(address, error, timeout_s)
    raise NoAnswer(request.method, address, why)


def resolve(host: str, port: int) -> tuple[str, ...]:
    """The IP addresses of a name, as the machine's resolver gives them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(place[4][0]) for place in found))


def _ask(request: _Request, hosts: Sequence[Host], limit: Limit, timeout_s: float) -> Answer:
    address = request.address
    places = resolve(address.host, address.port)
    for place in places:
        refuse_denied(address, place, hosts)
    if limit.over:
        raise TimeoutError
    with closing(_connection(address, timeout_s)) as connection:
        # With a socket of its own the connection looks nothing up itself.
        connection.sock = _connect(address, places[:_MOST_PLACES], limit, timeout_s)
        connection.request(request.method, address.path, request.body, headers=dict(request.headers))
        response = connection.getresponse()
        body = response.read(MOST_BYTES + 1)
        if limit.over:
            raise TimeoutError
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body[:MOST_BYTES], len(body) <= MOST_BYTES)


def _connection(address: Address, timeout_s: float) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    return kind(address.host, address.port, timeout=timeout_s)


def _connect(address: Address, places: Sequence[str], limit: Limit, timeout_s: float) -> socket.socket:
    """To the first of the places that takes it; a certificate has to be of the name, not of the place."""
    failure: OSError = OSError("no place to connect to")
    for place in places:
        try:
            opened = socket.create_connection((place, address.port), timeout=timeout_s)
        except OSError as error:
            failure = error
            continue
        limit.guard(opened)
        return opened if address.scheme == "http" else _encrypted(address, opened, limit)
    raise failure


def _encrypted(address: Address, opened: socket.socket, limit: Limit) -> socket.socket:
    context = ssl.create_default_context()
    wrapped = context.wrap_socket(opened, server_hostname=address.host, do_handshake_on_connect=False)
    limit.guard(wrapped)
    try:
        wrapped.do_handshake()
    except OSError:
        wrapped.close()
        raise
    return wrapped


def _why(address: Address, error: Exception, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, socket.gaierror):
        return f"the name {address.host} is not known"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not check out ({error.verify_message})"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    return f"no answer ({type(error).__name__})"
