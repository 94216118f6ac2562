"""API, page and file tell the same; where one of them does not, the receipt or the revision is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Environment, Service
from migrations_app.permissions import OPERATOR
from migrations_app.releases.gates.own import functional_parity
from migrations_app.releases.gates.own.installation import MOST_BYTES, Answer, Installation
from migrations_app.releases.gates.own.looks import guarded
from migrations_app.releases.gates.own.seen import FAIL, PASS
from tests.browser.client import signed_in
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_service
from tests.edge.people import person
from tests.releases.own_gates.copies import NOWHERE, ROOT

pytestmark = pytest.mark.django_db

Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Inside(Installation):
    """The application itself, asked without a server; `path` is the address whose answer is changed."""

    by: User | None = None
    path: str = ""
    change: Change = bytes

    def ask(self, path: str, right: str = "", *, accept: str = "", most: int = MOST_BYTES) -> Answer:
        answer = signed_in(self.by).get(path, headers={"Accept": accept or "application/json"})
        body = b"".join(answer) if answer.streaming else answer.content
        if path.partition("?")[0] == self.path:
            changed = self.change(body)
            assert changed != body, f"nothing was changed in {path}"
            body = changed
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(path, answer.status_code, headers, body[:most])


@pytest.fixture
def olga() -> User:
    return person("olga", OPERATOR)


@pytest.fixture
def service(olga: User) -> Service:
    made = make_service(olga)
    for position in (1, 2):
        make_revision(made, position)
    return made


@pytest.fixture
def environment(service: Service) -> Environment:
    made = make_environment(service)
    make_receipt(made, 1)
    return made


def place(by: User, path: str = "", change: Change = bytes) -> Inside:
    return Inside(ROOT, NOWHERE, by=by, path=path, change=change)


def test_they_agree_as_they_are(environment: Environment, olga: User) -> None:
    seen = functional_parity.compute(place(olga))
    assert (seen.state, seen.sentence) == (PASS, "API, page and file agree on 1 receipt and 2 cells of 1 service.")
    assert functional_parity.export_headers(place(olga)).state == PASS


def test_nothing_is_the_same_everywhere(olga: User) -> None:
    assert functional_parity.compute(place(olga)).state == PASS


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        (
            "/history/export.json",
            lambda body: body.replace(b'"operator": "olga"', b'"operator": "olaf"'),
            "orders, receipt 1 of orders-eu: operator is 'olga' by the API and 'olaf' in the file.",
        ),
        (
            "/api/v1/services/orders/history",
            lambda body: body.replace(b'"checksum"', b'"check_sum"'),
            "checksum is missing from rows of /api/v1/services/orders/history?limit=50&superseded=true.",
        ),
        (
            "/api/v1/services/orders/history",
            lambda body: b'{"rows": null}',
            "rows of /api/v1/services/orders/history?limit=50&superseded=true is null, and not a list.",
        ),
        (
            "/api/v1/services/orders/matrix",
            lambda body: body.replace(b'"rows"', b'"lines"'),
            "rows is missing from /api/v1/services/orders/matrix?mode=all&limit=100.",
        ),
        (
            "/api/v1/services/orders/matrix",
            lambda body: body.replace(b'"revisions"', b'"steps"'),
            "revisions is missing from /api/v1/services/orders/matrix?mode=all&limit=100.",
        ),
        (
            "/api/v1/services/orders/matrix",
            lambda body: b'{"revisions": [{"revision_id": "0001_step"}], "rows": []}',
            "/api/v1/services/orders/matrix?mode=all&limit=100 tells 1 revision and 0 rows of cells.",
        ),
        ("/api/v1/services", lambda body: b'{"services": [{}]}', "name is missing from services of /api/v1/services."),
        ("/history/export.json", lambda body: b"[\n{x}\n]\n", "&superseded=yes has a row that is no JSON: "),
        ("/history/export.json", lambda body: b"[\n]\n", "orders: the API tells 1 receipt, and the file has 0."),
        (
            "/matrix",
            lambda body: body.replace(b'<td class="P', b'<td class="F'),
            "orders, revision 0002_step: the API tells the cells 'P', the page 'F'.",
        ),
        (
            "/matrix",
            lambda body: body.replace(b"aria-rowindex", b"data-row"),
            "orders: the API tells 2 revisions of the matrix, and the page draws none.",
        ),
    ],
)
def test_where_they_differ_is_named(environment: Environment, olga: User, path: str, change: Change, told: str) -> None:
    seen = guarded(functional_parity.compute, place(olga, path, change))
    assert seen.state == FAIL
    assert told in seen.sentence
