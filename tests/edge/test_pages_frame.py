"""What every page carries: one heading, the policy, a request id, the reader's theme, and nothing inline."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from dashboard.middleware import CONTENT_SECURITY_POLICY, NamedErrors
from migrations_app.engine.errors import Refused
from migrations_app.permissions import ADMIN, OPERATOR, VIEWER
from tests.browser.client import heading, signed_in, text
from tests.edge.people import person

PLAIN_PAGES = ("home", "matrix", "history", "runs", "services", "revisions", "tokens")
TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))
STYLES = sorted(Path(settings.BASE_DIR, "static", "css").glob("*.css"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_it_has_no_inline_style_script_or_handler(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=|hx-on|javascript:|\|safe\b|mark_safe", source)
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)


@pytest.mark.parametrize("sheet", STYLES, ids=lambda path: path.name)
def test_a_style_sheet_is_short_and_names_colours_in_the_tokens_only(sheet: Path) -> None:
    source = sheet.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 150
    if sheet.name not in ("tokens.css", "print.css"):
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", source)


@pytest.mark.django_db
@pytest.mark.parametrize("name", PLAIN_PAGES)
def test_it_answers_a_viewer_with_one_heading_the_policy_and_a_request_id(name: str) -> None:
    response = signed_in(person("vic", VIEWER)).get(reverse(name))
    assert response.status_code == 200
    assert heading(response)
    assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert response["X-Request-ID"]
    assert "private" in response["Cache-Control"]
    tabs = response.content.count(b'class="tabs"')
    # The wide navigation, the folded one, and a row of tabs where the page has one.
    assert response.content.count(b'aria-current="page"') == 2 + tabs


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*PLAIN_PAGES, "audit", "service_add", "find"])
def test_it_sends_a_stranger_to_sign_in(name: str) -> None:
    response = Client().get(reverse(name))
    assert response.status_code == 302
    assert response["Location"].startswith("/login?next=")


@pytest.mark.django_db
def test_it_keeps_a_harmless_request_id_and_replaces_any_other() -> None:
    client = Client()
    assert client.get("/login", headers={"X-Request-ID": "deploy-20261120"})["X-Request-ID"] == "deploy-20261120"
    assert client.get("/login", headers={"X-Request-ID": 'x" onload=1'})["X-Request-ID"] != 'x" onload=1'


@pytest.mark.django_db
def test_it_draws_the_chosen_theme_from_the_first_byte() -> None:
    client = signed_in(person("vic", VIEWER))
    assert b"data-theme=" not in client.get("/").content
    response = client.post("/theme", {"theme": "dark", "next": "/runs?view=open"})
    assert response["Location"] == "/runs?view=open"
    assert b'<html lang="en" data-theme="dark">' in client.get("/").content
    client.post("/theme", {"theme": "auto"})
    assert b'<html lang="en">' in client.get("/").content


@pytest.mark.django_db
@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_theme_never_leads_away_from_here(elsewhere: str) -> None:
    response = Client().post("/theme", {"theme": "pink", "next": elsewhere})
    assert response["Location"] == "/"
    assert not response.cookies


@pytest.mark.django_db
def test_the_navigation_shows_only_what_the_role_may_open() -> None:
    assert "/audit" not in signed_in(person("vic", VIEWER)).get("/").content.decode()
    assert "/audit" in signed_in(person("olga", OPERATOR)).get("/").content.decode()


@pytest.mark.django_db
def test_a_refusal_names_the_role_that_is_needed() -> None:
    response = signed_in(person("vic", VIEWER)).get(reverse("service_add"))
    assert response.status_code == 403
    assert ADMIN in text(response)
    assert "Nothing was" in text(response)


@pytest.mark.django_db
def test_an_unknown_address_says_so_inside_the_frame() -> None:
    response = signed_in(person("vic", VIEWER)).get("/nothing/here")
    assert response.status_code == 404
    assert heading(response) == "There is nothing at this address."
    assert "/nothing/here" in text(response)


@pytest.mark.django_db
def test_the_sign_in_page_says_what_went_wrong_and_keeps_the_name() -> None:
    client = Client()
    assert heading(client.get("/login")) == "Sign in"
    response = client.post("/login", {"username": "olga", "password": "wrong"})
    assert 'value="olga"' in response.content.decode()
    assert 'role="alert"' in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/theme", "/"),
        ("/logout", "/"),
        ("/audit/verify", "/audit"),
        ("/tokens/7/revoke", "/tokens"),
        ("/runs/7/cancel", "/runs/7"),
        ("/services/a/environments/b/check", "/services/a/environments/b"),
        ("/services/a/environments/b/run", "/services/a/environments/b"),
    ],
)
def test_a_change_is_never_made_by_get_and_the_answer_leads_to_its_page(path: str, page: str) -> None:
    response = signed_in(person("ann", "release-manager")).get(path)
    assert response.status_code == 405
    assert "POST" in response["Allow"]
    assert heading(response) == "Nothing was done."
    assert f'class="button main" href="{page}"' in response.content.decode()


@pytest.mark.django_db
def test_a_page_that_takes_no_change_says_so() -> None:
    response = signed_in(person("vic", VIEWER)).post("/runs")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert "This address does not take POST." in text(response)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/services/a/environments/b?direction=down", "/services/a/environments/b?direction=down"),
        ("http://testserver", "/"),
        ("http://evil.example/runs", "/"),
        ("", "/"),
    ],
)
def test_a_change_without_a_session_leads_back_to_the_page_it_was_sent_from(referer: str, back: str) -> None:
    client = Client()
    response = client.post("/services/a/environments/b/check", headers={"Referer": referer})
    assert parse_qs(urlsplit(response["Location"]).query) == {"next": [back]}
    told = text(client.get(response["Location"]))
    assert "You were not signed in any more, so nothing was done." in told


def test_a_named_failure_that_nobody_caught_is_told_and_any_other_stays_a_crash(rf: RequestFactory) -> None:
    errors = NamedErrors(lambda request: HttpResponse())
    request = rf.get("/")
    request.user = AnonymousUser()
    refusal = Refused("too_late", "It is too late.", not_done="Nothing was done.", next_step="Come earlier.")
    answer = errors.process_exception(request, refusal)
    assert answer is not None
    assert answer.status_code == 409
    assert heading(answer) == "It is too late."
    assert "Nothing was done. Come earlier." in text(answer)
    assert errors.process_exception(request, KeyError("x")) is None
