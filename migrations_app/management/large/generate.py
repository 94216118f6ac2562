"""One transaction that writes the whole history; statistics afterwards.

1. Users, services, revisions, environments: few rows, by the same readers as real ones.
2. plan.sql decides which run takes what where and when; ledger.sql, runs.sql and log.sql write it out.
3. Audit entries are chained to what the log holds already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from django.contrib.auth.models import User
from django.db import connection, transaction
from psycopg import sql

from migrations_app.engine.errors import Refused
from migrations_app.management.large.audit import append_history
from migrations_app.management.large.bulk import put_back, take_off
from migrations_app.management.large.chain import store_chain
from migrations_app.management.large.people import HANDS, ensure_people
from migrations_app.management.large.places import REFERENCE, Place, places
from migrations_app.management.large.sizes import Sizes
from migrations_app.models import Environment, Service
from migrations_app.models.environment import DsnKind, Reachability

SERVICE, SECOND = "marketplace", "loyalty"
SPAN = timedelta(days=3 * 365)
UNDONE_SHARE = 0.006  # of the runs: rolled back and applied again
LARGE = (
    "migrations_app_ledgerentry", "migrations_app_appliedrevision", "migrations_app_run", "migrations_app_runstep",
    "migrations_app_stepattempt", "migrations_app_runlogline",
)  # fmt: skip
NUMBERED = ("migrations_app_run", "migrations_app_runstep")
ANALYZED = (*LARGE, "migrations_app_revision", "migrations_app_environment", "migrations_app_auditentry")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    """A service with what it was given."""

    service: Service
    revisions: int
    releases: int
    places: list[Place]


def generate(sizes: Sizes, *, add: bool, say: Say, until: datetime | None = None) -> None:
    """Raises Refused for sizes that do not fit together, and for a fleet that exists."""
    sizes.check()
    moment = until or datetime.now(UTC).replace(microsecond=0)
    with transaction.atomic():
        _refuse_fleet(add)
        _run("begin")
        people = ensure_people()
        with _told(say, "revisions and environments"):
            made = _services(sizes, people[0], moment)
            _tell_plan(made, people[:HANDS], sizes.seed)
        rules = take_off(LARGE)
        _write_history(sizes, moment, say)
        with _told(say, "indexes and constraints"):
            put_back(rules)
        with _told(say, "audit entries"):
            append_history()
        _catch_up_numbers()
    with _told(say, "statistics"), connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(ANALYZED)}")


def _refuse_fleet(add: bool) -> None:
    names = set(Service.objects.values_list("name", flat=True))
    doubled = sorted(names & {SERVICE, SECOND})
    if not names or (add and not doubled):
        return
    why = f"has {len(names)} services" if not doubled else f"has the service {doubled[0]} already"
    raise Refused(
        "fleet_exists",
        f"The control database {why}: generated history would stand among what is real.",
        not_done="Nothing was generated.",
        next_step="Use an empty control database."
        if doubled
        else "Use an empty control database, or say --add to generate it beside them all the same.",
    )


def _services(sizes: Sizes, by: User, until: datetime) -> tuple[Made, Made]:
    main = _service(SERVICE, sizes.environments, sizes.revisions, sizes, by, until)
    return main, _service(SECOND, sizes.second_environments, sizes.second_revisions, sizes, by, until)


def _service(name: str, environments: int, revisions: int, sizes: Sizes, by: User, until: datetime) -> Made:
    service = Service.objects.create(name=name, created_by=by)
    store_chain(service, revisions, by=by, until=until, span=SPAN)
    releases = sizes.releases(revisions)
    main = name == SERVICE
    wanted = places(
        name,
        environments,
        most_behind=min(-(-sizes.frontier * releases // revisions), releases - 2) if releases > 2 else 0,
        seed=sizes.seed,
        unreachable=max(environments // 20, 1) if main else 0,
        drifted=sizes.drifted if main else 0,
    )
    Environment.objects.bulk_create(_environment(service, place, by, until) for place in wanted)
    Environment.objects.filter(service=service).update(created_at=until - SPAN)
    return Made(service, revisions, releases, wanted)


def _environment(service: Service, place: Place, by: User, until: datetime) -> Environment:
    """As of `until`; one that cannot be reached was compared for the last time three hours before."""
    return Environment(
        service=service,
        uid=place.uid,
        name=place.name,
        stage=place.stage,
        region=place.region,
        order=place.order,
        dsn_kind=DsnKind.ENV,
        dsn_reference=REFERENCE,
        target_name="none: generated history",
        server_version_num=180004,
        reachability=Reachability.OK if place.reachable else Reachability.UNREACHABLE,
        reachability_note="" if place.reachable else "The server did not answer within 5 s.",
        checked_at=until,
        reconciled_at=until if place.reachable else until - timedelta(hours=3),
        reconcile_note=place.note,
        created_by=by,
    )


def _tell_plan(made: tuple[Made, Made], hands: list[User], seed: int) -> None:
    """What plan.sql begins with."""
    with connection.cursor() as cursor:
        for one in made:
            cursor.execute(
                "INSERT INTO made_service VALUES (%s, %s, %s)", [one.service.pk, one.revisions, one.releases]
            )
            for place in one.places:
                cursor.execute(
                    "INSERT INTO made_place SELECT 1 + (SELECT count(*) FROM made_place), id, service_id, %s"
                    " FROM migrations_app_environment WHERE uid = %s",
                    [place.behind, place.uid],
                )
        for number, hand in enumerate(hands, start=1):
            cursor.execute("INSERT INTO made_hand VALUES (%s, %s, %s)", [number, hand.pk, hand.get_username()])
        cursor.execute(_DICE.format(seed=sql.Literal(seed)))
        cursor.execute("ANALYZE made_service, made_place, made_hand, made_step, migrations_app_revision")


# A number between 0 and 1 that is the same whenever the same thing is asked with the same seed.
_DICE = sql.SQL("""
CREATE OR REPLACE FUNCTION pg_temp.dice(thing bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(thing, {seed}::bigint * 1000 + salt) & 2147483647) / 2147483648.0::float8 $$
""")


def _write_history(sizes: Sizes, until: datetime, say: Say) -> None:
    for name, what in (
        ("plan", "which run does what"),
        ("ledger", "receipts"),
        ("runs", "runs, steps and attempts"),
        ("log", "log lines"),
    ):
        with _told(say, what):
            _run(
                name,
                until=until,
                span=f"{SPAN.days} days",
                seed=str(sizes.seed),
                runs=sizes.runs,
                lines=sizes.lines,
                undone=int(sizes.runs * UNDONE_SHARE) + 1,
            )


def _run(name: str, **values: datetime | int | str) -> None:
    text = (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def _catch_up_numbers() -> None:
    """Rows that came with their own numbers: the sequences go on after them."""
    with connection.cursor() as cursor:
        for table in NUMBERED:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608


@contextmanager
def _told(say: Say, what: str) -> Iterator[None]:
    began = monotonic()
    yield
    say(f"{what}: {monotonic() - began:.1f} s")
