"""Where an environment stands among the others, and its health address: what can be edited later."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from migrations_app.engine.errors import Refused
from migrations_app.fleet.names import check_name

ORDER_LIMIT = 9999


@dataclass(frozen=True)
class Place:
    """Stage and region are names, order is theirs from left to right; the region and the address may be empty."""

    stage: str
    region: str
    order: int
    health_url: str

    def check(self) -> None:
        check_name("stage", self.stage)
        if self.region:
            check_name("region", self.region)
        if not -ORDER_LIMIT <= self.order <= ORDER_LIMIT:
            raise _bad("bad_order", f"The order {self.order} is out of range.", f"Use at most ±{ORDER_LIMIT}.")
        _check_health_url(self.health_url)


def _check_health_url(url: str) -> None:
    if not url:
        return
    next_step = "Use http:// or https:// and a host, without a user or password, at most 500 characters."
    if len(url) > 500 or not url.isprintable() or " " in url:
        raise _bad("bad_health_url", "The health address is too long or holds spaces.", next_step)
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        good = good and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise _bad("bad_health_url", "The health address is no plain http or https address.", next_step)


def _bad(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done="Nothing was stored.", next_step=next_step)
