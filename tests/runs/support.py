"""A service with one environment on a real target, and the verbs in a line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from django.contrib.auth.models import Group, User

from migrations_app.admission.door import start_run
from migrations_app.engine.contract.receipts import Receipt, read_after
from migrations_app.fleet.environments import add_environment
from migrations_app.fleet.revisions import Put, put_revision
from migrations_app.fleet.services import create_service
from migrations_app.jobs.apply import execute
from migrations_app.models import Environment, Run, Service


def person(name: str, *roles: str) -> User:
    """Olga operates, Ann manages releases, Vic views, Adam administers."""
    user, _ = User.objects.get_or_create(username=name)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


@dataclass
class Fleet:
    """One service, one environment; `url` is the target's superuser address."""

    service: Service
    environment: Environment
    olga: User
    url: str

    def put(self, revision_id: str, up: str, **more: Any) -> Put:
        return put_revision(service=self.service, revision_id=revision_id, up=up, by=self.olga, **more)

    def start(self, direction: str = "up", to: str | None = None, **more: Any) -> Run:
        return start_run(environment=self.environment, direction=direction, to=to, by=self.olga, **more).run

    def apply(self, direction: str = "up", to: str | None = None) -> Run:
        run = self.start(direction, to)
        execute(run.pk)
        run.refresh_from_db()
        self.environment.refresh_from_db()
        return run

    def receipts(self) -> tuple[Receipt, ...]:
        with psycopg.connect(self.url, autocommit=True) as conn:
            return read_after(conn, 0)

    def value(self, query: str) -> object:
        with psycopg.connect(self.url, autocommit=True) as conn:
            row = conn.execute(query).fetchone()
            assert row is not None
            return row[0]


def make_fleet(url: str, *, service: str = "shop", name: str = "dev-eu") -> Fleet:
    adam = person("adam", "admin")
    created = create_service(name=service, by=adam)
    environment = add_environment(
        service=created, name=name, stage="dev", region="eu", order=1, dsn=url, health_url="", by=adam
    )
    return Fleet(created, environment, person("olga", "operator"), url)
