"""What runs in an environment, by its nodes' own word, and how services started there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from dashboard import access
from dashboard.pages.query import sent
from dashboard.pages.verb import told
from migrations_app.permissions import may
from migrations_app.releases.boot.attempts import list_attempts, tally
from migrations_app.releases.boot.nodes import headline, list_nodes, retire_node
from migrations_app.releases.boot.phases import default_graph


@require_safe
def environment_nodes(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    found = access.environment_for(request.user, service, environment)
    nodes = list_nodes(found)
    context = {
        "environment": found,
        "nodes": nodes,
        "headline": headline(nodes, found.name),
        "tally": tally(found),
        "attempts": list_attempts(found),
        "phases": default_graph().phases,
        "may_report": may(request.user, "report_boot"),
    }
    return render(request, "services/nodes.html", context)


@require_POST
def environment_node_retire(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    """A node that is gone for good is no member any more, and nobody waits for its report."""
    by = access.require(request.user, "report_boot")
    found = access.node_for(request.user, service, environment, sent(request, "node", 200), "report_boot")
    with told(request):
        retire_node(report=found, by=by)
        messages.success(request, f"{found.node} is no node of {environment} any more, until it reports again.")
    return redirect("environment_nodes", service, environment)
