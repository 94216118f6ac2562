"""GET /metrics for Prometheus: what the control database says now, and what web processes tell of themselves.

It is asked over the pool. When it cannot be, the answer is still 200 and holds what this process knows by itself:
Prometheus drops what comes with an error, and pool and breaker matter most just then.
"""

from __future__ import annotations

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from dashboard.health import looking
from dashboard.health.caller import is_listed
from dashboard.health.looking import Look
from dashboard.health.views import open_to_all, refusal
from migrations_app.metrics import condition, database, restarts, web
from migrations_app.metrics.telling import registry_of

logger = structlog.get_logger(__name__)


@open_to_all
def metrics_view(request: HttpRequest) -> HttpResponse:
    """For a listed address, and for who is signed in or brings a token."""
    refused = None if is_listed(request) else refusal(request, "view")
    if refused is not None:
        return refused
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry_of(_families(looking.current()))), content_type=content_type)


def _families(look: Look) -> list[Metric]:
    found = _read() if look.database else None
    return [
        *condition.told(look.facts(), up=found is not None),
        *web.pools(look.processes),
        *web.breakers(look.processes),
        *web.route_caches(look.processes),
        *restarts.told(look.restarts),
        *(found or ()),
    ]


def _read() -> list[Metric] | None:
    try:
        return database.read()
    except (OperationalError, InterfaceError) as failure:
        logger.warning("metrics.database", cause=type(failure.__cause__ or failure).__name__)
        return None
