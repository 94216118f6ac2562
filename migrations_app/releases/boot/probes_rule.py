"""Health probes have to pass: the caller's own, and those of nodes that run the same release.

A node of another release is not asked: a fix has to be able to start beside what it is to replace.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_app.releases.boot.known import REPORT_COUNTS, Asked, Known, Reason
from migrations_app.releases.boot.phases import SERVICES


def judge(asked: Asked, known: Known) -> Iterator[Reason]:
    if asked.probes_ok is False:
        yield _reason("probes_fail", "The caller's own probes fail.", "They pass.")
    limit = REPORT_COUNTS.total_seconds()
    ill = [node for node in known.nodes if node.probes_ok is False and node.silent_s <= limit]
    same = [node.node for node in ill if node.release_id == asked.release_id]
    if same:
        sentence = f"The probes of {', '.join(same[:3])} fail with the same release."
        yield _reason("nodes_fail", sentence, "They pass, or the nodes are retired.")


def _reason(code: str, sentence: str, clears: str) -> Reason:
    return Reason(code, SERVICES, sentence, clears)
