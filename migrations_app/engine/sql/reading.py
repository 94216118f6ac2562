"""Reads a whole file: parse, refuse what may not be there, split into steps. Runs in the child process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrations_app.engine.sql import pgquery
from migrations_app.engine.sql.created import Created
from migrations_app.engine.sql.facts import Facts, facts_of
from migrations_app.engine.sql.header import Header, read_header
from migrations_app.engine.sql.refusal import refuse
from migrations_app.engine.sql.refused import refuse_forbidden
from migrations_app.engine.sql.reserved import refuse_reserved
from migrations_app.engine.sql.script import SPLITTER, Script, Statement
from migrations_app.engine.sql.settings import Setting, is_setting, refuse_hidden_set_config, setting_of
from migrations_app.engine.sql.split import Piece, split
from migrations_app.engine.sql.steps import Steps
from migrations_app.engine.sql.together import Span, inside, spans
from migrations_app.engine.sql.transactions import Taken, take_over

Entry = Setting | Facts | None  # None: a parameter that the session has anyway


def pieces_of(sql: str) -> tuple[Piece, ...]:
    return split(sql.encode(), pgquery.parse(sql))


def script(sql: str) -> Script:
    header = read_header(sql)
    taken = take_over(pieces_of(sql))
    _refuse_two_wishes(header, taken)
    atomic = taken.wrapped or header.atomic
    entries = list(_entries(taken, atomic))
    steps = Steps(atomic=atomic)
    together = () if atomic else _worth_it(entries, spans(taken.pieces, taken.blocks), taken.blocks)
    _fill(steps, taken, entries, together)
    return Script(steps=steps.done(), settings=tuple(steps.head.items()), atomic=atomic, splitter=SPLITTER)


def _entries(taken: Taken, atomic: bool) -> Iterator[Entry]:
    created = Created()
    for number, piece in enumerate(taken.pieces):
        if is_setting(piece):
            yield setting_of(piece)
            continue
        _check(piece, may_lock=atomic or inside(number, taken.blocks))
        yield facts_of(piece, created)
        created.note(piece)


def _worth_it(entries: Sequence[Entry], found: Sequence[Span], blocks: Sequence[Span]) -> tuple[Span, ...]:
    """Nothing would be split in a span without a statement that wants to stand alone; a COMMIT always counts."""

    def wants_apart(entry: Entry) -> bool:
        return isinstance(entry, Facts) and (entry.alone or entry.statement.mode == "nontx")

    parts = ((span, entries[slice(*span)]) for span in found)
    return tuple(span for span, inner in parts if inner and (span in blocks or any(map(wants_apart, inner))))


def _fill(steps: Steps, taken: Taken, entries: Sequence[Entry], together: Sequence[Span]) -> None:
    starts, ends = dict(together), {end for _, end in together}
    for number, (piece, entry) in enumerate(zip(taken.pieces, entries, strict=True)):
        if number in ends:
            steps.end()
        if number in starts:
            steps.begin(written=(number, starts[number]) in taken.blocks)
        if isinstance(entry, Setting):
            steps.set(piece.line, entry)
        elif isinstance(entry, Facts):
            steps.add(entry)


def _refuse_two_wishes(header: Header, taken: Taken) -> None:
    if header.atomic and taken.blocks and not taken.wrapped:
        refuse(
            "embedded_transaction",
            taken.begun,
            "this file asks to be one transaction, and BEGIN … COMMIT asks for several.",
            "Take `-- lockstep:atomic` away, or the BEGIN and COMMIT.",
        )


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
    refuse_hidden_set_config(piece)
