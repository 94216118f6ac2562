"""Where a lane works, and what all lanes share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from tests.faults.files import Exchange
from tests.faults.outcome import Tally
from tests.faults.plan import Placed
from tests.faults.proxy import Proxy
from tests.faults.scripts import Text


@dataclass(frozen=True)
class Shared:
    """What all lanes use."""

    exchange: Exchange
    tally: Tally
    operator: User
    chore: Callable[[str], None]  # have the main thread do something to a server, and wait for it
    flush_redis: Callable[[], None]
    request_and_die: Callable[[int, str, str, Sequence[Placed]], bool]
    stops: Mapping[bool, threading.Semaphore]  # by whether the stop is a slow one
    closing: threading.Event
    stuck_after_s: float
    stale_s: float


@dataclass(frozen=True)
class Site:
    """An environment, the way to its target past the proxy, and the proxy."""

    name: str
    environment: int
    address: str
    proxy: Proxy
    texts: Sequence[Text]
    planned: int  # the revisions after these are only used to place faults that found no place before
