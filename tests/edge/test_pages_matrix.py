"""The matrix: a character for every cell, the frontier first, every view an address, and words for everyone."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.pages import matrix
from dashboard.pages.matrix_cells import LOOKS
from dashboard.templatetags.glyphs import PATHS
from migrations_app.fleet.matrix import CELLS, MAX_ROWS, differences, read_matrix, survey
from migrations_app.models import AppliedRevision, Environment, LedgerEntry, Revision, Run, RunStep, Service
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run, make_service

pytestmark = pytest.mark.django_db


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


def page(user: User, query: str = "") -> str:
    return str(signed_in(user).get(f"/matrix{query}").content.decode())


def drawn(markup: str) -> dict[str, list[str]]:
    """Row name: the class of each cell, from the markup."""
    rows = re.findall(r'<tr aria-rowindex="\d+"><th scope="row"><a [^>]*><code>(.*?)</code>.*?</th>(.*?)</tr>', markup)
    return {name: re.findall(r'<td class="([^" ]+)', row) for name, row in rows}


def read_everything(service: Service) -> None:
    for seq in (1, 2):
        make_receipt(environment("prod-us"), seq)


# What a cell says


def test_every_cell_has_a_character(service: Service) -> None:
    assert cells(service) == {"0004_step": "APU", "0003_step": "APU", "0002_step": "AAU", "0001_step": "AAU"}


def test_the_newest_run_is_drawn_over_the_receipts(vic: User, service: Service) -> None:
    eu = environment("prod-eu")
    run = make_run(eu, vic, status="running")
    Run.objects.filter(pk=run.pk).update(from_revision="0002_step", to_revision="0004_step")
    assert cells(service)["0003_step"] == "ARU"
    Run.objects.filter(pk=run.pk).update(status="waiting_for_lock")
    assert cells(service)["0003_step"] == "AWU"
    make_receipt(eu, 3)
    assert (cells(service)["0003_step"], cells(service)["0004_step"]) == ("AAU", "AWU")
    Run.objects.filter(pk=run.pk).update(status="failed")
    RunStep.objects.filter(run=run).update(revision_id="0004_step", status="failed")
    assert cells(service)["0004_step"] == "AFU"
    Run.objects.filter(pk=run.pk).update(status="succeeded")
    assert cells(service)["0004_step"] == "APU"


def test_a_roll_back_is_drawn_where_it_has_not_been_yet(vic: User, service: Service) -> None:
    run = make_run(environment("dev"), vic, status="rolling_back")
    Run.objects.filter(pk=run.pk).update(direction="down", from_revision="0004_step", to_revision="0001_step")
    assert [row[0] for row in cells(service).values()] == ["B", "B", "B", "A"]
    assert 2 in survey(service, ["dev"]).differing


def test_a_hole_below_the_head_is_out_of_order(vic: User, service: Service) -> None:
    read_everything(service)
    AppliedRevision.objects.filter(environment__name="dev", revision_id="0002_step").delete()
    assert cells(service)["0002_step"] == "OAA"
    assert set(drawn(page(vic, "?mode=disorder"))) == {"0002_step"}
    assert "0002_step" in drawn(page(vic))
    assert "One revision missing below a head" in text(signed_in(vic).get("/matrix"))


def test_other_bytes_are_drift_and_come_out_of_the_fold(vic: User, service: Service) -> None:
    read_everything(service)
    AppliedRevision.objects.filter(environment__name="prod-us", revision_id="0001_step").update(checksum="sha256:no")
    assert cells(service)["0001_step"] == "AAD"
    assert drawn(page(vic, "?mode=drift")) == {"0001_step": ["A", "A", "D"]}
    assert list(drawn(page(vic))) == ["0004_step", "0003_step", "0001_step"]
    assert "One revision applied with other bytes" in text(signed_in(vic).get("/matrix"))


def test_every_code_has_a_word_a_colour_and_a_shape() -> None:
    assert set(LOOKS) == set(CELLS)
    assert len({shape for _, shape in LOOKS.values()}) == len(LOOKS)


def test_the_shapes_of_the_cells_are_those_of_the_icons() -> None:
    styles = Path(settings.BASE_DIR) / "static/css"
    sheet, tokens = ((styles / name).read_text(encoding="utf-8") for name in ("shapes.css", "tokens.css"))
    for code, (tone, shape) in LOOKS.items():
        if not PATHS[shape]:
            continue
        # Light, dark by the system, dark by choice.
        pictures = re.findall(rf"--m-{code}: .*", sheet)
        colours = re.findall(rf"--{tone}: +#([0-9a-f]{{6}});", tokens)
        assert len(pictures) == len(colours) == 3
        for picture, colour in zip(pictures, colours, strict=True):
            assert re.findall(r' d="([^"]+)"', PATHS[shape]) == re.findall(r" d='([^']+)'", picture)
            assert set(re.findall(r"%23([0-9a-f]{6})", picture)) == {colour}


# The frontier


def test_what_is_the_same_everywhere_is_folded(vic: User, service: Service) -> None:
    read_everything(service)
    response = signed_in(vic).get("/matrix")
    assert heading(response) == "Two of four revisions are not the same everywhere."
    assert list(drawn(response.content.decode())) == ["0004_step", "0003_step"]
    assert "0001–0002 Two revisions applied in all 3 environments · show" in text(response)


def test_what_is_pending_everywhere_is_folded_above(vic: User, service: Service) -> None:
    read_everything(service)
    make_revision(service, 5)
    make_revision(service, 6)
    response = signed_in(vic).get("/matrix")
    assert "0005–0006 Two revisions pending in all 3 environments · show" in text(response)
    assert list(drawn(response.content.decode())) == ["0004_step", "0003_step"]


def test_nothing_is_folded_that_nobody_has_read(vic: User, service: Service) -> None:
    assert len(drawn(page(vic))) == 4
    assert "applied in all" not in page(vic)


def test_identical_environments_are_said_to_be(vic: User, service: Service) -> None:
    read_everything(service)
    for name in ("prod-eu", "prod-us"):
        for seq in (3, 4):
            make_receipt(environment(name), seq)
    response = signed_in(vic).get("/matrix")
    assert heading(response) == "All 3 environments identical at 0004."
    assert "All 3 environments identical at 0004 ✓" in text(response)
    assert 'href="/matrix?service=orders&amp;mode=all"' in response.content.decode()
    assert "<title>✓ identical – Matrix of orders – Lockstep</title>" in response.content.decode()


def test_a_fold_opens_where_its_rows_begin(vic: User, service: Service) -> None:
    read_everything(service)
    assert "/matrix?service=orders&amp;mode=all&amp;before=2" in page(vic)
    assert list(drawn(page(vic, "?mode=all&before=2"))) == ["0002_step", "0001_step"]


def test_all_and_pending_on_the_last_stage(vic: User, service: Service) -> None:
    read_everything(service)
    make_receipt(environment("prod-us"), 3)
    assert len(drawn(page(vic, "?mode=all"))) == 4
    assert list(drawn(page(vic, "?mode=pending"))) == ["0004_step", "0003_step"]
    assert "Pending on prod 2" in text(signed_in(vic).get("/matrix"))


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [("drift", "No drift."), ("disorder", "Nothing is out of order."), ("pending", "Nothing is pending on prod.")],
)
def test_a_view_without_rows_says_why(vic: User, service: Service, mode: str, sentence: str) -> None:
    read_everything(service)
    for name in ("prod-eu", "prod-us"):
        for seq in (3, 4):
            make_receipt(environment(name), seq)
    assert sentence in text(signed_in(vic).get(f"/matrix?mode={mode}"))


def test_a_page_is_not_kept_for_later_than_its_services_were_read(
    vic: User, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service may be added between the two readings."""

    def read_and_overtaken() -> tuple[str, ...]:
        make_service(vic, "billing")
        return ("orders",)

    with monkeypatch.context() as patched:
        patched.setattr(matrix, "service_names", read_and_overtaken)
        assert "orders ·" in text(signed_in(vic).get("/matrix"))
    assert "billing ·" in text(signed_in(vic).get("/matrix"))


# Columns


def test_columns_stand_by_stage_and_the_feet_tell_the_lag(vic: User, service: Service) -> None:
    window = read_matrix(service)
    assert [(column.name, column.lag) for column in window.columns] == [("dev", 0), ("prod-eu", 2), ("prod-us", 4)]
    read_everything(service)
    Revision.objects.update(schema_rev="sc-1")
    Revision.objects.filter(position=4).update(schema_rev="sc-2")
    told = text(signed_in(vic).get("/matrix"))
    assert "head 0004 unlike most 0002 0002" in told
    assert "schema_rev sc-2 unlike most sc-1 sc-1" in told
    assert "behind 0 2 2" in told
    assert "behind for < 1 h < 1 h" in told


def test_a_target_that_is_out_of_reach_or_disagrees_is_never_drawn_as_fine(vic: User, service: Service) -> None:
    Environment.objects.filter(name="dev").update(reachability="unreachable")
    Environment.objects.filter(name="prod-eu").update(reconcile_note="Receipt 2 differs.")
    told = text(signed_in(vic).get("/matrix"))
    assert "One target disagrees with the ledger; one target out of reach" in told
    assert "cannot be reached" in told
    assert "ledger and target disagree" in told


def test_a_folded_stage_is_one_column_with_a_count(vic: User, service: Service) -> None:
    read_everything(service)
    make_receipt(environment("prod-eu"), 3)
    markup = page(vic, "?fold=prod")
    assert drawn(markup)["0003_step"] == ["A", "roll"]
    assert 'aria-label="prod, revision 0003_step: 1 applied, 1 pending">1/2</a>' in markup
    assert 'aria-expanded="false" title="Show the 2 environments of prod"' in markup
    assert 'href="/matrix?service=orders&amp;fold=prod"' in page(vic)
    assert 'aria-colcount="3"' in markup


def test_regions_are_grouped_when_one_holds_several(vic: User, service: Service) -> None:
    Environment.objects.filter(name="prod-us").update(region="us")
    make_environment(service, "prod-us-2", "prod", 4)
    Environment.objects.filter(name="prod-us-2").update(region="us")
    markup = page(vic)
    assert 'colspan="2" rowspan="1"><a href="/matrix?service=orders&amp;fold=prod%2Fus" aria-expanded="true"' in markup
    folded = page(vic, "?fold=prod/us")
    assert drawn(folded)["0004_step"] == ["A", "P", "roll"]
    assert 'aria-label="prod/us, revision 0004_step: 2 unknown">0/2</a>' in folded


def test_only_the_chosen_environments_are_compared(vic: User, service: Service) -> None:
    response = signed_in(vic).get("/matrix?env=dev&env=prod-eu")
    assert heading(response) == "Two of four revisions are not the same everywhere."
    assert drawn(response.content.decode()) == {"0004_step": ["A", "P"], "0003_step": ["A", "P"]}
    assert "env=dev&amp;env=prod-eu" in response.content.decode()


def test_compared_with_one_only_what_differs_is_drawn(vic: User, service: Service) -> None:
    rows = drawn(page(vic, "?mode=all&compare=prod-eu"))
    assert rows["0004_step"] == ["A", "P", "U"]
    assert rows["0002_step"] == ["same", "A", "U"]


def test_the_window_goes_on_at_its_key_and_never_grows_beyond_its_limit(service: Service) -> None:
    first = read_matrix(service, everything=True, limit=3)
    assert len(first.rows) == 3
    second = read_matrix(service, everything=True, limit=3, before=first.older)
    assert [row.revision_id for row in second.rows] == ["0001_step"]
    assert second.older is None
    assert len(read_matrix(service, everything=True, limit=10_000).rows) <= MAX_ROWS


def test_eighty_columns_are_drawn_and_the_others_have_an_address(vic: User, service: Service) -> None:
    for number in range(85):
        make_environment(service, f"test-{number:02}", "test", 10 + number)
    markup = page(vic)
    assert {len(row) for row in drawn(markup).values()} == {80}
    assert 'href="/matrix?service=orders&amp;from=80">More columns' in markup
    assert {len(row) for row in drawn(page(vic, "?from=80")).values()} == {8}


# Addresses


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("before=x", "“before” in this address is not a place in this list."),
        ("before=-3", "“before” in this address is not a place in this list."),
        ("before=²", "“before” in this address is not a place in this list."),
        ("before=99999999999999999999", "“before” in this address is not a place in this list."),
        ("before=9999999999", "“before” in this address is not a place among the 4 of orders."),
        ("before=5", "“before” in this address is not a place among the 4 of orders."),
        ("from=3", "“from” in this address is not one of 3 columns."),
        ("from=%00", "“from” in this address is not a place in this list."),
        ("mode=drifts", "“mode” in this address is not one of all, disorder, drift, pending."),
        ("env=nowhere", "“env” in this address is not an environment of orders that is shown."),
        ("compare=nowhere", "“compare” in this address is not an environment of orders that is shown."),
        ("env=%00", "“env” in this address is not an environment of orders that is shown."),
        ("compare=dev%00", "“compare” in this address is not an environment of orders that is shown."),
        ("fold=nope", "“fold” in this address is not a stage or region of orders that is shown."),
        ("fold=prod&fold=prod/x", "“fold” in this address is not a stage or region of orders that is shown."),
        ("fold=prod%00", "“fold” in this address is not a stage or region of orders that is shown."),
        ("env=dev&fold=prod", "“fold” in this address is not a stage or region of orders that is shown."),
        ("mode=%00", "“mode” in this address is not one of all, disorder, drift, pending."),
        ("env=dev&compare=prod-eu", "“compare” in this address is not an environment of orders that is shown."),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_a_sentence(
    vic: User, service: Service, query: str, sentence: str
) -> None:
    for path in ("/matrix", "/matrix/window"):
        response = signed_in(vic).get(f"{path}?service=orders&{query}")
        assert response.status_code == 400
        assert heading(response) == sentence
        assert "Nothing was looked up." in text(response)


def test_a_region_of_one_environment_is_simply_not_folded(vic: User, service: Service) -> None:
    """It may have been a group when its address was made."""
    assert drawn(page(vic, "?fold=prod/eu")) == drawn(page(vic))


def test_an_unknown_service_is_nothing(vic: User, service: Service) -> None:
    assert signed_in(vic).get("/matrix?service=nope").status_code == 404


def test_it_answers_without_a_service_an_environment_or_a_revision(vic: User) -> None:
    client = signed_in(vic)
    assert client.get("/matrix").status_code == 200
    service = make_service(vic, "empty")
    assert heading(client.get("/matrix")) == "This service has no revision yet."
    make_revision(service, 1)
    assert "no environment to apply it to" in heading(client.get("/matrix"))
    assert client.get("/matrix/window?service=empty").status_code == 200


# Markup


def test_every_cell_that_is_not_applied_is_a_link_with_a_full_name(vic: User, service: Service) -> None:
    markup = page(vic)
    assert '<a href="/matrix/orders/0004_step/prod-eu" aria-label="prod-eu, revision 0004_step: pending"></a>' in markup
    assert "dev, revision 0004_step: applied" not in markup


def test_names_are_escaped_however_they_came_in(vic: User, service: Service) -> None:
    evil = '"><img src=x>'
    Environment.objects.filter(name="prod-eu").update(name=evil, stage=evil, region=evil)
    Revision.objects.filter(position=4).update(revision_id=f"0004{evil}", schema_rev=evil)
    for query in ("", "?mode=all", f"?fold={quote(evil)}", f"?compare={quote(evil)}", f"?env={quote(evil)}&env=dev"):
        markup = page(vic, query)
        assert "<img" not in markup
        assert "&lt;img" in markup


def test_rows_and_columns_are_counted_for_those_who_do_not_see_them(vic: User, service: Service) -> None:
    markup = page(vic, "?mode=all&before=2")
    assert 'role="grid" aria-rowcount="9" aria-colcount="4"' in markup
    assert '<tr aria-rowindex="5"><th scope="row"><a href="/services/orders/revisions/0002_step" ' in markup
    assert '<th scope="col" class="env" data-env="dev">' in markup
    assert '<tr aria-rowindex="9" class="behind"><th scope="row">behind for</th>' in markup


def test_differences_are_told_in_words(vic: User, service: Service) -> None:
    window = read_matrix(service)
    told = {row.revision_id: words for row, words in differences(window.rows, window.columns)}
    assert told["0004_step"] == "pending on prod-eu; unknown on prod-us"
    assert "Pending on prod-eu; unknown on prod-us." in text(signed_in(vic).get("/matrix"))


# Polling


def test_a_poll_costs_nothing_while_nothing_has_changed(vic: User, service: Service) -> None:
    client = signed_in(vic)
    first = client.get("/matrix/window?service=orders")
    assert first.status_code == 200
    assert first["Cache-Control"] == "private, no-cache"
    with CaptureQueriesContext(connection) as queries:
        again = client.get("/matrix/window?service=orders", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert len(queries) <= 6
    assert first["ETag"].strip('W/"') in page(vic)


def test_a_window_is_sent_compressed_to_those_who_ask(vic: User, service: Service) -> None:
    plain = signed_in(vic).get("/matrix/window?service=orders")
    packed = signed_in(vic).get("/matrix/window?service=orders", headers={"Accept-Encoding": "br, gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert "Content-Encoding" not in plain
    assert "Accept-Encoding" in plain["Vary"]
    assert plain["ETag"] == packed["ETag"]


CHANGES: dict[str, Callable[[], object]] = {
    "a receipt": lambda: make_receipt(environment("prod-eu"), 3),
    "other bytes": lambda: AppliedRevision.objects.filter(environment__name="dev", seq=1).update(checksum="x"),
    "a run": lambda: make_run(environment("prod-eu"), User.objects.get(), from_revision="0002_step"),
    "a revision": lambda: make_revision(Service.objects.get(), 5),
    "an environment": lambda: make_environment(Service.objects.get(), "prod-ap", "prod", 4),
    "a target out of reach": lambda: Environment.objects.filter(name="dev").update(reachability="unreachable"),
    "a disagreement": lambda: Environment.objects.filter(name="dev").update(reconcile_note="It differs."),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_the_window_shows_changes_its_version(vic: User, service: Service, change: str) -> None:
    client = signed_in(vic)
    first = client.get("/matrix/window?service=orders")
    CHANGES[change]()
    again = client.get("/matrix/window?service=orders", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]


@pytest.mark.parametrize("query", ["", "&mode=all", "&compare=dev"])
def test_the_window_brings_the_sentences_and_tabs_that_stand_beside_it(vic: User, service: Service, query: str) -> None:
    def beside(markup: str) -> list[str]:
        return re.findall(
            r'(?s)<p id="matrix-said">.*?</p>|<div id="matrix-modes">.*?</div>\s*</div>| data-title=".*?"', markup
        )

    client = signed_in(vic)
    before = beside(page(vic, f"?service=orders{query}"))
    make_revision(service, 5)
    make_receipt(environment("prod-us"), 1)
    Environment.objects.filter(name="dev").update(reconcile_note="It differs.")
    told = client.get(f"/matrix/window?service=orders{query}").content.decode()
    assert "three environments, five revisions" in told
    assert "One target disagrees with the ledger" in told
    assert "All 5</a>" in told
    assert 'data-title="3 differ – Matrix of orders – Lockstep"' in told
    fresh = page(vic, f"?service=orders{query}")
    assert sorted(beside(told)) == sorted(beside(fresh)) != sorted(before)
    assert len(before) == 3
    assert "<title>3 differ – Matrix of orders – Lockstep</title>" in fresh


def test_another_look_at_a_target_that_agrees_changes_nothing(vic: User, service: Service) -> None:
    client = signed_in(vic)
    first = client.get("/matrix/window?service=orders")
    Environment.objects.filter(name="dev").update(checked_at="2026-01-01T00:00Z", reconciled_at="2026-01-01T00:00Z")
    again = client.get("/matrix/window?service=orders", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304


def test_it_asks_as_few_questions_of_a_large_fleet_as_of_a_small_one(vic: User, service: Service) -> None:
    read_everything(service)
    small = queries_of(vic)
    for position in range(5, 60):
        make_revision(service, position)
    for number in range(20):
        place = make_environment(service, f"test-{number:02}", "test", 10 + number)
        for seq in range(1, 4 + number):
            make_receipt(place, seq)
    assert queries_of(vic) == small
    assert small <= 11


def queries_of(user: User) -> int:
    """Drawn anew, but with the search for oddities behind it: that one is made once for each change."""
    client = signed_in(user)
    client.get("/matrix?mode=all")
    with CaptureQueriesContext(connection) as queries:
        client.get("/matrix")
    return len(queries)


# One cell, and two columns


def test_a_cell_has_a_page_and_a_remark(vic: User, service: Service) -> None:
    client = signed_in(vic)
    response = client.get("/matrix/orders/0002_step/prod-eu")
    assert heading(response) == "0002_step on prod-eu: applied."
    assert "olga" in text(response)
    assert "sha256:2" in text(response)
    remark = client.get("/matrix/orders/0002_step/prod-eu/remark")
    assert remark["Content-Type"] == "text/plain; charset=utf-8"
    assert remark["Cache-Control"] == "private, max-age=10"
    lines = remark.content.decode().splitlines()
    assert lines[0] == "prod-eu, revision 0002_step: applied"
    assert lines[1].startswith("applied 1.0 s ago, 20")
    assert lines[2:4] == ["by olga", "checksum 2"]
    assert lines[4] == "compared with its target 1.0 s ago"


def test_a_pending_cell_leads_to_the_plan(vic: User, service: Service) -> None:
    response = signed_in(vic).get("/matrix/orders/0004_step/prod-eu")
    assert heading(response) == "0004_step on prod-eu: pending."
    assert 'href="/services/orders/environments/prod-eu?to=0004_step#plan"' in response.content.decode()
    assert "No receipt." in text(response)


def test_a_failed_cell_names_its_run(vic: User, service: Service) -> None:
    run = make_run(environment("prod-eu"), vic, status="failed", from_revision="0002_step")
    RunStep.objects.filter(run=run).update(revision_id="0003_step", status="failed")
    response = signed_in(vic).get("/matrix/orders/0003_step/prod-eu")
    assert heading(response) == "0003_step on prod-eu: failed."
    assert f'href="/runs/{run.pk}"' in response.content.decode()
    remark = signed_in(vic).get("/matrix/orders/0003_step/prod-eu/remark").content.decode()
    assert f"newest run: {run.pk}" in remark


def test_a_cell_that_was_never_compared_says_so(vic: User, service: Service) -> None:
    response = signed_in(vic).get("/matrix/orders/0001_step/prod-us")
    assert "Never compared with its target, so nothing is known for certain." in text(response)
    assert "never compared" in signed_in(vic).get("/matrix/orders/0001_step/prod-us/remark").content.decode()


def test_a_rolled_back_revision_keeps_its_receipts(vic: User, service: Service) -> None:
    entry = LedgerEntry.objects.get(environment__name="prod-eu", revision_id="0002_step")
    entry.pk, entry.seq, entry.direction = None, 3, "down"
    entry.save()
    AppliedRevision.objects.filter(environment__name="prod-eu", revision_id="0002_step").delete()
    Environment.objects.filter(name="prod-eu").update(head_revision="0001_step", head_seq=3)
    told = text(signed_in(vic).get("/matrix/orders/0002_step/prod-eu"))
    assert "two receipts, newest first" in told
    assert "rolled back" in told


@pytest.mark.parametrize("path", ["orders/0009_x/dev", "orders/0001_step/nowhere", "nope/0001_step/dev"])
def test_what_does_not_exist_has_no_cell(vic: User, service: Service, path: str) -> None:
    assert signed_in(vic).get(f"/matrix/{path}").status_code == 404
    assert signed_in(vic).get(f"/matrix/{path}/remark").status_code == 404


def test_two_columns_are_compared_by_what_differs(vic: User, service: Service) -> None:
    response = signed_in(vic).get("/matrix/diff?service=orders&a=dev&b=prod-eu")
    assert heading(response) == "Two revisions differ between dev and prod-eu."
    told = text(response)
    assert "0004_step" in told
    assert "0002_step" not in told.partition("Revisions that differ")[2]
    assert 'aria-label="prod-eu, revision 0003_step: pending"' in unescape(response.content.decode())


def test_identical_columns_are_said_to_be(vic: User, service: Service) -> None:
    make_environment(service, "dev-2", "dev", 1)
    for seq in (1, 2, 3, 4):
        make_receipt(environment("dev-2"), seq)
    response = signed_in(vic).get("/matrix/diff?service=orders&a=dev&b=dev-2")
    assert heading(response) == "dev and dev-2 are identical."
    assert "4 revisions applied in both" in text(response)


def test_one_column_with_all_others_is_the_matrix_compared(vic: User, service: Service) -> None:
    response = signed_in(vic).get("/matrix/diff?service=orders&a=dev&b=")
    assert response.status_code == 302
    assert response["Location"] == "/matrix?service=orders&compare=dev"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "“a” in this address is not an environment of orders."),
        ("&a=dev&b=dev", "“b” in this address is not another environment than “a”."),
        ("&a=dev&b=nowhere", "“b” in this address is not an environment of orders."),
        ("&a=dev&b=prod-eu&before=x", "“before” in this address is not a place in this list."),
    ],
)
def test_columns_that_cannot_be_compared_are_refused(vic: User, service: Service, query: str, sentence: str) -> None:
    response = signed_in(vic).get(f"/matrix/diff?service=orders{query}")
    assert response.status_code == 400
    assert heading(response) == sentence
