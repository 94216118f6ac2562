"""Reads a whole file: parse, refuse what may not be there, split into steps. Runs in the child process."""

from __future__ import annotations

from migrations_app.engine.sql import pgquery
from migrations_app.engine.sql.created import Created
from migrations_app.engine.sql.facts import facts_of
from migrations_app.engine.sql.header import read_header
from migrations_app.engine.sql.refusal import refuse
from migrations_app.engine.sql.refused import refuse_forbidden
from migrations_app.engine.sql.reserved import refuse_reserved
from migrations_app.engine.sql.script import SPLITTER, Script, Statement
from migrations_app.engine.sql.settings import is_setting, refuse_hidden_set_config, setting_of
from migrations_app.engine.sql.split import Piece, split
from migrations_app.engine.sql.steps import Steps
from migrations_app.engine.sql.transactions import take_over


def pieces_of(sql: str) -> tuple[Piece, ...]:
    return split(sql.encode(), pgquery.parse(sql))


def script(sql: str) -> Script:
    header = read_header(sql)
    pieces, wrapped = take_over(pieces_of(sql))
    steps = Steps(atomic=wrapped or header.atomic)
    created = Created()
    temporary = 0
    for piece in pieces:
        if is_setting(piece):
            if setting := setting_of(piece):
                steps.set(piece.line, setting)
            continue
        _check(piece)
        facts = facts_of(piece, created)
        temporary = temporary or (piece.line if facts.temporary else 0)
        steps.add(facts)
        created.note(piece)
    done = steps.done()
    if temporary and len(done) > 1:
        _refuse_temporary(temporary)
    return Script(steps=done, settings=tuple(steps.head.items()), atomic=steps.atomic, splitter=SPLITTER)


def verify(sql: str) -> tuple[Statement, ...]:
    pieces, _ = take_over(pieces_of(sql))
    return tuple(_verify_statement(piece) for piece in pieces)


def _verify_statement(piece: Piece) -> Statement:
    if is_setting(piece):
        refuse("set_refused", piece.line, "a verify file sets no parameters.", "Write names with their schema.")
    _check(piece)
    statement = facts_of(piece, Created()).statement
    if statement.mode == "nontx":
        refuse(
            "nontx_in_verify",
            piece.line,
            f"{statement.tag} can't run inside a transaction, and a verify file only asks questions.",
            "Move the statement to the up file.",
        )
    return statement


def _check(piece: Piece) -> None:
    refuse_forbidden(piece)
    refuse_reserved(piece)
    refuse_hidden_set_config(piece)


def _refuse_temporary(line: int) -> None:
    refuse(
        "temp_table",
        line,
        "a temporary table lives in one session, and the steps of this file may run in several.",
        "Write `-- lockstep:atomic` at the top, or use a permanent table and drop it at the end.",
    )
