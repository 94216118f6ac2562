"""Requests runs in processes that die between the COMMIT of the request and its wake-up.

Run as `python -m tests.faults.requester`: it reads one request per line and answers each with the child's end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import django

from tests.faults.files import Exchange, Order


@dataclass(frozen=True)
class Request:
    environment: int
    user: int
    to: str
    key: str
    exchange: str
    orders: tuple[Order, ...]

    def text(self) -> str:
        return json.dumps(asdict(self))


def read_request(text: str) -> Request:
    raw = json.loads(text)
    return Request(**{**raw, "orders": tuple(Order(**order) for order in raw["orders"])})


def main() -> None:
    django.setup()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _request_and_die(read_request(line))
        status = os.waitpid(child, 0)[1]
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _request_and_die(request: Request) -> None:
    """SIGKILL in the first callback after the COMMIT; any other end is told by the exit status."""
    from django.contrib.auth.models import User
    from django.db import OperationalError, transaction

    from migrations_app.admission.door import start_run
    from migrations_app.models import Environment
    from migrations_app.runs import actions

    try:
        actions._on_wake[:] = [lambda run_id: os.kill(os.getpid(), signal.SIGKILL)]
        with transaction.atomic():
            started = start_run(
                environment=Environment.objects.get(pk=request.environment),
                direction="up",
                to=request.to,
                by=User.objects.get(pk=request.user),
                idempotency_key=request.key,
            )
            Exchange(Path(request.exchange)).give_orders(started.run.pk, request.orders)
    except OperationalError:
        pass  # the control database is away as well; the lane asks again, without this fault
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
