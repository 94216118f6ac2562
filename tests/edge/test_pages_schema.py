"""The pages of schemas: one environment's, the draft, and a service's side by side."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from dashboard.templatetags.states import STATES
from migrations_app.engine.target.fingerprint import CatalogueObject
from migrations_app.fleet.schema_words import Standing
from migrations_app.models import AuditEntry, Environment, SchemaDrift, SchemaState, Service
from migrations_app.models.schema import DriftState
from migrations_app.permissions import ADMIN, RELEASE_MANAGER, VIEWER
from tests.browser.client import signed_in
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run
from tests.edge.people import person
from tests.edge.schemas import COLUMN, HASHED, INDEX, NOTE, OWNER, TABLE, USUAL, change, make_drift, make_reading
from tests.edge.test_pages_payloads import Page

pytestmark = pytest.mark.django_db

PLACE = "/services/orders/environments/orders-eu"
SCHEMA = f"{PLACE}/schema"


@pytest.fixture
def ann() -> Client:
    return signed_in(person("ann", RELEASE_MANAGER, ADMIN))


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def three(service: Service) -> list[Environment]:
    return [make_environment(service, f"prod-{name}", "prod", order) for order, name in enumerate(("eu", "us", "ap"))]


def test_every_standing_and_every_end_of_a_drift_has_a_sign() -> None:
    assert {f"schema_{standing.value}" for standing in Standing} <= set(STATES)
    assert {f"drift_{state.value}" for state in DriftState} <= set(STATES)


def test_nobody_has_read_it_yet(ann: Client, environment: Environment) -> None:
    told = text(ann, SCHEMA)
    assert "How the schema stands is unknown: nobody has read it yet." in told
    assert "That is unknown." in told
    assert "Nothing differs." not in told
    assert "unknown: nobody has read it yet" in text(ann, PLACE)


def test_as_its_receipts_left_it(ann: Client, environment: Environment) -> None:
    make_reading(environment)
    told = text(ann, SCHEMA)
    assert "The schema is as its receipts left it." in told
    assert "Nothing differs." in told


def test_what_could_not_be_read_or_was_read_long_ago_is_unknown(ann: Client, environment: Environment) -> None:
    make_reading(environment, failure="Connection refused.")
    told = text(ann, SCHEMA)
    assert "unknown: it could not be read" in told
    assert "Connection refused." in told
    SchemaState.objects.update(failure="", read_at=timezone.now() - timedelta(hours=3))
    assert "unknown: it was read too long ago" in text(ann, SCHEMA)


def test_drift_is_told_in_words_as_a_difference_and_with_who_did_it(ann: Client, environment: Environment) -> None:
    make_drift(environment)
    told = text(ann, SCHEMA)
    assert "Column public.orders.note is there and should not be." in told
    assert "Index public.orders_id" in told
    assert "USING hash (id)" in told
    assert "mallory" in told
    assert "ALTER TABLE orders ADD note text" in told
    assert "2 objects differ: column public.orders.note, index public.orders_id." in text(ann, PLACE)


def test_without_event_triggers_it_says_since_when(ann: Client, environment: Environment) -> None:
    make_drift(environment, changed_by=[])
    assert "That is unknown: no event triggers are installed here. It was last as expected" in text(ann, SCHEMA)


def test_a_viewer_reads_the_words_but_no_sql_and_sees_why_buttons_are_off(environment: Environment) -> None:
    make_drift(environment)
    told = text(signed_in(person("vic", VIEWER)), SCHEMA)
    assert "Column public.orders.note is there and should not be." in told
    assert "USING hash" not in told
    assert "ALTER TABLE orders ADD note text" not in told
    assert "Needs one of these roles: release-manager, admin." in told
    assert "Needs the role admin." in told


def test_it_is_ignored_until_the_end_of_a_day(ann: Client, environment: Environment) -> None:
    make_drift(environment)
    day = (timezone.now() + timedelta(days=3)).date()
    sent = {"until": day.isoformat(), "reason": "The team knows of it."}
    told = ann.post(f"{SCHEMA}/ignore", sent, follow=True).content.decode()
    assert "is ignored until" in told
    drift = SchemaDrift.objects.get()
    assert (drift.state, drift.ignore_until is not None and drift.ignore_until.date()) == (DriftState.IGNORED, day)
    assert AuditEntry.objects.filter(data__action="drift.ignore").count() == 1
    assert "has said to ignore that for now" in text(ann, SCHEMA)


@pytest.mark.parametrize("until", ["", "soon", "2026-13-45", "2000-01-01", "9999-12-31"])
def test_a_day_that_makes_no_sense_leaves_it_open(ann: Client, environment: Environment, until: str) -> None:
    make_drift(environment)
    response = ann.post(f"{SCHEMA}/ignore", {"until": until, "reason": "The team knows of it."}, follow=True)
    assert "(bad_until)" in response.content.decode()
    assert SchemaDrift.objects.get().state == DriftState.OPEN


def test_it_is_accepted_as_it_was_shown(ann: Client, environment: Environment) -> None:
    drift = make_drift(environment)
    other = ann.post(f"{SCHEMA}/accept", {"found": "fp:v1:0", "reason": "The team knows of it."}, follow=True)
    assert "(drift_differs)" in other.content.decode()
    ann.post(f"{SCHEMA}/accept", {"found": drift.found_id, "reason": "The team knows of it."})
    assert SchemaDrift.objects.get().state == DriftState.ACCEPTED
    assert "as its receipts left it" in text(ann, SCHEMA)


def test_the_policy_is_set_and_told(ann: Client, environment: Environment) -> None:
    assert "Drift stops runs as its stage says" in text(ann, SCHEMA)
    ann.post(f"{SCHEMA}/policy", {"policy": "let"})
    assert SchemaState.objects.get().drift_blocks is False
    assert "Drift does not stop runs" in text(ann, SCHEMA)
    ann.post(f"{SCHEMA}/policy", {"policy": "nonsense"})
    assert SchemaState.objects.get().drift_blocks is False


def test_a_drift_is_drafted_both_ways(ann: Client, environment: Environment) -> None:
    make_drift(environment)
    adopt = text(ann, f"{SCHEMA}/draft")
    assert "ALTER TABLE public.orders ADD COLUMN IF NOT EXISTS note text;" in adopt
    revert = text(ann, f"{SCHEMA}/draft?way=revert")
    assert "ALTER TABLE public.orders DROP COLUMN IF EXISTS note;" in revert
    assert ann.get(f"{SCHEMA}/draft?way=other").status_code == 400


def test_what_was_never_read_cannot_be_drafted(ann: Client, environment: Environment) -> None:
    make_drift(environment, baseline=None, differences=None, summary="What it should be was never read.")
    assert "(baseline_unknown)" in ann.get(f"{SCHEMA}/draft", follow=True).content.decode()
    assert "The objects cannot be named." in text(ann, SCHEMA)


def test_an_open_drift_needs_a_person_on_the_front_page_until_it_is_ignored(
    ann: Client, environment: Environment
) -> None:
    make_revision(environment.service, 1)
    make_receipt(environment, 1)
    Environment.objects.update(reachability="ok")
    before = text(ann, "/")
    assert "nothing is broken" in before
    drift = make_drift(environment)
    told = text(ann, "/")
    assert "The schema of orders-eu is not as its receipts left it." in told
    assert "Schema drift" in told
    assert f'href="{SCHEMA}"' in ann.get("/").content.decode()
    SchemaDrift.objects.filter(pk=drift.pk).update(
        state=DriftState.IGNORED, ignore_until=timezone.now() + timedelta(days=1)
    )
    assert "nothing is broken" in text(ann, "/")


def test_the_plan_says_that_drift_is_in_the_way(ann: Client, environment: Environment) -> None:
    make_drift(environment)
    assert "Put the target right and have it read again" in text(ann, PLACE)


def test_three_environments_with_one_other_index(ann: Client, service: Service) -> None:
    eu, us, ap = three(service)
    make_reading(eu)
    make_reading(us)
    make_reading(ap, (TABLE, COLUMN, HASHED))
    told = text(ann, "/matrix/schema")
    assert "Two environments have the same schema, one differs in one object." in told
    assert "public.orders_id" in told
    assert "two objects the same everywhere" in told
    link = re.search(r'href="(/matrix/schema/object[^"]+)"', ann.get("/matrix/schema").content.decode())
    assert link is not None
    diff = text(ann, unescape(link[1]))
    assert "Index public.orders_id stands in two variants." in diff
    assert "prod-ap: index public.orders_id is other than elsewhere." in diff
    assert "USING hash (id)" in diff


def test_all_alike_is_one_row(ann: Client, service: Service) -> None:
    for place in three(service):
        make_reading(place)
    told = text(ann, "/matrix/schema")
    assert "All three environments have the same schema." in told
    assert "three objects the same everywhere" in told
    assert "✓ alike" in ann.get("/matrix/schema").content.decode()


def test_unknown_and_stale_are_shown_as_such(ann: Client, service: Service) -> None:
    eu, us, _ = three(service)
    make_reading(eu)
    make_reading(us, read_at=timezone.now() - timedelta(hours=5))
    told = text(ann, "/matrix/schema")
    assert "One environment is known, with nothing to compare it with, two are unknown." in told
    assert "? unknown" in told
    assert "read too long ago" in told
    assert "never read" in told


def test_owners_count_only_when_they_are_asked_for(ann: Client, service: Service) -> None:
    eu, us, ap = three(service)
    make_reading(eu, (*USUAL, OWNER))
    make_reading(us)
    make_reading(ap)
    assert "All three environments have the same schema." in text(ann, "/matrix/schema")
    assert "one differs in one object" in text(ann, "/matrix/schema?depth=privileges")


def test_the_order_of_columns_counts_only_when_it_is_asked_for(ann: Client, service: Service) -> None:
    eu, us, _ = three(service)
    moved = CatalogueObject(NOTE.kind, NOTE.name, NOTE.definition, 1)
    make_reading(eu, (TABLE, NOTE))
    make_reading(us, (TABLE, moved))
    assert "Both environments have the same schema" in text(ann, "/matrix/schema?depth=privileges")
    assert "No two of two environments have the same schema" in text(ann, "/matrix/schema?depth=exact")


def test_servers_of_other_versions_are_compared_apart(ann: Client, service: Service) -> None:
    eu, us, ap = three(service)
    make_reading(eu)
    make_reading(us)
    make_reading(ap, (TABLE, COLUMN, HASHED), major=16)
    told = text(ann, "/matrix/schema")
    assert "Both environments have the same schema." in told
    assert "One environment stands on PostgreSQL 16, which prints definitions its own way" in told
    assert "One environment is known" in text(ann, "/matrix/schema?major=16")
    assert ann.get("/matrix/schema?major=12").status_code == 400


def test_an_open_run_is_told_beside_its_environment(ann: Client, service: Service, olga: User) -> None:
    eu, us, _ = three(service)
    make_reading(eu)
    make_reading(us)
    make_run(us, olga)
    assert "(a run is open)" in text(ann, "/matrix/schema")


def test_a_hundred_objects_at_a_time(ann: Client, service: Service) -> None:
    eu, us, _ = three(service)
    many = [CatalogueObject("table", f"public.t{n:03}", "using: heap", 0) for n in range(130)]
    make_reading(eu, (TABLE, *many))
    make_reading(us, (TABLE,))
    page = ann.get("/matrix/schema").content.decode()
    assert page.count(">diff</a>") == 100
    older = re.search(r'href="([^"]+)" rel="next"', page)
    assert older is not None
    assert ann.get(unescape(older[1])).content.decode().count(">diff</a>") == 30
    assert ann.get("/matrix/schema?after=made-up").status_code == 400


def test_an_object_that_does_not_differ_has_no_page(ann: Client, service: Service) -> None:
    three(service)
    assert ann.get("/matrix/schema/object?service=orders&kind=index&name=public.orders_id").status_code == 404


def test_a_fleet_without_services_has_nothing_to_compare(ann: Client) -> None:
    assert ann.get("/matrix/schema").status_code == 200


def test_both_matrices_lead_to_each_other(ann: Client, service: Service) -> None:
    three(service)
    assert 'href="/matrix/schema?service=orders"' in ann.get("/matrix").content.decode()
    assert 'href="/matrix?service=orders"' in ann.get("/matrix/schema").content.decode()


@pytest.mark.parametrize("harm", ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "{{ 7|add:7 }}"])
def test_names_definitions_and_people_are_shown_verbatim(ann: Client, environment: Environment, harm: str) -> None:
    odd = CatalogueObject("view", f'public."{harm}"', f"SELECT '{harm}'", 0)
    told = change(login=harm, role=harm, application=harm, object=harm, statement=harm)
    make_drift(environment, (*USUAL, odd), changed_by=[told], summary=harm)
    other = make_environment(environment.service, "other", "prod", 2)
    make_reading(other)
    SchemaDrift.objects.update(reason=harm)
    for path in (SCHEMA, f"{SCHEMA}/draft", PLACE, "/", "/matrix/schema"):
        page = Page(ann.get(path))
        assert page.odd == [], path
        assert harm in page.text, path
    link = re.search(r'href="(/matrix/schema/object[^"]+)"', ann.get("/matrix/schema").content.decode())
    assert link is not None
    page = Page(ann.get(unescape(link[1])))
    assert page.odd == []
    assert harm in page.text
    assert INDEX.name not in page.text


def test_what_parts_environments_at_one_revision_comes_first_and_the_rest_goes_with_revisions(
    ann: Client, service: Service
) -> None:
    eu, us, ap = three(service)
    for place, head in ((eu, "0002_b"), (us, "0001_a"), (ap, "0001_a")):
        Environment.objects.filter(pk=place.pk).update(head_revision=head)
    make_reading(eu, (TABLE, COLUMN, NOTE))
    make_reading(us, (TABLE, COLUMN, INDEX))
    make_reading(ap, (TABLE, COLUMN))
    told = text(ann, "/matrix/schema")
    assert "One object differs between environments at the same revision." in told
    assert told.index("public.orders_id index") < told.index("public.orders.note column")
    assert "differs at 0001" in told
    Environment.objects.filter(pk=ap.pk).update(head_revision="0003_c")
    assert "Where environments stand at the same revision, nothing differs." in text(ann, "/matrix/schema")
