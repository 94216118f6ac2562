"""Reading helpers over libpg_query's JSON parse tree.

A shape they do not expect reads as empty, never as an error: a newer grammar must not crash the reader.
"""

from __future__ import annotations

from collections.abc import Iterator

Node = dict[str, object]


def unwrap(value: object) -> tuple[str, Node]:
    """`{"IndexStmt": {…}}` → `("IndexStmt", {…})`."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, node),) = value.items()
        if isinstance(kind, str) and isinstance(node, dict):
            return kind, node
    return "", {}


def field(node: Node, key: str) -> Node:
    value = node.get(key)
    return value if isinstance(value, dict) else {}


def items(node: Node, key: str) -> list[object]:
    value = node.get(key)
    return value if isinstance(value, list) else []


def nodes(node: Node, key: str) -> list[tuple[str, Node]]:
    return [unwrap(item) for item in items(node, key)]


def text(node: Node, key: str) -> str:
    value = node.get(key)
    return value if isinstance(value, str) else ""


def flag(node: Node, key: str) -> bool:
    return node.get(key) is True


def string(value: object) -> str | None:
    kind, node = unwrap(value)
    return text(node, "sval") if kind == "String" else None


def strings(values: object) -> list[str]:
    """The names in a list of String nodes (or a List node of them); anything else is left out."""
    if isinstance(values, dict):
        values = items(unwrap(values)[1], "items")
    if not isinstance(values, list):
        return []
    return [name for name in map(string, values) if name is not None]


def walk(root: object) -> Iterator[Node]:
    """Every object below the root, without recursion: legal SQL can nest thousands of levels deep."""
    stack = [root]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            yield value
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def option(node: Node, key: str, name: str) -> bool:
    """Whether a list of DefElem switches `name` on: `(CONCURRENTLY)` and `(CONCURRENTLY true)` both do."""
    return any(element == name and _is_on(value) for element, value in options(node, key))


def options(node: Node, key: str) -> list[tuple[str, Node]]:
    return [(text(element, "defname"), element) for kind, element in nodes(node, key) if kind == "DefElem"]


def _is_on(element: Node) -> bool:
    if element.get("arg") is None:
        return True
    kind, value = unwrap(element.get("arg"))
    if kind == "String":
        return text(value, "sval").lower() in ("true", "on", "1", "yes")
    return flag(value, "boolval") or value.get("ival", 0) != 0
