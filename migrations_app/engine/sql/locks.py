"""Which table locks a statement takes on objects that existed before its revision.

A static reading: what CASCADE, dynamic SQL and functions lock is seen by a rehearsal only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from migrations_app.engine.sql.created import Created
from migrations_app.engine.sql.names import relation_name
from migrations_app.engine.sql.split import Piece
from migrations_app.engine.sql.tree import (
    Node,
    field,
    flag,
    items,
    nodes,
    option,
    strings,
    text,
    unwrap,
    walk,
    words,
)

AS, RS, RE = "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE"
SUE, S, SRE = "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE"
E, AE = "EXCLUSIVE", "ACCESS EXCLUSIVE"
STRENGTHS = ("", AS, RS, RE, SUE, S, SRE, E, AE)  # no lock, then the weakest first
MODES = (AS, RS, RE, SUE, S, SRE, E, AE)  # in PostgreSQL's numbering, from 1
STRENGTH = {mode: n for n, mode in enumerate(MODES)}
BLOCKS_WRITES = frozenset((S, SRE, E, AE))

# table: can be locked by name beforehand. data: holds rows, but LOCK TABLE can't take it (materialised view,
# an index' unnamed table). other: views, sequences; a moment's lock on them blocks no table.
Where = Literal["table", "data", "other"]


@dataclass(frozen=True)
class Hold:
    relation: Node
    mode: str
    where: Where = "table"


@dataclass(frozen=True)
class Locks:
    strongest: str | None
    tables: tuple[tuple[str, str], ...]  # (table, mode), strongest first
    exclusive: bool  # ACCESS EXCLUSIVE on something that holds rows

    @property
    def relations(self) -> tuple[str, ...]:
        """The tables held in the strongest mode: the ones worth locking before the statement."""
        return tuple(table for table, mode in self.tables if mode == self.strongest)


def locks_of(piece: Piece, created: Created) -> Locks:
    holds = [hold for hold in holds_of(piece.kind, piece.node) if not created.holds(hold.relation)]
    tables: dict[str, str] = {}
    for hold in holds:
        name = relation_name(hold.relation)
        if hold.where == "table" and name:
            tables[name] = _stronger(tables.get(name, hold.mode), hold.mode)
    modes = [hold.mode for hold in holds]
    return Locks(
        strongest=max(modes, key=STRENGTH.__getitem__) if modes else None,
        tables=tuple(sorted(tables.items(), key=lambda item: -STRENGTH[item[1]])),
        exclusive=any(hold.mode == AE and hold.where != "other" for hold in holds),
    )


def _stronger(one: str, other: str) -> str:
    return max(one, other, key=STRENGTH.__getitem__)


def holds_of(kind: str, node: Node) -> Iterable[Hold]:
    rule = RULES.get(kind)
    return rule(node) if rule else ()


def _on(key: str, mode: str, where: Where = "table") -> Callable[[Node], Iterable[Hold]]:
    return lambda node: [Hold(field(node, key), mode, where)]


def _on_each(key: str, mode: str) -> Callable[[Node], Iterable[Hold]]:
    return lambda node: [Hold(relation, mode) for _, relation in nodes(node, key)]


# ALTER TABLE ----------------------------------------------------------------------------------------------

OBJECT_WHERE: dict[str, Where] = {
    "OBJECT_VIEW": "other",
    "OBJECT_SEQUENCE": "other",
    "OBJECT_TYPE": "other",
    "OBJECT_MATVIEW": "data",
    "OBJECT_FOREIGN_TABLE": "data",
    "OBJECT_INDEX": "data",
}
ALTER_SUE = words(
    """AT_SetStatistics AT_SetOptions AT_ResetOptions AT_ValidateConstraint AT_ClusterOn AT_DropCluster
    AT_SetRelOptions AT_ResetRelOptions AT_AttachPartition AT_DetachPartitionFinalize AT_AddInherit"""
)
ALTER_SRE = words(
    """AT_EnableTrig AT_EnableTrigAll AT_EnableTrigUser AT_EnableAlwaysTrig AT_EnableReplicaTrig
    AT_DisableTrig AT_DisableTrigAll AT_DisableTrigUser"""
)


def _alter_table(node: Node) -> Iterator[Hold]:
    where = OBJECT_WHERE.get(text(node, "objtype"), "table")
    for _, command in nodes(node, "cmds"):
        yield Hold(field(node, "relation"), _command_mode(command, where), where)
        yield from _foreign_keys(command)
        yield from _other_table(command)


def _command_mode(command: Node, where: Where) -> str:
    subtype = text(command, "subtype")
    definition = unwrap(command.get("def"))[1]
    if subtype == "AT_AddConstraint" and text(definition, "contype") == "CONSTR_FOREIGN":
        return SRE
    if subtype == "AT_DetachPartition":
        return SUE if flag(definition, "concurrent") else AE
    if subtype == "AT_SetRelOptions" and where == "other":
        return AE
    if subtype in ALTER_SUE:
        return SUE
    return SRE if subtype in ALTER_SRE else AE


def _other_table(command: Node) -> Iterator[Hold]:
    """The partition that is attached or detached, the parent that is inherited."""
    kind, definition = unwrap(command.get("def"))
    subtype = text(command, "subtype")
    if kind == "PartitionCmd" and "name" in definition:
        yield Hold(field(definition, "name"), SUE if flag(definition, "concurrent") else AE)
    elif subtype in ("AT_AddInherit", "AT_DropInherit"):
        yield Hold(definition, SUE)


def _foreign_keys(root: object) -> Iterator[Hold]:
    for found in walk(root):
        if "pktable" in found:
            yield Hold(field(found, "pktable"), SRE)


# CREATE, DROP, RENAME -------------------------------------------------------------------------------------


def _create_table(node: Node) -> Iterator[Hold]:
    node = field(node, "base_stmt") or field(node, "base") or node
    yield from _foreign_keys(node.get("tableElts"))
    mode = AE if "partbound" in node else SUE
    yield from (Hold(parent, mode) for _, parent in nodes(node, "inhRelations"))
    for kind, element in nodes(node, "tableElts"):
        if kind == "TableLikeClause":
            yield Hold(field(element, "relation"), AS)


def _create_schema(node: Node) -> Iterator[Hold]:
    for kind, element in nodes(node, "schemaElts"):
        yield from holds_of(kind, element)


def _create_index(node: Node) -> Iterator[Hold]:
    yield Hold(field(node, "relation"), SUE if flag(node, "concurrent") else S)


def _create_trigger(node: Node) -> Iterator[Hold]:
    yield Hold(field(node, "relation"), SRE)
    if "constrrel" in node:
        yield Hold(field(node, "constrrel"), SRE)


def _view(node: Node) -> Iterator[Hold]:
    if flag(node, "replace"):
        yield Hold(field(node, "view"), AE, "other")
    yield from _query(field(node, "query"))


DROPPED: dict[str, Where] = {
    "OBJECT_TABLE": "table",
    "OBJECT_MATVIEW": "data",
    "OBJECT_FOREIGN_TABLE": "data",
    "OBJECT_VIEW": "other",
    "OBJECT_SEQUENCE": "other",
}
PART_OF_TABLE = ("OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE")


def _drop(node: Node) -> Iterator[Hold]:
    kind = text(node, "removeType")
    names = [strings(name) for name in items(node, "objects")]
    if kind == "OBJECT_INDEX":
        yield from (Hold({}, SUE if flag(node, "concurrent") else AE, "data") for _ in names[:1])
    elif kind in PART_OF_TABLE:
        yield from (Hold(_relation(name[:-1]), AE) for name in names)
    elif kind in DROPPED:
        yield from (Hold(_relation(name), AE, DROPPED[kind]) for name in names)
    elif text(node, "behavior") == "DROP_CASCADE":
        # A schema, type or extension takes its tables or columns along; which ones, only the catalogue knows.
        yield Hold({}, AE, "data")


def _relation(name: list[str]) -> Node:
    schema, table = ["", "", *name][-2:]
    return {"schemaname": schema, "relname": table}


RENAMED: dict[str, Where] = {
    "OBJECT_TABLE": "table",
    "OBJECT_TABCONSTRAINT": "table",
    "OBJECT_TRIGGER": "table",
    "OBJECT_POLICY": "table",
    "OBJECT_RULE": "table",
    "OBJECT_MATVIEW": "data",
    "OBJECT_FOREIGN_TABLE": "data",
    "OBJECT_VIEW": "other",
    "OBJECT_SEQUENCE": "other",
}


def _rename(node: Node) -> Iterator[Hold]:
    kind = text(node, "renameType")
    if kind == "OBJECT_COLUMN":
        kind = text(node, "relationType")
    if kind in RENAMED:
        yield Hold(field(node, "relation"), AE, RENAMED[kind])


def _set_schema(node: Node) -> Iterator[Hold]:
    kind = text(node, "objectType")
    if kind in DROPPED:
        yield Hold(field(node, "relation"), AE, DROPPED[kind])


# Data and maintenance ------------------------------------------------------------------------------------


WRITES = frozenset(("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"))


def _query(node: Node) -> Iterator[Hold]:
    """Reads lock ACCESS SHARE, FOR UPDATE and its kin ROW SHARE, nested writes ROW EXCLUSIVE."""
    found = list(walk(node))
    named = {text(field(item, "CommonTableExpr"), "ctename") for item in found} - {""}
    reading = RS if any("lockingClause" in item for item in found) else AS
    for item in found:
        if "relname" in item and not (text(item, "relname") in named and not text(item, "schemaname")):
            yield Hold(item, reading)
        for kind in WRITES.intersection(item):
            yield Hold(field(field(item, kind), "relation"), RE)


def _write(node: Node) -> Iterator[Hold]:
    yield Hold(field(node, "relation"), RE)
    yield from _query({key: value for key, value in node.items() if key != "relation"})


def _create_as(node: Node) -> Iterator[Hold]:
    yield from _query(field(node, "query"))


def _select(node: Node) -> Iterator[Hold]:
    yield from _query({key: value for key, value in node.items() if key != "intoClause"})


def _vacuum(node: Node) -> Iterator[Hold]:
    mode = AE if option(node, "options", "full") else SUE
    relations = [field(relation, "relation") for _, relation in nodes(node, "rels")]
    yield from (Hold(relation, mode) for relation in relations or [{}])


def _reindex(node: Node) -> Iterator[Hold]:
    mode = SUE if option(node, "params", "concurrently") else S
    is_table = text(node, "kind") == "REINDEX_OBJECT_TABLE"
    yield Hold(field(node, "relation") if is_table else {}, mode, "table" if is_table else "data")


def _refresh(node: Node) -> Iterator[Hold]:
    yield Hold(field(node, "relation"), E if flag(node, "concurrent") else AE, "data")


def _cluster(node: Node) -> Iterator[Hold]:
    yield Hold(field(node, "relation"), AE, "table" if "relation" in node else "data")


COMMENTED = {
    "OBJECT_TABLE": 0,
    "OBJECT_COLUMN": 1,
    "OBJECT_TABCONSTRAINT": 1,
    "OBJECT_TRIGGER": 1,
    "OBJECT_RULE": 1,
}


def _comment(node: Node) -> Iterator[Hold]:
    kind = text(node, "objtype")
    if kind in COMMENTED:
        names = strings(node.get("object"))
        yield Hold(_relation(names[: len(names) - COMMENTED[kind]]), SUE)


def _domain(node: Node) -> Iterator[Hold]:
    """A constraint on a domain is checked in every table that uses it; only the catalogue knows which."""
    adds = text(node, "subtype") == "C" and not flag(unwrap(node.get("def"))[1], "skip_validation")
    if adds or text(node, "subtype") == "O":
        yield Hold({}, S, "data")


def _publication(node: Node) -> Iterator[Hold]:
    for _, item in nodes(node, "pubobjects"):
        if relation := field(field(item, "pubtable"), "relation"):
            yield Hold(relation, SUE)


def _everything(_: Node) -> Iterator[Hold]:
    yield Hold({}, AE, "data")


def _lock_table(node: Node) -> Iterator[Hold]:
    mode = node.get("mode")
    name = MODES[mode - 1] if isinstance(mode, int) and 0 < mode <= len(MODES) else AE
    yield from (Hold(relation, name) for _, relation in nodes(node, "relations"))


RULES: dict[str, Callable[[Node], Iterable[Hold]]] = {
    "AlterTableStmt": _alter_table,
    "AlterTableMoveAllStmt": _everything,
    "AlterObjectSchemaStmt": _set_schema,
    "AlterDomainStmt": _domain,
    "AlterPolicyStmt": _on("table", AE),
    "AlterPublicationStmt": _publication,
    "ClusterStmt": _cluster,
    "CommentStmt": _comment,
    "CreateForeignTableStmt": _create_table,
    "CreatePolicyStmt": _on("table", AE),
    "CreatePublicationStmt": _publication,
    "CreateSchemaStmt": _create_schema,
    "CreateStatsStmt": _on_each("relations", SUE),
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_as,
    "CreateTrigStmt": _create_trigger,
    "DeleteStmt": _write,
    "DropOwnedStmt": _everything,
    "DropStmt": _drop,
    "IndexStmt": _create_index,
    "InsertStmt": _write,
    "LockStmt": _lock_table,
    "MergeStmt": _write,
    "RefreshMatViewStmt": _refresh,
    "ReindexStmt": _reindex,
    "RenameStmt": _rename,
    "RuleStmt": _on("relation", AE),
    "SelectStmt": _select,
    "TruncateStmt": _on_each("relations", AE),
    "UpdateStmt": _write,
    "VacuumStmt": _vacuum,
    "ViewStmt": _view,
}
