"""The decision: from what was asked and what is known to a yes, or to every reason against it. Nothing else is read.

There is no yes while anything cannot be told.
"""

from __future__ import annotations

from migrations_app.releases.boot import index_rule, probes_rule, schema_rule, secrets_rule, target_rule
from migrations_app.releases.boot.known import Asked, Decision, Known
from migrations_app.releases.boot.phases import Graph, default_graph

RULES = (target_rule, secrets_rule, schema_rule, index_rule, probes_rule)


def decide(asked: Asked, known: Known, graph: Graph | None = None) -> Decision:
    """`waiting_for` is an open run after which nothing would be hopeless."""
    graph = graph or default_graph()
    found = [reason for rule in RULES for reason in rule.judge(asked, known)]
    hopeless = any(reason.hopeless for reason in found)
    run = known.run
    waits = run is not None and not hopeless and schema_rule.leads_somewhere(asked, known)
    return Decision(
        reasons=tuple(sorted(found, key=lambda reason: graph.place(reason.phase))),
        waiting_for=run.id if run is not None and waits else None,
        progress=run.progress if run is not None and waits else "",
        hopeless=hopeless,
    )
