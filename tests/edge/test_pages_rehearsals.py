"""Rehearsals on clones as pages: the list, one rehearsal, what of it moves, its log, export and buttons."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from migrations_app.engine.sql.script import SPLITTER
from migrations_app.models import AuditEntry, Environment, Rehearsal, Revision, Service
from tests.browser.client import signed_in, text
from tests.edge.fleet import make_environment, make_revision, make_run
from tests.edge.people import person
from tests.edge.rehearsals import ERROR, LOSS, TRACE, make_lines, make_part, make_rehearsal, make_rehearsed

pytestmark = pytest.mark.django_db

SCRIPT = {"steps": [], "settings": [], "atomic": False, "splitter": SPLITTER}


@pytest.fixture
def revisions(service: Service) -> list[Revision]:
    return [make_revision(service, n, down_checksum=f"sha256:down{n}", up_script=SCRIPT) for n in range(1, 5)]


@pytest.fixture
def rehearsal(environment: Environment, revisions: list[Revision], olga: User) -> Rehearsal:
    found = make_rehearsal(environment, olga, reason="before the release")
    make_part(found, revisions[0], traces=[TRACE], fp_before="fp:v2:a", fp_after="fp:v2:b", fp_back="fp:v2:a")
    make_part(found, revisions[1], "lossy", fp_before="fp:v2:b", fp_back="fp:v2:x")
    make_part(found, revisions[2], "irreversible")
    make_lines(found, "cloned 2 tables", "<b>bold</b>")
    return found


def page(client: Client, rehearsal: Rehearsal, query: str = "") -> str:
    return text(client.get(f"/rehearsals/{rehearsal.pk}{query}"))


def test_it_tells_the_verdict_first_and_each_revision_after_it(client: Client, rehearsal: Rehearsal) -> None:
    told = page(client, rehearsal)
    assert "Of 3 revisions, 1 irreversible, 1 lossy, 1 reversible." in told
    assert "3 of 3 have their verdict" in told
    assert "Column public.orders.note is gone." in told
    assert "It was refused." in told
    assert "before the release" in told


def test_it_says_of_one_without_a_way_back_why_and_never_that_nothing_is_lost(
    client: Client, environment: Environment, revisions: list[Revision], olga: User
) -> None:
    found = make_rehearsal(environment, olga)
    make_part(found, revisions[0], "irreversible", error=None, down_checksum="")
    told = page(client, found)
    assert "It cannot be rolled back: there is no down file." in told
    assert "There is no down file." in told
    assert "nothing" not in told


def test_it_opens_on_the_first_that_is_not_reversible_and_the_address_names_another(
    client: Client, rehearsal: Rehearsal
) -> None:
    assert "What is not as it was before 0002_step" in page(client, rehearsal)
    told = page(client, rehearsal, "?revision=0001_step")
    assert "ALTER TABLE orders" in told
    assert "ACCESS EXCLUSIVE public.orders" in told
    assert "public.orders: 20,000 updated, 3 deleted" in told
    assert "view public.totals cascade" in told
    assert "4.2 MB" in told
    assert "as before" in told
    assert client.get(f"/rehearsals/{rehearsal.pk}?revision=0009_none").status_code == 404


def test_only_what_is_not_reversible_is_a_choice(client: Client, rehearsal: Rehearsal) -> None:
    told = client.get(f"/rehearsals/{rehearsal.pk}?only=not-reversible").content.decode()
    assert 'id="part-1"' not in told
    assert 'id="part-2"' in told
    assert client.get(f"/rehearsals/{rehearsal.pk}?only=best").status_code == 400


def test_a_long_chain_is_a_window(client: Client, environment: Environment, service: Service, olga: User) -> None:
    found = make_rehearsed(environment, olga, [make_revision(service, n) for n in range(1, 103)])
    first = client.get(f"/rehearsals/{found.pk}").content.decode()
    assert 'id="part-100"' in first
    assert 'id="part-101"' not in first
    older = first.split('" rel="next">Older')[0].rpartition('href="')[2].replace("&amp;", "&")
    rest = client.get(older).content.decode()
    assert 'id="part-101"' in rest
    assert 'id="part-100"' not in rest


def test_a_viewer_reads_verdicts_but_neither_sql_nor_lines(vic: User, rehearsal: Rehearsal) -> None:
    told = page(signed_in(vic), rehearsal, "?revision=0001_step")
    assert "Of 3 revisions" in told
    assert "ALTER TABLE orders" not in told
    assert "cloned 2 tables" not in told
    assert "Reading SQL needs one of these roles" in told
    assert "Reading logs needs one of these roles" in told
    assert "Needs one of these roles: operator, on-call, release-manager." in told


def test_the_clone_tells_what_it_holds(client: Client, rehearsal: Rehearsal) -> None:
    told = page(client, rehearsal)
    for words in ("lockstep_reh_0123abcd_0123456789ab", "20,000", "1,234,567", "9.9 GB", "a sample", "whole", "1.8 s"):
        assert words in told


def test_a_backup_tells_its_age_and_what_was_applied_to_it(client: Client, rehearsal: Rehearsal) -> None:
    backup = {"name": "shop@spare:5432/shop", "head": "0001_step", "seq": 1, "brought_up": ["0002_step"]}
    clone = {**(rehearsal.clone or {}), "backup": {**backup, "last_receipt_at": "2026-01-02T03:04:05+00:00"}}
    Rehearsal.objects.update(ground="backup", clone=clone)
    told = page(client, rehearsal)
    for words in ("the restored backup shop@spare:5432/shop", "its last receipt, of 0001_step", "In the backup"):
        assert words in told
    raw = client.get(f"/rehearsals/{rehearsal.pk}").content.decode()
    assert '<input type="hidden" name="on" value="backup">' in raw
    assert 'datetime="2026-01-02T03:04:05Z"' in raw or "2026-01-02T03:04:05" in raw


def test_a_backup_is_offered_where_one_is_named(
    client: Client, environment: Environment, revisions: list[Revision]
) -> None:
    here = "/services/orders/environments/orders-eu"
    assert "on the backup" not in text(client.get(here))
    Environment.objects.update(backup_kind="env", backup_reference="SHOP_BACKUP", backup_name="shop@spare:5432/shop")
    assert "The restored backup is shop@spare:5432/shop" in text(client.get(here))
    client.post(f"{here}/rehearse", {"direction": "up", "on": "backup"})
    assert Rehearsal.objects.get(status="queued").ground == "backup"


def test_a_backup_is_named_and_forgotten_under_change(environment: Environment) -> None:
    adam = signed_in(person("adam", "admin"))
    here = "/services/orders/environments/orders-eu"
    answer = adam.post(f"{here}/backup", {"dsn": "env:SHOP_BACKUP"}, follow=True)
    assert "The environment variable SHOP_BACKUP is not set for this process." in text(answer)
    Environment.objects.update(backup_kind="env", backup_reference="SHOP_BACKUP", backup_name="shop@spare:5432/shop")
    shown = text(adam.get(f"{here}/edit"))
    assert "shop@spare:5432/shop" in shown and "environment variable SHOP_BACKUP" in shown
    adam.post(f"{here}/backup", {"forget": "yes"})
    assert Environment.objects.get().backup_name == ""


def test_what_people_wrote_is_escaped(client: Client, rehearsal: Rehearsal) -> None:
    told = client.get(f"/rehearsals/{rehearsal.pk}").content.decode()
    assert "<b>bold</b>" not in told
    assert "&lt;b&gt;bold" in told


def test_it_is_asked_again_while_it_is_open_and_hears_304_while_nothing_moves(
    client: Client, environment: Environment, olga: User
) -> None:
    found = make_rehearsal(environment, olga, "running", doing="1 of 3: 0001_step, trace", revisions=[{}, {}, {}])
    whole = client.get(f"/rehearsals/{found.pk}").content.decode()
    assert f'hx-get="/rehearsals/{found.pk}/live?drawn=' in whole
    assert "At work on a clone: 1 of 3: 0001_step, trace." in whole
    assert whole.count('aria-current="step"') == 1
    answer = client.get(f"/rehearsals/{found.pk}/live")
    tag = answer["ETag"]
    again = client.get(f"/rehearsals/{found.pk}/live", headers={"If-None-Match": tag})
    assert again.status_code == 304
    make_lines(found, "one more line")
    moved = client.get(f"/rehearsals/{found.pk}/live", headers={"If-None-Match": tag})
    assert "one more line" in text(moved)
    Rehearsal.objects.filter(pk=found.pk).update(status="cancelled")
    over = client.get(f"/rehearsals/{found.pk}/live?drawn=running.0").content.decode()
    assert "data-poll" not in over
    assert "Rehearse again" in over


def test_a_poll_leaves_the_buttons_alone_while_they_are_the_same(
    client: Client, environment: Environment, olga: User
) -> None:
    found = make_rehearsal(environment, olga, "running")
    same = client.get(f"/rehearsals/{found.pk}/live?drawn=running.0").content.decode()
    assert 'id="actions"' not in same
    assert 'id="actions"' in client.get(f"/rehearsals/{found.pk}/live?drawn=queued.0").content.decode()


def test_the_failure_is_told_in_its_sentences(client: Client, environment: Environment, olga: User) -> None:
    found = make_rehearsal(environment, olga, "failed", error=ERROR)
    told = page(client, found)
    for sentence in ("It was refused.", "It stands.", "Correct it.", "No clone was made."):
        assert sentence in told


def test_it_is_cancelled_from_its_page(client: Client, environment: Environment, olga: User) -> None:
    found = make_rehearsal(environment, olga, "queued")
    client.post(f"/rehearsals/{found.pk}/cancel", {"reason": "not now"})
    found.refresh_from_db()
    assert found.status == "cancelled"
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert (entry.data["action"], entry.data["after"]) == ("rehearsal.cancel", {"reason": "not now"})
    told = text(client.post(f"/rehearsals/{found.pk}/cancel", follow=True))
    assert "The rehearsal is cancelled." in told


def test_it_is_rehearsed_again_as_it_was(client: Client, environment: Environment, rehearsal: Rehearsal) -> None:
    Rehearsal.objects.filter(pk=rehearsal.pk).update(to_revision="0003_step")
    form = client.get(f"/rehearsals/{rehearsal.pk}").content.decode()
    assert '<input type="hidden" name="to" value="0003_step">' in form
    answer = client.post("/services/orders/environments/orders-eu/rehearse", {"direction": "up", "to": "0003_step"})
    again = Rehearsal.objects.get(status="queued")
    assert answer["Location"] == f"/rehearsals/{again.pk}"
    assert [one["revision_id"] for one in again.revisions] == ["0001_step", "0002_step", "0003_step"]


def test_a_refusal_is_told_on_the_environments_page(
    client: Client, environment: Environment, revisions: list[Revision], olga: User
) -> None:
    make_run(environment, olga)
    answer = client.post("/services/orders/environments/orders-eu/rehearse", {"direction": "up"}, follow=True)
    assert "so its schema is about to change" in text(answer)
    assert not Rehearsal.objects.exists()


def test_the_export_is_what_the_api_tells(client: Client, rehearsal: Rehearsal) -> None:
    answer = client.get(f"/rehearsals/{rehearsal.pk}/export.json")
    told = json.loads(answer.content)
    assert answer["Content-Disposition"] == f'attachment; filename="rehearsal-{rehearsal.pk}.json"'
    assert [part["verdict"] for part in told["parts"]] == ["reversible", "lossy", "irreversible"]
    assert told["parts"][1]["losses"] == [LOSS]


def test_the_whole_log_is_a_page(client: Client, rehearsal: Rehearsal) -> None:
    told = text(client.get(f"/rehearsals/{rehearsal.pk}/log"))
    assert "Lines 1 to 2, the newest last." in told
    assert "cloned 2 tables" in told
    assert "No line lies here." in text(client.get(f"/rehearsals/{rehearsal.pk}/log?after=2"))


def test_the_list_is_newest_first_and_filtered_by_its_address(
    client: Client, environment: Environment, rehearsal: Rehearsal, service: Service, olga: User
) -> None:
    other = make_rehearsal(make_environment(service, "dev", "dev"), olga, "queued")
    told = client.get("/rehearsals/clones").content.decode()
    assert told.index(f'id="rehearsal-{other.pk}"') < told.index(f'id="rehearsal-{rehearsal.pk}"')
    assert "0001 … 0003" in told
    only = client.get("/rehearsals/clones?environment=dev").content.decode()
    assert f'id="rehearsal-{rehearsal.pk}"' not in only
    assert "No rehearsal fits this filter." in text(client.get("/rehearsals/clones?service=none"))


def test_the_list_goes_on_by_number(client: Client, environment: Environment, olga: User) -> None:
    rows = [make_rehearsal(environment, olga) for _ in range(51)]
    first = client.get("/rehearsals/clones").content.decode()
    assert f'id="rehearsal-{rows[0].pk}"' not in first
    older = first.split('" rel="next">Older')[0].rpartition('href="')[2].replace("&amp;", "&")
    assert f'id="rehearsal-{rows[0].pk}"' in client.get(older).content.decode()
    assert client.get("/rehearsals/clones?before=7").status_code == 400


def test_the_empty_list_says_where_to_begin(client: Client) -> None:
    assert "Nothing was rehearsed yet." in text(client.get("/rehearsals/clones"))
