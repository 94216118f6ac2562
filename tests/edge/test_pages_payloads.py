"""Whatever people, files and databases call things is shown as they wrote it, and never becomes part of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_app.engine.sql.script import SPLITTER
from migrations_app.models import Drill, DrillCheck, DrillIntervention, Environment, LedgerEntry, Revision, Service
from migrations_app.permissions import ADMIN, OPERATOR
from migrations_app.rehearsals.drills.remarks import add_follow_up, write_step
from tests.browser.client import signed_in
from tests.edge.drills import press, ready
from tests.edge.fleet import make_environment, make_log, make_receipt, make_revision, make_run
from tests.edge.payloads import PAYLOADS
from tests.edge.people import person

pytestmark = pytest.mark.django_db

# What our own pages hold; an element beyond these, or a handler in any of them, came out of a payload.
FOREIGN = frozenset({"iframe", "object", "embed", "math", "video", "source", "style", "template", "base"})
SCRIPT = {"steps": [], "settings": [], "atomic": False, "splitter": SPLITTER}


class Page(HTMLParser):
    """The text that a reader sees and the elements that a browser makes."""

    def __init__(self, response: Any) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.odd: list[str] = []
        assert response.status_code == 200
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        handlers = [name for name in given if name.startswith("on")]
        inline = tag == "script" and "src" not in given
        address = (given.get("href") or given.get("src") or given.get("action") or "").strip().lower()
        foreign = tag in FOREIGN and "data-toast" not in given
        if foreign or handlers or inline or address.startswith(("javascript:", "data:text")):
            self.odd.append(f"<{tag} {given}>")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def olga() -> User:
    return person("olga", OPERATOR, ADMIN)


def shown(olga: User, path: str) -> Page:
    page = Page(signed_in(olga).get(path))
    assert page.odd == [], path
    return page


def missing(page: Page, wanted: Sequence[str] = PAYLOADS) -> list[str]:
    return [payload for payload in wanted if payload not in page.text]


def test_there_are_a_hundred_and_fifty_and_each_is_another() -> None:
    assert len(set(PAYLOADS)) == 150


def test_log_lines_are_shown_verbatim(olga: User, environment: Environment) -> None:
    run = make_run(environment, olga)
    make_log(run, *PAYLOADS)
    assert missing(shown(olga, f"/runs/{run.pk}/log")) == []
    shown(olga, f"/runs/{run.pk}")


def test_sql_is_shown_verbatim(olga: User, environment: Environment) -> None:
    sql = "".join(f"-- {payload}\n" for payload in PAYLOADS)
    make_revision(environment.service, 1, up=sql, down=sql, verify=sql, up_script=SCRIPT)
    assert missing(shown(olga, "/services/orders/revisions/0001_step")) == []


@pytest.mark.parametrize("first", [0, 50, 100])
def test_reasons_and_operators_are_shown_verbatim(olga: User, environment: Environment, first: int) -> None:
    for number, payload in enumerate(PAYLOADS[first : first + 50], start=1):
        make_receipt(environment, number, operator=payload)
        run = make_run(environment, olga, status="failed", reason=payload, error={"code": "x", "message": payload})
        shown(olga, f"/runs/{run.pk}")
    page = shown(olga, "/history")
    assert missing(page, PAYLOADS[first : first + 50]) == []
    shown(olga, "/")
    shown(olga, "/runs")


def test_names_are_shown_verbatim(olga: User) -> None:
    """No verb accepts such names; rows that hold them all the same must not turn into markup."""
    # A slash has no place in an address; everything else of a payload has.
    names = [f"{number}{payload}"[:63].replace("/", "\u2215") for number, payload in enumerate(PAYLOADS)]
    for name in names:
        service = Service.objects.create(name=name, created_by=olga)
        environment = make_environment(service, name=name, stage=name)
        revision = make_revision(service, 1)
        make_receipt(environment, 1)
        Revision.objects.filter(pk=revision.pk).update(revision_id=name)
        LedgerEntry.objects.filter(environment=environment).update(revision_id=name)
    assert missing(shown(olga, "/services"), names) == []
    for path in ("/", "/history", "/runs", "/matrix", "/find?q=alert", "/history/compare"):
        shown(olga, path)


@pytest.mark.parametrize("payload", PAYLOADS[::10])
def test_what_is_typed_into_a_filter_comes_back_as_typed(olga: User, environment: Environment, payload: str) -> None:
    client = signed_in(olga)
    for path in ("/history", "/runs", "/find", "/audit"):
        answer = client.get(path, {"q": payload, "revision": payload, "operator": payload, "actor": payload})
        assert Page(answer).odd == []


def test_a_stopped_run_says_why_verbatim(olga: User, environment: Environment) -> None:
    run = make_run(environment, olga, status="waiting_for_lock", waiting={"sentence": PAYLOADS[0], "blockers": []})
    assert PAYLOADS[0] in shown(olga, f"/runs/{run.pk}").text


def test_what_people_write_about_a_drill_is_shown_verbatim(olga: User, environment: Environment) -> None:
    """Many at once in the long texts, and one in each of the short ones."""
    longer = "\n".join(PAYLOADS)
    drill = press(ready(environment, olga, trigger_reason=PAYLOADS[0]), olga, 3)
    write_step(drill, number=1, commands=longer, output=longer, note=longer, by=olga)
    DrillCheck.objects.bulk_create(
        DrillCheck(
            drill=drill, side="after", kind="smoke", name=payload[:200], expected=payload[:1000], passed=True, by=olga
        )
        for payload in PAYLOADS
    )
    DrillIntervention.objects.bulk_create(
        DrillIntervention(drill=drill, step=1, seconds=1, what=payload[:500], by=olga) for payload in PAYLOADS
    )
    add_follow_up(drill, what=PAYLOADS[1], owner=PAYLOADS[2][:150], by=olga)
    here = f"/rehearsals/drills/{drill.uid}"
    written = [payload.strip() for payload in PAYLOADS if payload.strip() and len(payload) <= 200]
    assert missing(shown(olga, here), written) == []
    assert missing(shown(olga, "/rehearsals"), PAYLOADS[:1]) == []
    shown(olga, f"{here}/stopwatch")
    Drill.objects.update(from_release=PAYLOADS[3][:200], issues_found=longer, runbook_rev=PAYLOADS[4][:200])
    shown(olga, here)
    shown(olga, f"/rehearsals/compare?a={drill.uid}&b={drill.uid}")
