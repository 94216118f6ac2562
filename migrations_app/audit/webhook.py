"""Send a note to the address that the administrator set; nothing else leaves the audit log by itself."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from migrations_app.engine.errors import LockstepError
from migrations_app.outbound.address import read_address, read_hosts
from migrations_app.outbound.asking import post_json
from migrations_app.outbound.guard import refuse_unusual

PATIENCE_S = 5.0


class NotSent(Exception):
    """It did not come through; the message says why, without the address's path, which may hold a secret."""


def refusal(url: str) -> str:
    """Why an address cannot be used as it is written; empty where it can."""
    try:
        refuse_unusual(read_address(url), read_hosts(settings.LOCKSTEP_OUTBOUND_HOSTS))
    except LockstepError as failure:
        return _told(url, failure)
    return ""


def send(url: str, content: Mapping[str, object]) -> None:
    """Raises NotSent."""
    try:
        hosts = read_hosts(settings.LOCKSTEP_OUTBOUND_HOSTS)
        answer = post_json(url, content, hosts=hosts, timeout_s=PATIENCE_S)
    except LockstepError as failure:
        raise NotSent(_told(url, failure)) from None
    if not 200 <= answer.status < 300:
        raise NotSent(f"it was answered {answer.status}")


def _told(url: str, failure: LockstepError) -> str:
    try:
        address = read_address(url)
    except LockstepError:
        return "it is no address that can be used: write https://HOST/PATH"
    return f"{failure.message.replace(address.text, address.host)} {failure.next_step}".rstrip(" .")
