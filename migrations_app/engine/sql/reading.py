"""Reads a whole file: parse, refuse what may not be there, split into steps. Runs in the child process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrations_app.engine.sql import pgquery
from migrations_app.engine.sql.created import Created
from migrations_app.engine.sql.facts import Facts, facts_of
from migrations_app.engine.sql.header import read_header
from migrations_app.engine.sql.refusal import refuse
from migrations_app.engine.sql.refused import refuse_forbidden
from migrations_app.engine.sql.reserved import refuse_reserved, refuse_unlocking
from migrations_app.engine.sql.script import SPLITTER, Script, Statement
from migrations_app.engine.sql.settings import Setting, is_setting, refuse_hidden_set_config, setting_of
from migrations_app.engine.sql.split import Piece, split
from migrations_app.engine.sql.steps import Steps
from migrations_app.engine.sql.together import Span, spans
from migrations_app.engine.sql.transactions import take_over

Entry = Setting | Facts | None  # None: a parameter that the session has anyway


def pieces_of(sql: str) -> tuple[Piece, ...]:
    return split(sql.encode(), pgquery.parse(sql))


def script(sql: str) -> Script:
    header = read_header(sql)
    taken = take_over(pieces_of(sql))
    atomic = taken.wrapped or header.atomic
    entries = list(_entries(taken.pieces, atomic))
    steps = Steps(atomic=atomic)
    together = () if atomic else _worth_it(entries, spans(taken.pieces))
    _fill(steps, taken.pieces, entries, together)
    return Script(steps=steps.done(), settings=tuple(steps.head.items()), atomic=atomic, splitter=SPLITTER)


def _entries(pieces: Sequence[Piece], atomic: bool) -> Iterator[Entry]:
    created = Created()
    for piece in pieces:
        if is_setting(piece):
            yield setting_of(piece)
            continue
        _check(piece, may_lock=atomic)
        yield facts_of(piece, created)
        created.note(piece)


def _worth_it(entries: Sequence[Entry], found: Sequence[Span]) -> tuple[Span, ...]:
    """Nothing would be split in a span without a statement that wants to stand alone."""

    def wants_apart(entry: Entry) -> bool:
        return isinstance(entry, Facts) and (entry.alone or entry.statement.mode == "nontx")

    return tuple(span for span in found if any(map(wants_apart, entries[slice(*span)])))


def _fill(steps: Steps, pieces: Sequence[Piece], entries: Sequence[Entry], together: Sequence[Span]) -> None:
    starts, ends = {start for start, _ in together}, {end for _, end in together}
    for number, (piece, entry) in enumerate(zip(pieces, entries, strict=True)):
        if number in ends:
            steps.end()
        if number in starts:
            steps.begin()
        if isinstance(entry, Setting):
            steps.set(piece.line, entry)
        elif isinstance(entry, Facts):
            steps.add(entry)


def verify(sql: str) -> tuple[Statement, ...]:
    return tuple(_verify_statement(piece) for piece in take_over(pieces_of(sql)).pieces)


def _verify_statement(piece: Piece) -> Statement:
    if is_setting(piece):
        refuse("set_refused", piece.line, "a verify file sets no parameters.", "Write names with their schema.")
    _check(piece, may_lock=False)
    statement = facts_of(piece, Created()).statement
    if statement.mode == "nontx":
        refuse(
            "nontx_in_verify",
            piece.line,
            f"{statement.tag} can't run inside a transaction, and a verify file only asks questions.",
            "Move the statement to the up file.",
        )
    return statement


def _check(piece: Piece, *, may_lock: bool) -> None:
    refuse_forbidden(piece, may_lock=may_lock)
    refuse_reserved(piece)
    refuse_unlocking(piece)
    refuse_hidden_set_config(piece)
