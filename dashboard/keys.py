"""The keys, in one table: the help on every page, docs/keys.md and the links of the navigation are drawn from it."""

from __future__ import annotations

from dataclasses import dataclass

KEYS_COOKIE = "lockstep_keys"

# After `g`: the name of a page's address and the letter that goes there. A page that does not exist has no link.
GO: dict[str, tuple[str, str]] = {
    "home": ("o", "home"),
    "matrix": ("m", "matrix"),
    "history": ("h", "history"),
    "runs": ("r", "runs"),
    "releases": ("g", "releases and gates"),
    "rehearsals": ("b", "rehearsals"),
    "moves": ("d", "data moves"),
    "flags": ("f", "flags"),
    "alerts": ("a", "alerts"),
    "health": ("s", "health"),
    "workers": ("w", "workers and restarts"),
    "services": ("e", "services and environments"),
    "audit": ("u", "audit"),
}


@dataclass(frozen=True)
class Key:
    caps: tuple[str, ...]
    does: str


@dataclass(frozen=True)
class Group:
    label: str
    keys: tuple[Key, ...]


EVERYWHERE = Group(
    "Everywhere",
    (
        Key(("Ctrl K",), "find and go: the palette; ⌘ K on a Mac"),
        Key(("/",), "to the filter of the page, else to the search"),
        Key(("?",), "this list"),
        Key(("Esc",), "close what is open"),
    ),
)
LISTS = Group(
    "In lists",
    (
        Key(("j",), "next row"),
        Key(("k",), "previous row"),
        Key(("Enter",), "open the row"),
        Key(("]",), "next problem"),
        Key(("[",), "previous problem"),
    ),
)
GATES = Group(
    "On a release",
    (Key(("1", "…", "9"), "open or close that gate"), Key(("s",), "to the sign-off")),
)
DRILL = Group("In a drill", (Key(("Space",), "stopwatch: end the step in hand and start the next"),))
GRID = Group(
    "In the matrix",
    (
        Key(("↑", "↓", "←", "→"), "next cell; Tab leaves the grid and comes back to the same cell"),
        Key(("Home", "End"), "first and last cell of the row; with Ctrl of the grid"),
        Key(("PgUp", "PgDn"), "ten rows"),
        Key(("]", "["), "next and previous cell that is not applied"),
        Key(("v",), "pick a column; the second one shows what differs; Shift and a click do the same"),
    ),
)


def groups(pages: frozenset[str]) -> tuple[Group, ...]:
    """What the keys do for a reader whose navigation holds these pages."""
    there = tuple(Key(("g", letter), word) for name, (letter, word) in GO.items() if name in pages)
    return (EVERYWHERE, LISTS, GRID, GATES, DRILL, Group("Go to", there))


def as_markdown(pages: frozenset[str]) -> str:
    """The table of docs/keys.md."""
    lines = ["| keys | what they do |", "| --- | --- |"]
    for group in groups(pages):
        for key in group.keys:
            lines.append(f"| {' '.join(f'`{cap}`' for cap in key.caps)} | {key.does} |")
    return "\n".join(lines)
