"""Refusals and outages are a line in the log; a traceback is kept for what is broken."""

from __future__ import annotations

import logging

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from migrations_app.models import Service
from tests.browser.client import signed_in

pytestmark = pytest.mark.django_db


def logged(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "django.request"]


def failing(olga: User, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> Client:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr("dashboard.access.service_for", fail)
    client = signed_in(olga)
    client.raise_request_exception = False
    return client


def lost() -> OperationalError:
    failure = OperationalError("consuming input failed:\nserver closed the connection")
    failure.__cause__ = psycopg.OperationalError("gone")
    return failure


def test_a_refusal_is_one_line_that_says_why(vic: User, service: Service, caplog: pytest.LogCaptureFixture) -> None:
    assert signed_in(vic).get("/services/orders/upload").status_code == 403
    (record,) = logged(caplog)
    assert record.exc_info is None
    assert record.getMessage().startswith("Forbidden (Permission denied): /services/orders/upload: ")
    assert "upload revisions" in record.getMessage()


def test_an_outage_is_one_line_that_says_why(
    olga: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failing(olga, monkeypatch, lost()).get("/services/orders").status_code == 503
    (record,) = logged(caplog)
    assert record.exc_info is None and record.levelno == logging.ERROR
    told = "Service Unavailable: /services/orders: consuming input failed: server closed the connection"
    assert record.getMessage() == told


def test_a_crash_keeps_its_traceback(
    olga: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failing(olga, monkeypatch, RuntimeError("broken")).get("/services/orders").status_code == 500
    (record,) = logged(caplog)
    assert record.exc_info and isinstance(record.exc_info[1], RuntimeError)
