"""Whatever is reported, signed, withdrawn, let pass or edited: no cutover with a gate that is not green."""

from __future__ import annotations

import random

import pytest
from django.db import transaction

from migrations_app.models import Environment
from migrations_app.permissions import ADMIN, ON_CALL, OPERATOR, RELEASE_MANAGER
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.registering import register_release
from tests.edge.fleet import make_environment, make_service
from tests.edge.people import person
from tests.edge.releases import make_chain
from tests.edge.test_query_counts import SCRIPT
from tests.releases.gates.model import CATALOGUE, World
from tests.sampling import sample

pytestmark = pytest.mark.django_db

SEQUENCES, TOGETHER = 5_000, 20
# Gates looked after before a sequence begins, for from nothing hardly one would get anywhere.
REPAIRED = (0, 6, 8, 8)
DOINGS = (12, 30)


@pytest.mark.parametrize("first", sample(range(0, SEQUENCES, TOGETHER), 250))
def test_no_cutover_ever_passes_a_gate_that_is_not_green(first: int) -> None:
    people = {
        "olga": person("olga", OPERATOR),
        "ann": person("ann", RELEASE_MANAGER),
        "omar": person("omar", ON_CALL),
        "rita": person("rita", RELEASE_MANAGER, OPERATOR),
    }
    service = make_service(people["olga"])
    make_chain(service)
    service.revisions.update(up_script=SCRIPT, down_script=SCRIPT)
    Environment.objects.filter(pk=make_environment(service, "test-eu", "test").pk).update(reachability="ok")
    edit_catalogue(service=service, content=CATALOGUE, note="eight small gates", by=person("ada", ADMIN))
    release = register_release(service=service, release_id=str(first), schema_rev="sc-11", by=people["olga"]).release
    common, done = World(release, people, "olga", "rita", random.Random(first)), 0
    created = 0
    for repaired, seed in sorted(
        (random.Random(seed).choice(REPAIRED), seed) for seed in range(first, first + TOGETHER)
    ):
        for _ in range(done, repaired):
            common.repair()
        done = repaired
        created += follow(common.from_here(random.Random(seed)))
    assert created, "no sequence came as far as a cutover, so nothing was proven"


def follow(world: World) -> int:
    """One sequence, taken back as a whole: how many cutovers it could begin."""
    done: list[str] = []
    with transaction.atomic():
        for _ in range(world.dice.randint(*DOINGS)):
            done.append(world.act())
            if world.dice.random() < 0.3 or world.may_cut_over:
                try:
                    world.try_to_cut_over()
                except AssertionError as error:
                    raise AssertionError(f"after {', '.join(done)}: {error}") from error
        transaction.set_rollback(True)
    return world.created
