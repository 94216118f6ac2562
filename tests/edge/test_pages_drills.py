"""The pages of drills, without JavaScript: preparing one, pressing, checking, finishing; the list and its files."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from migrations_app.models import AuditEntry, Drill, Environment
from tests.browser.client import heading, signed_in, text
from tests.edge.drills import held, press, ready, shift
from tests.edge.fleet import make_environment

pytestmark = pytest.mark.django_db

START = "/rehearsals/drills/start"


def planned(**changes: str) -> dict[str, str]:
    """What the form of the start page sends."""
    numbers = range(1, 6)
    steps = {f"planned_{n}": "60" for n in numbers} | {f"commands_{n}": f"echo {n}" for n in numbers}
    return {"trigger_reason": "before the cutover", "limit_s": "900", **steps, **changes}


def newest() -> Drill:
    return Drill.objects.select_related("environment__service", "operator").latest("pk")


def test_it_says_so_when_nothing_was_ever_rehearsed(client: Client, environment: Environment) -> None:
    page = client.get("/rehearsals")
    assert heading(page) == "No recovery was ever practised."
    assert f'href="{START}"' in page.content.decode()
    assert "1 of 1 without a success in the last 14 d" in text(page)


def test_a_drill_is_held_from_the_form_to_its_result_by_plain_forms(client: Client, environment: Environment) -> None:
    place = f"{START}?service=orders&environment=orders-eu&scenario=schema"
    assert "Choose one of its environments and a scenario." in text(client.get(START))  # there is one service
    assert heading(client.get(place)) == "Prepare a drill on orders-eu: schema bug"
    made = client.post(place, planned(commands_2="manage.py rollback orders orders-eu"))
    drill = newest()
    watch = f"/rehearsals/drills/{drill.uid}/stopwatch"
    assert (made.status_code, made["Location"]) == (302, watch)
    assert heading(client.get(watch)) == "Schema bug on orders-eu: ready, the clock stands still."
    for lap in range(6):
        answer = client.post(f"/rehearsals/drills/{drill.uid}/next", {"lap": str(lap)}, follow=True)
        if lap == 1:
            assert "manage.py rollback orders orders-eu" in text(answer)
        assert heading(answer).startswith("Schema bug on orders-eu: ")
    assert heading(client.get(watch)) == "Schema bug on orders-eu: all five steps have ended, it wants to be finished."
    check = {"side": "after", "kind": "smoke", "name": "the first page opens", "passed": "yes"}
    client.post(f"/rehearsals/drills/{drill.uid}/check", check)
    client.post(f"/rehearsals/drills/{drill.uid}/step", {"step": "2", "commands": "x", "output": "done", "note": "n"})
    client.post(f"/rehearsals/drills/{drill.uid}/follow-up", {"what": "shorten step 2", "owner": "ann", "due": ""})
    client.post(f"/rehearsals/drills/{drill.uid}/runbook", {"link": "https://wiki.example.com/runbook?v=7"})
    told = client.post(f"/rehearsals/drills/{drill.uid}/finish", {"issues_found": "none"}, follow=True)
    drill.refresh_from_db()
    assert (drill.status, drill.result) == ("finished", "passed")
    assert "The drill is finished: passed." in text(told)
    page = client.get(f"/rehearsals/drills/{drill.uid}")
    assert heading(page).startswith("Schema bug on orders-eu: recovered in ")
    assert "shorten step 2" in text(page)
    assert 'href="https://wiki.example.com/runbook?v=7"' in page.content.decode()
    assert re.match(r"Last success \d+(\.\d)? m?s ago \(limit 14 d\), in ", heading(client.get("/rehearsals")))


def test_the_form_names_what_is_wrong_and_prepares_nothing(client: Client, environment: Environment) -> None:
    place = f"{START}?service=orders&environment=orders-eu&scenario=schema"
    answer = client.post(place, planned(trigger_reason="", planned_3="0"))
    assert answer.status_code == 422
    assert "Nothing was saved." in text(answer)
    assert not Drill.objects.exists()
    client.post(place, planned())
    again = client.post(place, planned())
    assert again.status_code == 422
    assert "A drill on orders-eu is under way already." in text(again)


def test_a_press_that_was_counted_is_told_and_not_counted_again(
    client: Client, environment: Environment, olga: User
) -> None:
    drill = press(ready(environment, olga), olga)
    for _ in range(2):
        answer = client.post(f"/rehearsals/drills/{drill.uid}/next", {"lap": "1"}, follow=True)
    assert "That press was counted already" in text(answer)
    drill.refresh_from_db()
    assert (drill.step, drill.lap) == (2, 2)


def test_the_script_hears_in_json_what_became_of_its_press(
    client: Client, environment: Environment, olga: User
) -> None:
    drill = ready(environment, olga)
    address = f"/rehearsals/drills/{drill.uid}/next"
    sent = client.post(address, {"lap": "0", "held_ms": "0"}, headers={"X-Requested-With": "fetch"})
    assert json.loads(sent.content) == {"saved": True, "lap": 1}
    refused = client.post(address, {"lap": "7"}, headers={"X-Requested-With": "fetch"})
    assert refused.status_code == 409
    assert json.loads(refused.content)["code"] == "lap_passed"
    assert json.loads(client.get(f"/rehearsals/drills/{drill.uid}/state").content) == {"lap": 1, "status": "running"}
    garbled = client.post(address, {"lap": "one"}, headers={"X-Requested-With": "fetch"})
    assert json.loads(garbled.content)["code"] == "no_number"


def test_a_pause_above_a_minute_asks_for_a_note(client: Client, environment: Environment, olga: User) -> None:
    drill = press(press(ready(environment, olga), olga), olga, pause=True)
    address = f"/rehearsals/drills/{drill.uid}/next"
    assert "Why it rested" in text(client.get(f"/rehearsals/drills/{drill.uid}/stopwatch"))
    shift(drill, step_1_ended=61)
    refused = client.post(address, {"lap": "2"}, follow=True)
    assert "The pause after step 1 took 61 s, and above 60 s a note is required." in text(refused)
    told = client.post(address, {"lap": "2", "note": "waited for the key"}, follow=True)
    assert "Step 2 runs." in text(told)
    assert drill.interventions.get().note == "waited for the key"


def test_viewers_see_everything_and_are_told_who_may(
    vic: User, environment: Environment, olga: User, client: Client
) -> None:
    drill = ready(environment, olga)
    looking = signed_in(vic)
    page = looking.get(f"/rehearsals/drills/{drill.uid}/stopwatch")
    assert "Needs one of these roles: operator, on-call, release-manager." in text(page)
    assert "data-press" not in page.content.decode()
    assert (
        "<form"
        not in looking.get(f"/rehearsals/drills/{drill.uid}")
        .content.decode()
        .partition("<main")[2]
        .partition("</main")[0]
    )
    before = AuditEntry.objects.count()
    assert looking.post(f"/rehearsals/drills/{drill.uid}/next", {"lap": "0"}).status_code == 403
    assert looking.post(f"/rehearsals/drills/{drill.uid}/abandon", {"reason": "x"}).status_code == 403
    assert AuditEntry.objects.count() == before + 2
    drill.refresh_from_db()
    assert (drill.lap, drill.status) == (0, "ready")


def test_there_is_no_other_verb_and_none_by_get(client: Client, environment: Environment, olga: User) -> None:
    drill = ready(environment, olga)
    assert client.post(f"/rehearsals/drills/{drill.uid}/explode").status_code == 404
    assert client.get(f"/rehearsals/drills/{drill.uid}/finish").status_code == 405
    assert client.get("/rehearsals/drills/00000000-0000-0000-0000-000000000000").status_code == 404


def test_the_list_tells_the_last_success_and_its_age(client: Client, environment: Environment, olga: User) -> None:
    held(environment, olga, ended=timezone.now() - timedelta(days=6, minutes=1))
    page = client.get("/rehearsals")
    assert heading(page) == "Last success 6 d ago (limit 14 d), in 1 min 30 s."
    assert "p95 of the last 1 = 1 min 30 s." in text(page)
    Drill.objects.update(finished_at=timezone.now() - timedelta(days=15))
    assert heading(client.get("/rehearsals")) == "Last success 15 d ago, and the limit is 14 d: practise again."
    Drill.objects.update(result="failed")
    assert heading(client.get("/rehearsals")) == "No drill has passed yet."


def test_the_list_is_narrowed_by_its_address(client: Client, environment: Environment, olga: User) -> None:
    other = make_environment(environment.service, "orders-us")
    held(environment, olga)
    held(other, olga, result="failed", scenario="data")
    ready(other, olga, scenario="feature")

    def shown(query: str) -> int:
        return client.get(f"/rehearsals?{query}").content.decode().count("data-pick>")

    assert shown("") == 3
    assert shown("environment=orders-us") == 2
    assert shown("scenario=data") == 1
    assert shown("result=failed") == 1
    assert shown("result=open") == 1
    assert shown("service=orders&result=abandoned") == 0
    assert "No drill fits this filter." in text(client.get("/rehearsals?result=abandoned"))
    assert client.get("/rehearsals?scenario=nothing").status_code == 400
    assert client.get("/rehearsals?before=5").status_code == 400


def test_a_long_list_has_pages(client: Client, environment: Environment, olga: User) -> None:
    for _ in range(51):
        held(environment, olga)
    first = client.get("/rehearsals")
    assert first.content.decode().count("data-pick>") == 50
    older = first.content.decode().partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    assert client.get(older.replace("&amp;", "&")).content.decode().count("data-pick>") == 1


def test_two_picked_drills_are_compared_and_the_earlier_one_is_the_measure(
    client: Client, environment: Environment, olga: User
) -> None:
    one = held(environment, olga, (10, 60, 30, 20, 10))
    other = held(environment, olga, (12, 73, 30, 20, 5))
    answer = client.get("/rehearsals/compare", {"pick": [str(other.uid), str(one.uid)]})
    assert answer["Location"] == f"/rehearsals/compare?a={one.uid}&b={other.uid}"
    page = client.get(answer["Location"])
    assert heading(page) == "One step took more than 20 % longer."
    assert "22 % slower" in text(page)
    assert "20 % slower" in text(page)
    assert "50 % faster" in text(page)
    assert page.content.decode().count("data-problem") == 1
    only = client.get("/rehearsals/compare", {"pick": [str(one.uid)]}, follow=True)
    assert "Pick two drills to compare; one drill came." in text(only)
    assert client.get("/rehearsals/compare?a=zz&b=zz").status_code == 400
    assert heading(client.get("/rehearsals/compare")) == "Choose two drills to compare."


def test_the_levers_lead_from_what_is_seen_to_the_place_where_it_is_undone(
    client: Client, environment: Environment
) -> None:
    page = client.get("/rehearsals/levers").content.decode()
    for key in ("application", "feature", "schema", "data", "integration"):
        assert f'href="#{key}"' in page
        assert f'id="{key}"' in page
    chosen = client.get("/rehearsals/levers?service=orders&environment=orders-eu").content.decode()
    assert 'href="/services/orders/environments/orders-eu?direction=down#plan"' in chosen
    assert client.get("/rehearsals/levers?service=orders&environment=none").status_code == 404


def rows_of(answer: Any) -> list[dict[str, str]]:
    raw = b"".join(answer) if answer.streaming else answer.content
    return list(csv.DictReader(io.StringIO(raw.decode())))


def test_the_list_is_exported_with_its_filter_and_without_formulas(
    client: Client, environment: Environment, olga: User
) -> None:
    held(environment, olga, scenario="data")
    drill = held(environment, olga)
    Drill.objects.filter(pk=drill.pk).update(trigger_reason='=HYPERLINK("http://x")')
    rows = rows_of(client.get("/rehearsals/export.csv?scenario=schema"))
    assert len(rows) == 1
    assert rows[0]["trigger_reason"] == '\'=HYPERLINK("http://x")'
    assert (rows[0]["recovery_s"], rows[0]["step_2_s"], rows[0]["interventions"]) == ("90.0", "60.0", "0")
    answer: Any = client.get("/rehearsals/export.json")
    told = json.loads(b"".join(answer))
    assert [row["scenario"] for row in told] == ["schema", "data"]
    assert told[0]["trigger_reason"] == '=HYPERLINK("http://x")'
    assert client.get("/rehearsals/export.xls").status_code == 404


def test_one_drill_is_exported_in_full(client: Client, environment: Environment, olga: User) -> None:
    held(environment, olga, (10, 55, 30, 20, 10))
    drill = held(environment, olga)
    told = json.loads(client.get(f"/rehearsals/drills/{drill.uid}/export.json").content)
    assert told["result"] == "passed"
    assert [(step["actual_s"], step["last_s"], step["best_s"]) for step in told["steps"]][:2] == [
        (10.0, 10.0, 10.0),
        (60.0, 55.0, 55.0),
    ]
    assert told["checks"][0]["name"] == "the first page opens"
    assert told["follow_up_actions"] == []
    rows = rows_of(client.get(f"/rehearsals/drills/{drill.uid}/export.csv"))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert client.get(f"/rehearsals/drills/{drill.uid}/export.txt").status_code == 404
