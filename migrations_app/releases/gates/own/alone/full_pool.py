"""Every connection of a small pool on the real control database is held, and then somebody asks."""

from __future__ import annotations

import json
from dataclasses import asdict
from threading import Barrier, Event, Thread

from django.conf import settings

from migrations_app.releases.gates.own.alone.asking import ask, set_up

CONNECTIONS = 2  # the installation's own requests need the others
PATIENCE_S = 20.0


def main() -> None:
    settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = CONNECTIONS
    set_up()
    full, over = Barrier(CONNECTIONS + 1), Event()
    holders = [Thread(target=_hold, args=(full, over)) for _ in range(CONNECTIONS)]
    for holder in holders:
        holder.start()
    try:
        full.wait(PATIENCE_S)
        exhausted = ask()
    finally:
        over.set()
    for holder in holders:
        holder.join()
    print(json.dumps({"connections": CONNECTIONS, "full": asdict(exhausted), "after": asdict(ask())}))


def _hold(full: Barrier, over: Event) -> None:
    from django.db import connection

    try:
        connection.ensure_connection()
        full.wait(PATIENCE_S)
        over.wait(PATIENCE_S)
    finally:
        connection.close()


if __name__ == "__main__":
    main()
