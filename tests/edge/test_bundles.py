"""One style sheet and one script for all pages: what is in them, how they are kept, and what a page asks for."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from dashboard import bundles
from dashboard.bundles import FILES, FOR_GOOD, SOURCES, bundle
from dashboard.middleware import CONTENT_SECURITY_POLICY
from migrations_app.permissions import VIEWER
from tests.browser.client import signed_in
from tests.edge.people import person

KINDS = ("css", "js")


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_is_in_its_bundle_once(kind: str) -> None:
    assert sorted(FILES[kind]) == sorted(path.stem for path in (SOURCES / kind).iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_stand_in_it_whole_and_in_order(kind: str) -> None:
    content, at = bundle(kind).content.decode(), -1
    for name in FILES[kind]:
        at = content.index((SOURCES / kind / f"{name}.{kind}").read_text(encoding="utf-8"), at + 1)


def test_print_has_the_last_word() -> None:
    assert FILES["css"][0] == "tokens"
    assert FILES["css"][-1] == "print"


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_kept_for_good_under_a_name_that_tells_its_content(kind: str) -> None:
    answer = Client().get(bundle(kind).url)
    assert re.fullmatch(rf"/static/{kind}/lockstep\.[0-9a-f]{{12}}\.{kind}", bundle(kind).url)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == FOR_GOOD
    assert answer["Content-Type"] == bundles.TYPES[kind]
    assert answer["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert answer.content == bundle(kind).content


def test_it_is_compressed_for_whoever_takes_that() -> None:
    answer = Client().get(bundle("css").url, headers={"Accept-Encoding": "br, gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert answer["Vary"] == "Accept-Encoding"
    assert gzip.decompress(answer.content) == bundle("css").content
    assert int(answer["Content-Length"]) == len(answer.content) < len(bundle("css").content) / 3


def test_whoever_has_it_hears_304() -> None:
    etag = Client().get(bundle("js").url)["ETag"]
    again = Client().get(bundle("js").url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again["Cache-Control"]) == (304, b"", FOR_GOOD)


def test_an_older_name_is_answered_with_what_there_is_and_not_kept() -> None:
    answer = Client().get("/static/css/lockstep.0123456789ab.css")
    assert answer.content == bundle("css").content
    assert answer["Cache-Control"] == "no-cache"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/lockstep.0123456789ab.css", "/static/css/lockstep.css", "/static/css/lockstep.x.js"]
)
def test_no_other_name_is_taken_for_one(path: str) -> None:
    assert Client().get(path).status_code in (302, 404)


def test_it_is_read_and_never_posted_to() -> None:
    assert Client().post(bundle("css").url).status_code == 405
    assert Client().head(bundle("css").url).content == b""


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login", "/", "/matrix", "/runs"])
def test_a_page_asks_for_one_sheet_and_one_script_beside_htmx(path: str) -> None:
    reader = Client() if path == "/login" else signed_in(person("vic", VIEWER))
    page = reader.get(path).content.decode()
    assert re.findall(r'rel="stylesheet" href="([^"]+)"', page) == [bundle("css").url]
    scripts = re.findall(r'<script src="([^"]+)" defer>', page)
    assert scripts in ([], ["/static/django_htmx/htmx-2.min.js", bundle("js").url])
    assert bool(scripts) == (path != "/login")
    assert page.count("<script") == len(scripts)


def test_while_debugging_a_changed_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "SOURCES", Path(shutil.copytree(SOURCES, tmp_path / "static")))
    monkeypatch.setattr(settings, "DEBUG", True)
    before = bundle("css")
    (tmp_path / "static/css/base.css").write_text("p { margin: 1px; }", encoding="utf-8")
    os.utime(tmp_path / "static/css/base.css", ns=(1, 1))
    assert bundle("css").url != before.url
    assert b"p { margin: 1px; }" in bundle("css").content


def test_a_script_that_fails_is_told_of_and_stops_no_other() -> None:
    source = bundle("js").content.decode()
    assert source.startswith('"use strict";\n')
    assert source.count("catch (problem) { reportError(problem); }") == len(FILES["js"])


def test_what_a_style_sheet_names_beside_itself_is_found() -> None:
    for sheet in (Path(settings.BASE_DIR) / "static/css").glob("*.css"):
        for named in re.findall(r"url\(\"?(?!data:)([^)\"]+)", sheet.read_text(encoding="utf-8")):
            assert (sheet.parent / named).exists(), f"{sheet.name}: {named}"
