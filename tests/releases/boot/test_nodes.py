"""Reports of nodes: the newest stands, old ones say nothing, and a person may retire one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now

from migrations_app.engine.errors import Refused
from migrations_app.models import AuditEntry, Environment, NodeReport, Service
from migrations_app.releases.boot.known import Asked
from migrations_app.releases.boot.nodes import (
    UPSERT,
    headline,
    list_nodes,
    report_node,
    retire_node,
    sweep,
    upsert_values,
)
from tests.edge.fleet import make_environment

pytestmark = pytest.mark.django_db

ASKED = Asked(release_id="1.0", schema_rev="sc-9", index_hash="h1", node="n1")


@pytest.fixture
def prod(service: Service) -> Environment:
    return make_environment(service, "prod")


def aged(node: str, **by: int) -> None:
    NodeReport.objects.filter(node=node).update(at=Now() - timedelta(**by))


def test_a_report_takes_the_place_of_the_one_before(prod: Environment) -> None:
    report_node(environment=prod, asked=ASKED)
    report_node(environment=prod, asked=Asked(release_id="1.1", node="n1", probes_ok=False))
    (row,) = list_nodes(prod)
    assert (row.release_id, row.index_hash, row.probes_ok, row.state) == ("1.1", "", False, "fresh")
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (Asked(), "The node has no name."),
        (Asked(node="a b"), "node cannot be 'a b'."),
        (Asked(node="n" * 201), f"node cannot be '{'n' * 80}'."),
        (Asked(node="n1", index_hash="x\x00"), "index_hash cannot be 'x\\x00'."),
    ],
)
def test_a_report_of_no_use_is_refused(prod: Environment, asked: Asked, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        report_node(environment=prod, asked=asked)
    assert refusal.value.message == sentence
    assert not NodeReport.objects.exists()


def test_a_gate_that_is_asked_often_writes_seldom(prod: Environment) -> None:
    def told(asked: Asked) -> int:
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, upsert_values(prod.pk, asked, every_s=10))
            return int(cursor.rowcount)

    assert [told(ASKED), told(ASKED), told(ASKED)] == [1, 0, 0]
    assert told(Asked(release_id="1.1", node="n1")) == 1
    aged("n1", seconds=11)
    assert told(Asked(release_id="1.1", node="n1")) == 1


def test_a_report_grows_old(prod: Environment) -> None:
    for name in ("n1", "n2", "n3"):
        report_node(environment=prod, asked=Asked(node=name))
    aged("n2", seconds=61)
    aged("n3", minutes=11)
    assert [(row.node, row.state) for row in list_nodes(prod)] == [("n1", "fresh"), ("n2", "stale"), ("n3", "gone")]
    assert headline(list_nodes(prod), "prod") == "One node of prod reports: no release. One did not report lately."


def test_a_retired_node_is_no_member_until_it_reports_again(prod: Environment, olga: User) -> None:
    report = report_node(environment=prod, asked=ASKED)
    retire_node(report=report, by=olga)
    retire_node(report=report, by=olga)
    assert [row.state for row in list_nodes(prod)] == ["retired"]
    (entry,) = AuditEntry.objects.all()
    assert (entry.data["action"], entry.data["object"]) == ("node.retire", "environment:orders/prod")
    assert entry.data["after"] == {"node": "n1"}
    report_node(environment=prod, asked=ASKED)
    assert [row.state for row in list_nodes(prod)] == ["fresh"]


def test_what_is_silent_for_a_day_is_swept(prod: Environment) -> None:
    report_node(environment=prod, asked=ASKED)
    aged("n1", hours=25)
    report_node(environment=prod, asked=Asked(node="n2"))
    sweep()
    assert [row.node for row in list_nodes(prod)] == ["n2"]
