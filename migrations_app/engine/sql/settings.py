"""Which SET a revision may carry: what changes how its own SQL reads, never how the runner runs it."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.engine.sql.names import quote
from migrations_app.engine.sql.refusal import refuse
from migrations_app.engine.sql.split import Piece, mentions
from migrations_app.engine.sql.tree import Node, field, flag, nodes, strings, text, unwrap, walk, words

ALLOWED = words(
    """array_nulls bytea_output check_function_bodies client_min_messages constraint_exclusion datestyle
    default_table_access_method default_tablespace default_text_search_config default_toast_compression
    escape_string_warning extra_float_digits gin_fuzzy_search_limit hash_mem_multiplier intervalstyle jit
    maintenance_work_mem max_parallel_maintenance_workers max_parallel_workers_per_gather
    quote_all_identifiers row_security search_path temp_buffers temp_tablespaces work_mem xmlbinary
    xmloption"""
)
# Allowed with the one value the runner's session has anyway; then there is nothing left to set.
FIXED = {
    "client_encoding": ("utf8", "utf-8", "unicode"),
    "standard_conforming_strings": ("on", "true", "yes", "1"),
    "timezone": ("utc", "etc/utc", "gmt", "0"),
    "default_with_oids": ("off", "false", "no", "0"),
}
# Each session and step gets these from the runner: its locks and its patience depend on them.
RUNNERS = words(
    """lock_timeout statement_timeout idle_in_transaction_session_timeout transaction_timeout
    idle_session_timeout deadlock_timeout"""
)
LISTS = ("search_path", "temp_tablespaces")  # parameters whose values are quoted names
WAY_OUT = "Remove the line, or put what it does into the environment's own set-up."
NOT_YOURS = "Remove the line; how long a statement waits and runs is the runner's business."
AS_DUMPED = "The line can simply be removed: the 0 that pg_dump writes only takes limits away."


@dataclass(frozen=True)
class Setting:
    name: str
    value: str | None  # None: what the session began with


def is_setting(piece: Piece) -> bool:
    return piece.kind == "VariableSetStmt" or _set_config_call(piece) is not None


def setting_of(piece: Piece) -> Setting | None:
    """The parameter to set, None when the session has that value anyway; everything else is refused."""
    call = _set_config_call(piece)
    name, value = _from_call(piece, call) if call is not None else _from_set(piece)
    name = name.lower()
    _check_name(piece, name, value)
    _check_value(piece, name, value)
    return None if name in FIXED else Setting(name, value)


def refuse_hidden_set_config(piece: Piece) -> None:
    """set_config() inside a larger query: only parameters of the user's own, with a dot in their name."""
    if piece.kind == "CreateFunctionStmt" or not mentions(piece, "set_config"):
        return
    for node in walk(piece.node):
        call = field(node, "FuncCall")
        if call and _is_set_config(call):
            constants = _constants(call)
            if constants is None or not _is_custom(constants[0].lower()):
                refuse(
                    "set_refused",
                    piece.line,
                    "set_config() inside a larger statement hides which parameter changes.",
                    "Write SET as a statement of its own.",
                )


def _set_config_call(piece: Piece) -> Node | None:
    """`SELECT set_config('name', 'value', …)` and nothing else, as pg_dump writes it."""
    targets = nodes(piece.node, "targetList")
    if piece.kind != "SelectStmt" or len(targets) != 1 or "fromClause" in piece.node:
        return None
    kind, call = unwrap(targets[0][1].get("val"))
    return call if kind == "FuncCall" and _is_set_config(call) and _constants(call) else None


def _is_set_config(call: Node) -> bool:
    return strings(call.get("funcname"))[-1:] == ["set_config"]


def _constants(call: Node) -> tuple[str, str] | None:
    values = [field(node, "sval").get("sval", "") for _, node in nodes(call, "args") if "sval" in node]
    match values:
        case [str(name), str(value)]:
            return name, value
    return None


def _from_call(piece: Piece, call: Node) -> tuple[str, str]:
    return _constants(call) or ("", "")


def _from_set(piece: Piece) -> tuple[str, str | None]:
    kind, name = text(piece.node, "kind"), text(piece.node, "name")
    if kind in ("VAR_RESET", "VAR_SET_DEFAULT"):
        return name, None
    if kind in ("VAR_RESET_ALL", "VAR_SET_CURRENT"):
        refuse("set_refused", piece.line, "a revision resets one named parameter at a time.", WAY_OUT)
    if kind == "VAR_SET_MULTI":
        refuse(
            "set_refused",
            piece.line,
            f"SET {name.upper()} is the runner's: it owns the transaction, at READ COMMITTED.",
            "Remove the line.",
        )
    values = [_value(argument) for argument in nodes(piece.node, "args")]
    if name in LISTS:
        return name, ", ".join('""' if value == "" else quote(value) for value in values)
    return name, ", ".join(values)


def _value(argument: tuple[str, Node]) -> str:
    kind, node = argument
    if kind == "TypeCast":
        return _value(unwrap(node.get("arg")))
    for key in ("sval", "fval", "bsval"):
        if key in node:
            return text(field(node, key), key)
    if "boolval" in node:
        return "on" if flag(field(node, "boolval"), "boolval") else "off"
    number = field(node, "ival").get("ival", 0)
    return str(number)


def _is_custom(name: str) -> bool:
    return "." in name and not name.startswith("lockstep.")


def _check_name(piece: Piece, name: str, value: str | None) -> None:
    if name in RUNNERS:
        way_out = AS_DUMPED if value == "0" else NOT_YOURS
        refuse("set_refused", piece.line, f"a revision may not set {name}: the runner sets it.", way_out)
    if name not in ALLOWED and name not in FIXED and not _is_custom(name):
        refuse("set_refused", piece.line, f"a revision may not set {name[:60]}.", WAY_OUT)


def _check_value(piece: Piece, name: str, value: str | None) -> None:
    if value is None:
        return
    if name in FIXED and value.lower() not in FIXED[name]:
        refuse(
            "set_refused",
            piece.line,
            f"{name} is always {FIXED[name][0]} here, not {value[:40]!r}.",
            "Remove the line.",
        )
    if name == "search_path" and "lockstep" in [part.strip().strip('"') for part in value.split(",")]:
        refuse("reserved_schema", piece.line, "the schema lockstep belongs to the runner.", "Take it out.")
