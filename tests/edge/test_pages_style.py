"""The style page, the keys and the palette's answers: who may, what they hold, and nothing inline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client

from dashboard import banners, keys
from dashboard.pages.style_samples import PARTS, TOKENS
from dashboard.templatetags.glyphs import PATHS
from dashboard.templatetags.states import STATES
from migrations_app.permissions import ADMIN, OPERATOR, VIEWER
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_revision, make_run, make_service
from tests.edge.people import person

PARTIALS = sorted(Path(settings.BASE_DIR, "templates", "partials").glob("*.html"))
SCRIPTS = sorted(Path(settings.BASE_DIR, "static", "js").glob("*.js"))


def drawn_for(user: User) -> str:
    return signed_in(user).get("/style").content.decode()


@pytest.mark.django_db
def test_it_refuses_an_operator_in_the_usual_words() -> None:
    response = signed_in(person("olga", OPERATOR)).get("/style")
    assert response.status_code == 403
    assert heading(response) == "Your role does not allow this."
    assert "You may not open the style page: that takes the role admin" in text(response)


@pytest.mark.django_db
def test_it_opens_for_an_administrator_and_for_staff_without_a_role() -> None:
    staff = User.objects.create_user("sam", is_staff=True)
    for user in (person("ada", ADMIN), staff):
        response = signed_in(user).get("/style")
        assert response.status_code == 200
        assert heading(response) == "Every part of the pages, in every state."


@pytest.mark.django_db
def test_its_link_is_shown_only_to_those_who_may_open_it() -> None:
    assert 'href="/style"' in signed_in(person("ada", ADMIN)).get("/tokens").content.decode()
    assert 'href="/style"' not in signed_in(person("vic", VIEWER)).get("/tokens").content.decode()


@pytest.mark.django_db
def test_it_shows_every_part_token_and_state_once_and_nothing_inline() -> None:
    page = drawn_for(person("ada", ADMIN))
    for name, title in PARTS:
        assert page.count(f'<section class="part" id="{name}"') == 1
        assert f">{title}</h2>" in page
    for state in STATES.values():
        assert state.word in page
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\bsrc=)", page)


@pytest.mark.django_db
def test_no_identifier_stands_twice_on_it() -> None:
    found = re.findall(r'\sid="([^"]+)"', drawn_for(person("ada", ADMIN)))
    assert sorted(set(found)) == sorted(found)


@pytest.mark.django_db
def test_every_partial_is_shown_on_it_or_by_what_it_includes() -> None:
    folder = Path(settings.BASE_DIR, "templates")
    shown = "".join(path.read_text(encoding="utf-8") for path in (folder / "style").glob("*.html"))
    shown += "".join(path.read_text(encoding="utf-8") for path in PARTIALS)
    drawn_by_a_tag = {"diff.html"}
    missing = [path.name for path in PARTIALS if f"partials/{path.name}" not in shown]
    assert [name for name in missing if name not in drawn_by_a_tag] == []


@pytest.mark.parametrize("partial", PARTIALS, ids=lambda path: path.name)
def test_a_partial_begins_with_one_line_about_its_parameters(partial: Path) -> None:
    assert re.match(r"\{# .{10,} #\}\s*", partial.read_text(encoding="utf-8"))


def test_no_browser_restores_a_filter_that_is_not_in_force() -> None:
    forms = [
        form
        for path in Path(settings.BASE_DIR, "templates").rglob("*.html")
        for form in re.findall(r'<form class="filter"[^>]*>', path.read_text(encoding="utf-8"))
    ]
    assert len(forms) > 6
    assert [form for form in forms if 'autocomplete="off"' not in form] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_strict_and_evaluates_nothing(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    assert source.startswith("/* ")
    assert '"use strict";' in source
    assert len(source.splitlines()) <= 150
    assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", source)


def test_every_token_it_shows_is_named_in_the_tokens() -> None:
    source = Path(settings.BASE_DIR, "static", "css", "tokens.css").read_text(encoding="utf-8")
    assert [token for token in TOKENS if f"--{token}:" not in source] == []


def test_every_state_has_a_shape_and_no_shape_is_drawn_twice_under_two_names() -> None:
    assert {state.shape for state in STATES.values()} <= set(PATHS)
    assert len(set(PATHS.values())) == len(PATHS)


@pytest.mark.django_db
def test_the_list_of_keys_names_only_pages_that_the_reader_may_open() -> None:
    viewer = signed_in(person("vic", VIEWER)).get("/").content.decode()
    operator = signed_in(person("olga", OPERATOR)).get("/").content.decode()
    assert "<dd>audit</dd>" not in viewer
    assert "<dd>audit</dd>" in operator
    assert 'data-go="u"' in operator


@pytest.mark.django_db
def test_the_switch_for_single_keys_is_drawn_as_the_cookie_says() -> None:
    client = signed_in(person("vic", VIEWER))
    assert "data-keys-switch checked" in client.get("/").content.decode()
    client.cookies[keys.KEYS_COOKIE] = "off"
    assert "data-keys-switch checked" not in client.get("/").content.decode()


def test_the_document_holds_the_same_table_of_keys() -> None:
    pages = frozenset({"home", "matrix", "history", "runs", "releases", "rehearsals", "workers", "services", "audit"})
    document = Path(settings.BASE_DIR, "docs", "keys.md").read_text(encoding="utf-8")
    assert keys.as_markdown(pages) in document


def test_no_letter_leads_to_two_pages() -> None:
    letters = [letter for letter, _ in keys.GO.values()]
    assert len(set(letters)) == len(letters)


@pytest.fixture
def fleet(db: None) -> User:
    olga = person("olga", OPERATOR)
    service = make_service(olga)
    make_revision(service, 1)
    make_run(make_environment(service), olga)
    return olga


def test_the_palette_finds_what_the_search_page_finds(fleet: User) -> None:
    client = signed_in(fleet)
    answer = client.get("/find.json?q=orders")
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    assert answer.json() == {
        "query": "orders",
        "hits": [
            {"kind": "service", "name": "orders", "service": "orders", "url": "/services/orders"},
            {
                "kind": "environment",
                "name": "orders-eu",
                "service": "orders",
                "url": "/services/orders/environments/orders-eu",
            },
        ],
    }
    page = client.get("/find?q=orders").content.decode()
    assert all(f'href="{hit["url"]}"' in page for hit in answer.json()["hits"])


@pytest.mark.parametrize("query", ["", "%00", "%25", "9" * 300, "%F0%9F%90%98", "'; --"])
def test_the_palette_answers_whatever_is_typed(fleet: User, query: str) -> None:
    answer = signed_in(fleet).get(f"/find.json?q={query}")
    assert answer.status_code == 200
    assert answer.json()["hits"] == []


@pytest.mark.django_db
def test_the_palette_tells_a_stranger_nothing() -> None:
    assert Client().get("/find.json?q=o").status_code == 302


@pytest.mark.django_db
def test_a_banner_stands_above_every_page_while_it_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: HttpRequest) -> banners.Banner | None:
        return banners.Banner("bad", "failed", "The chain is broken at entry <7>.", "/audit", "Audit")

    client = signed_in(person("olga", OPERATOR))
    assert "banner bad" not in client.get("/").content.decode()
    monkeypatch.setattr(banners, "PROVIDERS", [broken, lambda request: None])
    for path in ("/", "/runs", "/nothing/here"):
        page = client.get(path).content.decode()
        assert page.count('<div class="banner bad">') == 1
        assert "entry &lt;7&gt;." in page
