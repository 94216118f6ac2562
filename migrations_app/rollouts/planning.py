"""What a cutover would do in each environment, and everything that is in its way, before anybody starts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.models import User

from migrations_app.admission.conditions import Condition
from migrations_app.admission.door import Preview, preview
from migrations_app.engine.errors import Refused
from migrations_app.fleet.production import is_called_production
from migrations_app.models import Cutover, Environment, EnvironmentRelease, Release, Revision, Service
from migrations_app.models.environment import Reachability
from migrations_app.permissions import may
from migrations_app.releases.contracts import fits
from migrations_app.releases.gates.judging import Verdict
from migrations_app.releases.gates.pending import head_of
from migrations_app.releases.gates.reading import database_now, judged
from migrations_app.releases.schema_chain import read_schema_chain
from migrations_app.statuses import CUTOVER_OPEN

NOT_DONE = "No cutover was created and nothing was changed."
OWN_SIGNATURES = (
    "Every gate passes, but neither your own signatures nor exemptions that you approved count for a cutover that you "
    "start: somebody else has to start it."
)
NOTHING_TO_DO = "nothing_to_do"
_OF_NO_MATTER = frozenset({NOTHING_TO_DO, "frozen"})  # where nothing would be applied


@dataclass(frozen=True)
class Stop:
    """One environment of the plan, in the order in which they come. `preview` is None where nothing is applied."""

    environment: Environment
    preview: Preview | None
    runs: str = ""  # the release that it runs now
    refuses: tuple[Condition, ...] = ()  # the release would not start on the schema that stands there

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return (*(self.preview.conditions if self.preview else ()), *self.refuses)


@dataclass(frozen=True)
class Window:
    """When it is meant to happen; both None: any time."""

    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True)
class CutoverPlan:
    """`conditions` are those of the cutover as a whole; each stop has its own beside them.

    `remark` tells who asks that nothing but their own signatures, which do not count here, keeps the gates back.
    """

    release: Release
    verdict: Verdict
    head: str
    stops: tuple[Stop, ...]
    conditions: tuple[Condition, ...]
    remark: str = ""

    @property
    def ready(self) -> bool:
        return not self.conditions and not any(stop.conditions for stop in self.stops)


def cutover_plan(release: Release, names: Sequence[str] | None = None, *, by: User | None = None) -> CutoverPlan:
    """Look without creating anything; `names` are environments, None is all of the service.

    Where `by` may cut over the gates are judged as when that person starts it: their own signatures do not count.
    """
    found = environments_of(release.service, names)
    verdict, remark = judged_for(release, by if by and may(by, "cut_over") else None)
    head = head_of(release)
    running = dict(
        EnvironmentRelease.objects.filter(environment__in=found, until=None).values_list(
            "environment_id", "release__release_id"
        )
    )
    stops = tuple(_stop(release, environment, head, running.get(environment.pk, "")) for environment in found)
    conditions = (*gates_in_the_way(verdict, remark), *in_the_way(release, head, Window(), database_now()))
    if head and not any(stop.preview for stop in stops):
        conditions += live_already(release, found)
    return CutoverPlan(release, verdict, head, stops, conditions, remark)


def judged_for(release: Release, by: User | None) -> tuple[Verdict, str]:
    """As when this person starts it: their own signatures do not count. The remark tells where just that blocks."""
    stands = judged(release)
    verdict = stands.without([by.pk]) if by else stands.verdict
    return verdict, OWN_SIGNATURES if verdict.blocking and stands.verdict.ready else ""


def _stop(release: Release, environment: Environment, head: str, runs: str) -> Stop:
    plan = preview_up(environment, head) if head else None
    return Stop(environment, plan, runs, () if plan else past_its_window(release, environment, head))


def past_its_window(release: Release, environment: Environment, head: str) -> tuple[Condition, ...]:
    """For one that has nothing to get: nobody can tell what stands there, or it is past what the release takes."""
    if environment.reachability == Reachability.UNREACHABLE:
        told = f"What stands in {environment.name} cannot be told: its target cannot be reached."
        return (Condition("target_unknown", told, "It is compared every minute, and at once by “Compare now”."),)
    chain = read_schema_chain(release.service)
    doubt, _ = fits(release.schema_rev_min, release.schema_rev_max, chain, ())
    places = dict(
        Revision.objects.filter(
            service_id=release.service_id, revision_id__in=(head, environment.head_revision)
        ).values_list("revision_id", "position")
    )
    stands = places.get(environment.head_revision, 0)
    if not doubt and stands <= max(places.get(head, 0), chain.of(release.schema_rev_max)[0].last):
        return ()
    told = f"{environment.name} stands at {environment.head_revision}, which is past what {release.release_id} takes"
    return (
        Condition(
            "past_its_window",
            f"{told} ({doubt or f'{release.schema_rev_max} at most'}).",
            "Roll it back to there first, or cut a newer release over.",
        ),
    )


def preview_up(environment: Environment, head: str) -> Preview | None:
    """None where the environment stands at the release's revision, or above it, and nothing casts doubt on that."""
    found = preview(environment=environment, direction="up", to=head)
    doubts = tuple(condition for condition in found.conditions if condition.code not in _OF_NO_MATTER)
    if all(condition.code != NOTHING_TO_DO for condition in found.conditions):
        return found
    return replace(found, conditions=doubts) if doubts else None


def environments_of(service: Service, names: Sequence[str] | None) -> list[Environment]:
    """In the order of rollouts; where that says nothing, production comes last.

    Raises Refused("no_such_environment"), Refused("no_environment_named"), Refused("no_environment").
    """
    every = Environment.objects.filter(service=service).select_related("service").order_by("order", "name")
    in_order = sorted(every, key=lambda one: (one.order, is_called_production(one)))
    if names is not None and not names:
        raise refused("no_environment_named", "No environment was named.", "Name one, or leave them out for all.")
    found = [one for one in in_order if names is None or one.name in names]
    missing = sorted(set(names or ()) - {one.name for one in found})
    if missing:
        raise refused("no_such_environment", f"{service.name} has no environment {missing[0][:63]}.", "Name its own.")
    if not found:
        raise refused("no_environment", f"{service.name} has no environment to cut over to.", "Add one first.")
    return found


def gates_in_the_way(verdict: Verdict, remark: str = "") -> tuple[Condition, ...]:
    """`remark` tells what clears them where it is not that they lack something."""
    return tuple(
        Condition("gate_blocks", f"{gate.gate.title} blocks. {gate.sentence}", remark or "Have it shown and signed.")
        for gate in verdict.blocking
    )


def needed_to_carry(cutover: Cutover) -> str:
    """The permission of who starts it, and of whoever has it go on."""
    return "break_glass" if cutover.glass_id else "cut_over"


def stands_everywhere(release: Release) -> bool:
    """Whether a cutover has nothing left to do. Two queries at most."""
    environments = list(Environment.objects.filter(service_id=release.service_id))
    there = all(environment.head_revision == head_of(release) for environment in environments)
    return there and bool(live_already(release, environments))


def live_already(release: Release, environments: Sequence[Environment]) -> tuple[Condition, ...]:
    """Where none of them has anything to get: it may be that each runs the release as well."""
    running = EnvironmentRelease.objects.filter(release=release, until=None).values_list("environment_id", flat=True)
    if {one.pk for one in environments} - set(running):
        return ()
    names = ", ".join(one.name for one in environments)
    told = f"{release.release_id} is live there already ({names}), and nothing is left to apply."
    return (Condition("already_live", told, "Nothing is left to do."),)


def in_the_way(release: Release, head: str, window: Window, now: datetime) -> tuple[Condition, ...]:
    """What keeps the cutover as a whole back, beside its gates."""
    found = []
    if not head:
        told = f"No revision declares {release.schema_rev} any more, so where it ends cannot be told."
        found.append(Condition("release_unknown", told, "Register the release anew."))
    found += other_open(release)
    if window.begins and now < window.begins:
        found.append(Condition("too_early", "Its planned window has not begun.", "Start it in its window."))
    if window.ends and now >= window.ends:
        found.append(Condition("too_late", "Its planned window is over.", "Plan another one."))
    return tuple(found)


def other_open(release: Release, but: int = 0) -> list[Condition]:
    """The cutover of the service that is not finished, if there is one beside `but`."""
    others = Cutover.objects.filter(service_id=release.service_id, status__in=sorted(CUTOVER_OPEN)).exclude(pk=but)
    other = others.select_related("release").first()
    if other is None:
        return []
    told = f"Cutover {other.pk} of {other.release.release_id} is not finished."
    return [Condition("cutover_open", told, "It has to end, be given up or taken back first.")]


def refused(code: str, message: str, next_step: str) -> Refused:
    return Refused(code, message, not_done=NOT_DONE, next_step=next_step)
