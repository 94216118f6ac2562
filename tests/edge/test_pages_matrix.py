"""The matrix: a character for every cell, the frontier first, and words for everyone."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.fleet.matrix import CELLS, MAX_ROWS, differences, read_matrix
from migrations_app.models import AppliedRevision, Environment, RunStep, Service
from migrations_app.permissions import VIEWER
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run, make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def vic() -> User:
    return person("vic", VIEWER)


@pytest.fixture
def service(vic: User) -> Service:
    """Four revisions; dev has all, prod-eu two, prod-us none and was never read."""
    service = make_service(vic)
    for position in (1, 2, 3, 4):
        make_revision(service, position)
    dev = make_environment(service, "dev", "dev", 1)
    eu = make_environment(service, "prod-eu", "prod", 2)
    make_environment(service, "prod-us", "prod", 3)
    for seq in (1, 2, 3, 4):
        make_receipt(dev, seq)
    for seq in (1, 2):
        make_receipt(eu, seq)
    return service


def cells(service: Service) -> dict[str, str]:
    return {row.revision_id: row.cells for row in read_matrix(service, everything=True).rows}


def environment(name: str) -> Environment:
    return Environment.objects.get(name=name)


def test_every_cell_has_a_character(service: Service) -> None:
    assert cells(service) == {"0004_step": "APU", "0003_step": "APU", "0002_step": "AAU", "0001_step": "AAU"}


def test_what_is_the_same_everywhere_is_folded(vic: User, service: Service) -> None:
    us = environment("prod-us")
    make_receipt(us, 1)
    window = read_matrix(service)
    assert [row.revision_id for row in window.rows] == ["0004_step", "0003_step", "0002_step"]
    assert (window.folded, window.differing) == (1, 3)
    page = signed_in(vic).get("/matrix")
    assert heading(page) == "Three revisions of 4 are not the same everywhere."
    assert "One revision applied in all 3 environments" in text(page)


def test_other_bytes_come_out_of_the_fold(service: Service) -> None:
    for seq in (1, 2):
        make_receipt(environment("prod-us"), seq)
    AppliedRevision.objects.filter(environment__name="prod-us", revision_id="0001_step").update(checksum="sha256:no")
    window = read_matrix(service)
    assert window.rows[-1].revision_id == "0001_step"
    assert window.rows[-1].cells == "AAD"
    assert (window.folded, window.differing) == (1, 3)


def test_the_newest_run_is_drawn_over_the_receipts(vic: User, service: Service) -> None:
    eu = environment("prod-eu")
    plan = [{"revision_id": name, "checksum": "x"} for name in ("0003_step", "0004_step")]
    run = make_run(eu, vic, status="running")
    type(run).objects.filter(pk=run.pk).update(revisions=plan)
    assert cells(service)["0003_step"] == "ARU"
    type(run).objects.filter(pk=run.pk).update(status="waiting_for_lock")
    assert cells(service)["0003_step"] == "AWU"
    type(run).objects.filter(pk=run.pk).update(status="failed")
    RunStep.objects.filter(run=run).update(revision_id="0003_step", status="failed")
    assert cells(service)["0003_step"] == "AFU"
    assert cells(service)["0004_step"] == "APU"
    type(run).objects.filter(pk=run.pk).update(status="succeeded")
    assert cells(service)["0003_step"] == "APU"


def test_a_hole_below_the_head_is_out_of_order(service: Service) -> None:
    AppliedRevision.objects.filter(environment__name="dev", revision_id="0002_step").delete()
    assert cells(service)["0002_step"] == "OAU"


def test_columns_stand_by_stage_and_the_feet_tell_the_lag(service: Service) -> None:
    window = read_matrix(service)
    assert [(column.name, column.lag) for column in window.columns] == [("dev", 0), ("prod-eu", 2), ("prod-us", 4)]


def test_the_window_goes_on_at_its_key_and_never_grows_beyond_its_limit(service: Service) -> None:
    first = read_matrix(service, everything=True, limit=3)
    assert len(first.rows) == 3
    second = read_matrix(service, everything=True, limit=3, before=first.older)
    assert [row.revision_id for row in second.rows] == ["0001_step"]
    assert second.older is None
    assert len(read_matrix(service, everything=True, limit=10_000).rows) <= MAX_ROWS


def test_differences_are_told_in_words(service: Service) -> None:
    told = {row.revision_id: words for row, words in differences(read_matrix(service))}
    assert told["0004_step"] == "pending on prod-eu; unknown on prod-us"


def test_every_cell_that_is_not_applied_is_a_link_with_a_full_name(vic: User, service: Service) -> None:
    page = signed_in(vic).get("/matrix").content.decode()
    assert 'title="prod-eu, revision 0004_step: pending"' in page
    assert "/services/orders/environments/prod-eu?to=0004_step" in page
    assert 'title="dev, revision 0004_step: applied"' not in page


def test_names_are_escaped_however_they_came_in(vic: User, service: Service) -> None:
    Environment.objects.filter(name="prod-eu").update(name='"><img src=x>')
    page = signed_in(vic).get("/matrix").content.decode()
    assert "<img" not in page
    assert "&lt;img" in page


def test_it_answers_without_a_service_an_environment_or_a_revision(vic: User) -> None:
    client = signed_in(vic)
    assert client.get("/matrix").status_code == 200
    service = make_service(vic, "empty")
    assert heading(client.get("/matrix")) == "This service has no revision yet."
    make_revision(service, 1)
    assert "no environment to apply it to" in heading(client.get("/matrix"))


def test_an_unknown_service_is_nothing(vic: User, service: Service) -> None:
    assert signed_in(vic).get("/matrix?service=nope").status_code == 404


def test_every_code_has_a_word_a_colour_and_a_shape() -> None:
    from dashboard.pages.matrix_cells import LOOKS

    assert set(LOOKS) == set(CELLS)
    assert len({shape for _, shape in LOOKS.values()}) == len(LOOKS)


def test_it_asks_few_questions(vic: User, service: Service, django_assert_max_num_queries: object) -> None:
    client = signed_in(vic)
    client.get("/matrix")
    with django_assert_max_num_queries(11):  # type: ignore[operator]
        client.get("/matrix")
