"""What one web process has drawn, for the others: in Redis for half a minute, and never waited for.

A name in Redis is made of the version, the code that draws and this installation's secret, so that nobody is shown what
another release or another Lockstep has drawn; what stands there is signed, so that nobody else can put a page there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from threading import BoundedSemaphore, Lock

import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

# A page is drawn in a few milliseconds, so whoever asks waits no longer for one that may be there.
READ_S = 0.008
WRITE_S = 0.3
KEPT_S = 30
LEFT_ALONE_S = 10.0
LARGEST = 500_000
BACKLOG = 8
_SIGNED = 32

logger = structlog.get_logger(__name__)


@dataclass
class _Side:
    """This process's connections to Redis; after a failure it is left alone for a while, so that no page pays twice."""

    lock: Lock = field(default_factory=Lock)
    reader: Redis | None = None
    writer: Redis | None = None
    thread: ThreadPoolExecutor | None = None
    free: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(BACKLOG))
    ok: bool = True
    again_at: float = 0.0


_side = _Side()


def expected() -> bool:
    return bool(settings.ROUTE_CACHE == "l1+l2")


def available() -> bool:
    """As it was found last; a process that has not asked yet takes it for granted."""
    return expected() and _side.ok


def mode() -> str:
    if settings.ROUTE_CACHE == "none":
        return "none"
    return "l1+l2" if available() else "l1-only"


def get(name: str, version: str) -> tuple[str, ...] | None:
    if not expected() or time.monotonic() < _side.again_at:
        return None
    key = _key(name, version)
    try:
        found: object = _reader().get(key)
    except RedisTimeout:
        # One that is slow still serves; whether it answers at all is found out beside the requests.
        _side.again_at = time.monotonic() + LEFT_ALONE_S
        return None
    except (RedisError, OSError) as failure:
        _failed(failure)
        return None
    return _opened(key, found) if isinstance(found, bytes) else None


def put(name: str, version: str, texts: tuple[str, ...]) -> None:
    """Beside the request; whoever comes while several wait is not shared."""
    if not expected() or time.monotonic() < _side.again_at or not _side.free.acquire(blocking=False):
        return
    _thread().submit(_put, name, version, texts)


def look() -> bool:
    """Whether Redis answers, asked by who has time for it."""
    if not expected():
        return False
    try:
        _writer().ping()
    except (RedisError, OSError) as failure:
        _failed(failure)
    else:
        _worked()
        _side.again_at = 0.0
    return _side.ok


def forget() -> None:
    """As if this process had just begun."""
    global _side
    for client in (_side.reader, _side.writer):
        if client is not None:
            client.close()
    if _side.thread is not None:
        _side.thread.shutdown(wait=True)
    _side = _Side()


def _put(name: str, version: str, texts: tuple[str, ...]) -> None:
    try:
        key = _key(name, version)
        body = json.dumps(texts).encode()
        if len(body) <= LARGEST:
            _writer().set(key, _signature(key, body) + body, ex=KEPT_S)
            _worked()
    except (RedisError, OSError) as failure:
        _failed(failure)
    finally:
        _side.free.release()


def _opened(key: str, found: bytes) -> tuple[str, ...] | None:
    body = found[_SIGNED:]
    if not hmac.compare_digest(found[:_SIGNED], _signature(key, body)):
        logger.warning("route_cache.not_ours", key=key)
        return None
    return tuple(json.loads(body))


def _key(name: str, version: str) -> str:
    told = f"{name} {version} {_code()}".encode()
    return f"lockstep:drawn:{hmac.digest(_secret(), told, 'sha256').hex()}"


def _signature(key: str, body: bytes) -> bytes:
    return hmac.digest(_secret(), key.encode() + b" " + body, "sha256")


def _secret() -> bytes:
    return f"drawn pages {settings.SECRET_KEY}".encode()


@cache
def _code() -> str:
    """Of everything that draws."""
    told = hashlib.sha256()
    for folder in ("dashboard", "migrations_app", "templates"):
        for path in sorted((settings.BASE_DIR / folder).rglob("*")):
            if path.suffix in (".py", ".sql", ".html", ".json"):
                told.update(f"{path.relative_to(settings.BASE_DIR)} {path.stat().st_size} ".encode())
                told.update(path.read_bytes())
    return told.hexdigest()


def _failed(failure: Exception) -> None:
    if _side.ok:
        logger.warning("route_cache.redis", cause=" ".join(str(failure).split()))
    _side.ok, _side.again_at = False, time.monotonic() + LEFT_ALONE_S


def _worked() -> None:
    _side.ok = True


def _reader() -> Redis:
    with _side.lock:
        if _side.reader is None:
            _side.reader = _client(READ_S)
        return _side.reader


def _writer() -> Redis:
    with _side.lock:
        if _side.writer is None:
            _side.writer = _client(WRITE_S)
        return _side.writer


def _client(patience_s: float) -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=patience_s,
        socket_connect_timeout=patience_s,
        retry=Retry(NoBackoff(), 0),
    )


def _thread() -> ThreadPoolExecutor:
    with _side.lock:
        if _side.thread is None:
            _side.thread = ThreadPoolExecutor(1, "drawn-pages")
        return _side.thread
