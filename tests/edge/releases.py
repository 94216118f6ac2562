"""A chain that declares schemas, environments along it and releases, as plain rows."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.audit.record import record
from migrations_app.models import Environment, Release, Service
from migrations_app.releases.gates.changing import object_of
from tests.edge.fleet import make_environment, make_receipt, make_revision

# Names whose order as text is not their order in the chain; the second has two revisions, the fourth none of its own.
CHAIN = ("sc-9", "sc-10", "sc-10", "", "sc-11", "sc-2")


def make_chain(service: Service, names: tuple[str, ...] = CHAIN) -> None:
    for position, name in enumerate(names, start=1):
        make_revision(service, position, schema_rev=name)


def make_standing(service: Service, name: str, revisions: int, **fields: object) -> Environment:
    """An environment with the first so many revisions applied."""
    environment = make_environment(service, name, order=service.environments.count() + 1)
    for seq in range(1, revisions + 1):
        make_receipt(environment, seq)
    if fields:
        Environment.objects.filter(pk=environment.pk).update(**fields)
    environment.refresh_from_db()
    return environment


def make_release(service: Service, by: User, release_id: str, low: str, high: str = "") -> Release:
    high = high or low
    with transaction.atomic():
        made = Release.objects.create(
            service=service, release_id=release_id, schema_rev=high, schema_rev_min=low, schema_rev_max=high,
            created_by=by,
        )  # fmt: skip
        told = ("schema_rev", "schema_rev_min", "schema_rev_max", "index_hash", "secrets_rev", "commit", "artefacts")
        after = {"release": made.pk, "by": by.pk, "head_revision": "", **{name: getattr(made, name) for name in told}}
        record(actor=by, action="release.register", object=object_of(made), after=after)
    return made
