"""Send a note to the address that the administrator set; nothing else leaves the audit log by itself."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Mapping
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from django.conf import settings

PATIENCE_S = 5.0


class NotSent(Exception):
    """It did not come through; the message says why, without the address, which may hold a secret."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def refusal(address: str) -> str:
    """Why an address cannot be used as it is written; empty where it can."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "it is no address"
    if not host or parts.scheme not in ("https", "http"):
        return "it wants https://HOST/PATH"
    if parts.scheme == "http" and host not in settings.LOCKSTEP_OUTBOUND_HOSTS:
        return f"{host} is not named in LOCKSTEP_OUTBOUND_HOSTS, and without that it has to be https"
    return ""


def post_json(address: str, content: Mapping[str, object]) -> None:
    """Raises NotSent."""
    if why := refusal(address) or _inside(urlsplit(address).hostname or ""):
        raise NotSent(why)
    request = Request(  # noqa: S310  the scheme was looked at
        address, json.dumps(content).encode(), {"Content-Type": "application/json", "User-Agent": "lockstep"}
    )
    try:
        with build_opener(_NoRedirects(), ProxyHandler({})).open(request, timeout=PATIENCE_S) as answer:
            answer.read(1024)
    except HTTPError as error:
        error.close()
        raise NotSent(f"it was answered {error.code}") from None
    except (OSError, HTTPException) as error:
        raise NotSent(f"it could not be reached ({type(getattr(error, 'reason', error)).__name__})") from None


def _inside(host: str) -> str:
    """Addresses of this machine and its network are for hosts that the administrator named."""
    if host in settings.LOCKSTEP_OUTBOUND_HOSTS:
        return ""
    try:
        found = {one[4][0] for one in socket.getaddrinfo(host, None)}
    except OSError:
        return "its host is not known"
    if all(ipaddress.ip_address(str(one).partition("%")[0]).is_global for one in found):
        return ""
    return f"{host} is inside this network and is not named in LOCKSTEP_OUTBOUND_HOSTS"
