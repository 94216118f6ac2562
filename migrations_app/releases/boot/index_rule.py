"""The index has to be the same on every node. Where nobody names one there is none to compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrations_app.releases.boot.known import MEMBER_FOR, REPORT_COUNTS, Asked, Known, Node, Reason
from migrations_app.releases.boot.phases import INDEX

MOST_NAMED = 3


def judge(asked: Asked, known: Known) -> Iterator[Reason]:
    declared = known.release.index_hash if known.release else ""
    if not (declared or asked.index_hash or any(node.index_hash for node in known.nodes)):
        return
    if not asked.index_hash:
        sentence = "Its index is compared here, and the caller names no index_hash."
        yield _reason("index_hash_missing", sentence, "Start it with the hash of its index.", hopeless=True)
        return
    if declared and asked.index_hash != declared:
        sentence = f"The release was registered with the index {declared}, not {asked.index_hash}."
        yield _reason("index_hash_differs", sentence, "Build that index, or register another release.", hopeless=True)
    yield from _others(asked, known.nodes)


def _others(asked: Asked, nodes: Sequence[Node]) -> Iterator[Reason]:
    limit = REPORT_COUNTS.total_seconds()
    silent = [node.node for node in nodes if node.silent_s > limit]
    other = [node.node for node in nodes if node.silent_s <= limit and node.index_hash != asked.index_hash]
    if silent:
        sentence = f"{_names(silent)} did not report for {limit:.0f} s; what is unknown is not equal."
        minutes = MEMBER_FOR.total_seconds() / 60
        clears = f"A new report, the node is retired, or {minutes:.0f} minutes of silence."
        yield _reason("index_unknown", sentence, clears)
    if other:
        sentence = f"The index {asked.index_hash} is not that of {_names(other)}."
        yield _reason("index_differs", sentence, "The nodes report the same index, or are retired.")


def _names(nodes: Sequence[str]) -> str:
    more = len(nodes) - MOST_NAMED
    return ", ".join(nodes[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _reason(code: str, sentence: str, clears: str, *, hopeless: bool = False) -> Reason:
    return Reason(code, INDEX, sentence, clears, hopeless=hopeless)
