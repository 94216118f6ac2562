"""Parts of a page that fail alone: one that cannot be read says so in its place, and the others stand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Block:
    """`id` is that of the element which holds it; `what` names it in a sentence, as in “the runs”."""

    id: str
    what: str
    html: SafeString
    failed: bool = False

    @property
    def key(self) -> str:
        """Changes with what is drawn, so that a poll can leave alone what is the same."""
        return hashlib.sha256(self.html.encode()).hexdigest()[:16]

    def blank(self) -> Block:
        """Its place alone, which a poll fills once there is something to show."""
        return replace(self, html=SafeString(""))


def draw(id: str, what: str, template: str, read: Callable[[], Mapping[str, object]], request_id: str = "") -> Block:
    """Whatever goes wrong in reading or drawing is logged with its traceback and told in the block's place."""
    try:
        return Block(id, what, render_to_string(template, dict(read())))
    except Exception:
        log.exception("a part of a page could not be drawn", part=id)
        told = {"id": id, "what": what, "request_id": request_id}
        return Block(id, what, render_to_string("partials/block_failed.html", told), failed=True)
