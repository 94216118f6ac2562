"""Addresses by the thousand: resolved once for a service, then only filled in."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from django.urls import reverse

_HOLE = "0-0"  # a name that needs no quoting


@dataclass(frozen=True)
class Paths:
    """Each gives an address as it stands in markup; a name may be anything."""

    revision_start: str
    environment_start: str
    cell_start: str

    def revision(self, revision_id: str) -> str:
        return self.revision_start + in_path(revision_id)

    def environment(self, name: str) -> str:
        return self.environment_start + in_path(name)

    def cell(self, revision_in_path: str, name: str) -> str:
        return f"{self.cell_start}{revision_in_path}/{in_path(name)}"


def paths_of(service: str) -> Paths:
    return Paths(
        revision_start=_start("revision", service, _HOLE),
        environment_start=_start("environment", service, _HOLE),
        cell_start=_start("matrix_cell", service, _HOLE, _HOLE).removesuffix(f"{_HOLE}/"),
    )


def in_path(name: str) -> str:
    return escape(quote(name, safe=""))


def _start(page: str, *words: str) -> str:
    return escape(reverse(page, args=words)).removesuffix(_HOLE)
