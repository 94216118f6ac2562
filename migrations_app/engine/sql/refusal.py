"""One way to say no to a line of SQL: where, why, and the way out."""

from __future__ import annotations

from typing import NoReturn

from migrations_app.engine.errors import Refused

NOT_DONE = "Nothing was run."


def refuse(code: str, line: int, what: str, next_step: str) -> NoReturn:
    raise Refused(code, f"Line {line}: {what}", not_done=NOT_DONE, next_step=next_step)
