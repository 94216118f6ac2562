"""Folders that the servers' user can reach; pytest's own are closed to it when root runs the tests."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from migrations_app.embedded import pytest_servers


@pytest.fixture
def folder() -> Path:
    """A fresh folder, removed with the run."""
    return Path(tempfile.mkdtemp(dir=pytest_servers.home()))
