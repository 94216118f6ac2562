"""What services, environments, stages and regions may be called: safe in URLs, file names and SQL comments."""

from __future__ import annotations

import re

from migrations_app.engine.errors import Refused

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def check_name(what: str, name: str) -> str:
    """The name, or a refusal that says which one and how it should look."""
    if NAME.fullmatch(name):
        return name
    raise Refused(
        "bad_name",
        f"“{name[:80]}{'…' if len(name) > 80 else ''}” cannot be the {what}.",
        not_done="Nothing was stored.",
        next_step="Use 1 to 63 small letters, digits and dashes, the first one not a dash.",
    )
