"""What the demonstration practises once its pages are there: rehearsals that the workers carry out, and two drills.

Everything is done by the same verbs as on the pages and happens; what was practised before is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.conf import settings

from migrations_app.engine.errors import LockstepError
from migrations_app.fleet.drift import look_now
from migrations_app.management import demo_drill, demo_targets
from migrations_app.management.demo_fleet import BY_HAND, FLEET, GOOD, PRACTICES, PRACTISED, REHEARSED, SERVICE, Place
from migrations_app.management.demo_seed import FOLDER, Crew, Say, gather
from migrations_app.models import Drill, Environment, Rehearsal, SchemaDrift
from migrations_app.models.drill import OPEN_DRILL, DrillStatus
from migrations_app.rehearsals.actions import request_rehearsal
from migrations_app.rehearsals.drills.actions import abandon_drill


def practise(say: Say) -> None:
    """People may have changed the fleet: what is in the way is told, and what it is in the way of left out."""
    crew = gather()
    places = {place.name: place for place in FLEET}
    environments = {one.name: one for one in Environment.objects.filter(service__name=SERVICE)}
    for name, direction in REHEARSED:
        if name in environments:
            _or_say(say, partial(_rehearse, environments[name], direction, crew))
    if BY_HAND[0] in environments:
        _or_say(say, partial(_change_by_hand, places[BY_HAND[0]], environments[BY_HAND[0]], crew))
    if PRACTISED in environments:
        _or_say(say, partial(_drills, places[PRACTISED], environments[PRACTISED], crew))


def _or_say(say: Say, what: Callable[[], None]) -> None:
    try:
        what()
    except LockstepError as failure:
        say(failure.sentence)


def _rehearse(environment: Environment, direction: str, crew: Crew) -> None:
    if not Rehearsal.objects.filter(environment=environment).exists():
        request_rehearsal(environment=environment, direction=direction, by=crew.operator, reason="Before the weekend")


def _change_by_hand(place: Place, environment: Environment, crew: Crew) -> None:
    """Once, and read at once: the clock would find it within ten minutes."""
    _, head, file = BY_HAND
    if environment.head_revision == head and not SchemaDrift.objects.filter(environment=environment).exists():
        demo_targets.load(place, settings.BASE_DIR / FOLDER / file)
        look_now(environment=environment, by=crew.operator)


def _drills(place: Place, environment: Environment, crew: Crew) -> None:
    """One after the other, as long as nobody has moved the environment on."""
    ours = Drill.objects.filter(environment=environment, operator=crew.operator)
    for practice in PRACTICES:
        held = ours.filter(trigger_reason=practice.reason)
        if held.filter(status=DrillStatus.FINISHED).exists():
            continue
        for left in held.filter(status__in=OPEN_DRILL):
            abandon_drill(left, by=crew.operator, reason="Lockstep was stopped in the middle of it")
            demo_drill.put_back(environment, crew.operator)
        environment.refresh_from_db()
        if environment.head_revision != GOOD:
            return
        demo_drill.hold(place, environment, practice, by=crew.operator)
