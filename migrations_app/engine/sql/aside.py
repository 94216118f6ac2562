"""SQL whose words can be looked for: what may hold any text, such as strings and comments, is set aside."""

from __future__ import annotations

from migrations_app.engine.sql.summary import TOKEN

NAME = '"x"'  # stands for every quoted name
_ASIDE = {"comment": " ", "string": "''", "dollar": "''", "space": " "}


def set_aside(sql: str, *, names: bool = True) -> str:
    """Quoted names, too, unless they are wanted as they are."""
    instead = {**_ASIDE, "name": NAME} if names else _ASIDE
    return TOKEN.sub(lambda found: instead.get(found.lastgroup or "", found.group()), sql)
