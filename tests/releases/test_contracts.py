"""Releases against environments by place in the chain; what cannot be told is unknown."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_app.models import AppliedRevision, Environment, Revision, Service
from migrations_app.releases.contracts import Cell, Fit, read_contracts
from migrations_app.releases.schema_chain import Span, spans_of
from tests.edge.fleet import make_environment, make_revision, make_run, make_service
from tests.edge.releases import make_chain, make_release, make_standing

pytestmark = pytest.mark.django_db


def only(service: Service) -> Cell:
    found = read_contracts(service)
    assert len(found.rows) == len(found.places) == 1
    return found.rows[0].cells[0]


def test_a_name_reaches_to_where_another_begins() -> None:
    end = 2**31 - 1
    declared = [(2, "a"), (3, "a"), (6, "b"), (7, "a")]
    assert spans_of(declared) == (Span("a", 2, 5), Span("b", 6, 6), Span("a", 7, end))
    assert spans_of([]) == ()


@pytest.mark.parametrize(
    ("applied", "fit", "sentence"),
    [
        (0, Fit.REFUSES, "Needs sc-10, stands at nothing: 2 revisions behind its window."),
        (1, Fit.REFUSES, "Needs sc-10, stands at sc-9: one revision behind its window."),
        (2, Fit.FITS, "Fits: stands at sc-10."),
        (4, Fit.FITS, "Fits: stands at sc-10."),  # the fourth declares nothing, so sc-10 stands
        (5, Fit.FITS, "Fits: stands at sc-11."),
        (6, Fit.REFUSES, "Takes sc-11 at most, stands at sc-2: one revision past its window."),
    ],
)
def test_places_decide_and_not_the_order_of_names(
    service: Service, olga: User, applied: int, fit: Fit, sentence: str
) -> None:
    make_release(service, olga, "1.0", "sc-10", "sc-11")
    make_standing(service, "prod-eu", applied, reconciled_at=timezone.now())
    assert only(service) == Cell(fit, sentence)


def test_the_newest_schema_reaches_to_the_end_of_the_chain(service: Service, olga: User) -> None:
    make_release(service, olga, "1.0", "sc-2")
    make_revision(service, 7)
    make_standing(service, "prod-eu", 7)
    assert only(service).fit == Fit.FITS


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reachability": "unreachable"}, "its target cannot be reached"),
        ({"reconcile_note": "Receipt 1 is another."}, "its receipts and the ledger disagree"),
        ({"head_revision": "0099_elsewhere"}, "its head is no revision of the chain"),
    ],
)
def test_what_is_in_doubt_is_unknown_though_it_would_fit(
    service: Service, olga: User, fields: dict[str, str], why: str
) -> None:
    make_release(service, olga, "1.0", "sc-10")
    make_standing(service, "prod-eu", 2)
    assert only(service).fit == Fit.FITS
    Environment.objects.update(**fields)
    assert only(service) == Cell(Fit.UNKNOWN, f"Unknown: {why}.")
    assert read_contracts(service).places[0].schema_rev == ""


def test_a_target_that_was_never_read_is_unknown(service: Service, olga: User) -> None:
    make_release(service, olga, "1.0", "sc-10")
    make_environment(service)
    assert only(service) == Cell(Fit.UNKNOWN, "Unknown: its target was never read.")


def test_a_hole_below_the_head_is_unknown(service: Service, olga: User) -> None:
    make_release(service, olga, "1.0", "sc-10")
    make_standing(service, "prod-eu", 3)
    AppliedRevision.objects.filter(revision_id="0001_step").delete()
    assert only(service).sentence.startswith("Unknown: revisions below its head are missing")


def test_a_head_below_every_declared_schema_is_unknown(olga: User) -> None:
    service = make_service(olga)
    make_chain(service, ("", "sc-1"))
    make_release(service, olga, "1.0", "sc-1")
    make_standing(service, "prod-eu", 1)
    assert only(service).sentence == "Unknown: no revision at or below its head declares a schema_rev."


def test_a_window_that_the_chain_lost_is_unknown(service: Service, olga: User) -> None:
    make_release(service, olga, "1.0", "sc-10", "sc-11")
    make_standing(service, "prod-eu", 2)
    Revision.objects.filter(schema_rev="sc-11").update(schema_rev="sc-12")
    assert only(service) == Cell(Fit.UNKNOWN, "Unknown: no revision declares sc-11 any more.")
    Revision.objects.filter(schema_rev="sc-12").update(schema_rev="")
    Revision.objects.filter(position=1).update(schema_rev="sc-11")
    assert "in the other order now" in only(service).sentence
    Revision.objects.filter(position=5).update(schema_rev="sc-11")
    assert "sc-11 stands at 2 separate places" in only(service).sentence


def test_an_open_run_is_told(service: Service, olga: User) -> None:
    environment = make_standing(service, "prod-eu", 2)
    make_release(service, olga, "1.0", "sc-10")
    assert not read_contracts(service).places[0].running
    make_run(environment, olga)
    assert read_contracts(service).places[0].running


def test_newest_first_and_a_window_at_a_time(service: Service, olga: User) -> None:
    releases = [make_release(service, olga, f"1.{n}", "sc-10") for n in range(4)]
    make_release(make_service(olga, "billing"), olga, "9.9", "sc-10")
    first = read_contracts(service, window=3)
    assert [row.release_id for row in first.rows] == ["1.3", "1.2", "1.1"]
    assert first.older == releases[1].pk
    second = read_contracts(service, first.older, window=3)
    assert ([row.release_id for row in second.rows], second.older) == (["1.0"], None)


def test_the_number_of_queries_does_not_grow(service: Service, olga: User) -> None:
    make_release(service, olga, "1.0", "sc-10")
    make_standing(service, "prod-0", 2)
    with CaptureQueriesContext(connection) as few:
        read_contracts(service)
    for n in range(1, 6):
        make_standing(service, f"prod-{n}", n)
        make_release(service, olga, f"1.{n}", "sc-10")
    with CaptureQueriesContext(connection) as many:
        read_contracts(service)
    assert len(few) == len(many) == 3
