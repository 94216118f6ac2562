"""Where a lane works, and what all lanes share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from tests.faults.draft import Draft
from tests.faults.files import Exchange
from tests.faults.outcome import Tally
from tests.faults.plan import Placed
from tests.faults.pool import Pool
from tests.faults.proxy import Proxy
from tests.faults.scripts import Text


@dataclass(frozen=True)
class Shared:
    """What all lanes use."""

    exchange: Exchange
    tally: Tally
    operator: User
    pool: Pool
    chore: Callable[[str], bool]  # have the main thread do something to a server; whether it could
    flush_redis: Callable[[], bool]
    request_and_die: Callable[[int, str, str, Sequence[Placed]], bool]
    closing: threading.Event
    stuck_after_s: float


@dataclass(frozen=True)
class Site:
    """An environment, the way to its target past the proxy, and the proxy."""

    name: str
    environment: int
    address: str
    proxy: Proxy
    drafts: Sequence[Draft]
    spare: Sequence[Text]  # the chain after the last draft, for faults whose point did not come
