"""A look, told field by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.conf import settings

from dashboard.health import pool
from dashboard.health.looking import Look
from dashboard.health.read_models import Index, ReadModels
from dashboard.health.shapes import (
    AlertsOut,
    AsyncWorkersOut,
    BreakerOut,
    CacheOut,
    ChurnOut,
    ContractOut,
    DerivedIndexOut,
    HealthOut,
    IndexOut,
    MemoryOut,
    PolicyOut,
    PoolOut,
    PoolRuntimeOut,
    PoolStateOut,
    ProcessOut,
    QueueOut,
    QueuesOut,
    RecommendationOut,
    ResilienceOut,
    ResourceCacheOut,
    RouteCacheOut,
    ServicesOut,
    SlotsOut,
    ThresholdsOut,
    WorkerOut,
    WorkersOut,
    WorkerSummaryOut,
)
from migrations_app.health.judging import (
    ERROR,
    Recommendation,
    alerts_of,
    reason_of,
    recommend,
    status_of,
    warnings_of,
)
from migrations_app.health.thresholds import thresholds

MODES = ("none", "l1-only", "l1+l2")  # the worst first


def health(look: Look) -> HealthOut:
    facts = look.facts()
    reason = reason_of(facts)
    return HealthOut.model_validate(
        {
            "status": status_of(reason),
            "services": ServicesOut.model_validate({"database": facts.database, "redis": facts.redis}),
            "degraded_reason": reason,
            "circuit_breaker": breaker_out(look),
            "database_pool": PoolOut(runtime=runtime_out(), state=pool_out(look)),
            "resilience": resilience_out(look, recommend(facts)),
            "runtime_contract": contract_out(look),
            "cache": cache_out(look.caches_enabled, look.caches),
            "route_cache": route_cache_out(look),
            "resource_cache": resource_out(look),
            "async_workers": async_workers_out(look),
            "system_memory": MemoryOut.model_validate({**asdict(look.memory), "pressure": look.memory.pressure}),
            "errors": list(errors_of(look)) or None,
            "warnings": list(warnings_of(facts, thresholds())) or None,
        }
    )


def errors_of(look: Look) -> tuple[str, ...]:
    """Sentences of ours: what a driver said may name hosts and people."""
    told = (
        (look.database is None, "The control database did not answer in time."),
        (look.redis == ERROR, "Redis did not answer in time."),
    )
    return tuple(sentence for holds, sentence in told if holds)


def breaker_out(look: Look) -> BreakerOut:
    return BreakerOut.model_validate(look.breaker.as_json())


def runtime_out() -> PoolRuntimeOut:
    return PoolRuntimeOut.model_validate(pool.configured())


def pool_out(look: Look) -> PoolStateOut | None:
    fullest = look.pool
    if fullest is None:
        return None
    processes = [ProcessOut.model_validate(one.as_process()) for one in look.pools]
    return PoolStateOut.model_validate({**fullest.as_json(), "scope": look.scope, "processes": processes})


def thresholds_out() -> ThresholdsOut:
    return ThresholdsOut.model_validate(asdict(thresholds()))


def resilience_out(look: Look, advice: Recommendation) -> ResilienceOut:
    return ResilienceOut(
        thresholds=thresholds_out(),
        alerts=AlertsOut.model_validate(asdict(alerts_of(look.facts(), thresholds()))),
        policy_state=PolicyOut.model_validate(look.restarts.state.as_json()),
        restart_churn=ChurnOut.model_validate(look.restarts.churn.as_json()),
        recovery_recommendation=RecommendationOut.model_validate(asdict(advice)),
    )


def contract_out(look: Look) -> ContractOut:
    contract = look.restarts.contract
    errors = [*look.restarts.errors, *_disagreements(look)]
    return ContractOut.model_validate(
        {
            "valid": not errors,
            "strict": contract.validation_enforced,
            "errors": errors,
            "contract": contract.as_json(),
        }
    )


def _disagreements(look: Look) -> list[str]:
    """Web processes that were started under another contract than the one that answers."""
    others = sorted({one.worker_pid for one in look.processes if one.contract != look.own.contract})
    return [f"Web process {pid} runs under another contract than process {look.own.worker_pid}." for pid in others]


def cache_out(enabled: bool, found: ReadModels | None) -> CacheOut:
    indexes = {} if found is None else {"matrix": found.matrix, "search": found.search}
    return CacheOut(
        enabled=enabled,
        sys_date=told(found.sys_date if found else None),
        updated_at=told(found.updated_at if found else None),
        derived_search_index={name: _index_out(one, found) for name, one in indexes.items() if found},
    )


def _index_out(index: Index, found: ReadModels) -> IndexOut:
    return IndexOut(
        version=index.version,
        built_at=index.built_at.isoformat(),
        row_count=index.row_count,
        revisions=found.revisions,
        runs=found.runs,
        releases=found.releases,
        environments=found.environments,
    )


def resource_out(look: Look) -> ResourceCacheOut:
    found = look.caches
    return ResourceCacheOut(
        enabled=look.caches_enabled,
        loaded=found is not None,
        count=found.environments if found else 0,
        version=found.version if found else None,
        updated_at=told(found.updated_at if found else None),
        derived_index=_derived_out(found, look.at),
    )


def _derived_out(found: ReadModels | None, now: datetime) -> DerivedIndexOut:
    tally = found.tally if found else None
    return DerivedIndexOut(
        ready=tally is not None,
        source="migrations_app_appliedtally",
        version=tally.version if tally else None,
        updated_at=told(found.updated_at if found else None),
        built_at=told(tally.built_at if tally else None),
        count=tally.row_count if tally else 0,
        age_seconds=max(0.0, round((now - found.updated_at).total_seconds(), 1)) if found else None,
        is_fresh=found is not None and found.is_fresh,
    )


def route_cache_out(look: Look) -> RouteCacheOut:
    """Counters are added up; mode and availability are those of the worst process."""
    caches = [one.route_cache for one in look.processes]
    reads, l1, l2, misses = (
        sum(getattr(one, name) for one in caches) for name in ("reads_total", "l1_hits", "l2_hits", "misses")
    )
    return RouteCacheOut.model_validate(
        {
            "mode": min((one.mode for one in caches), key=MODES.index),
            "degraded": any(one.degraded for one in caches),
            "redis_expected": any(one.redis_expected for one in caches),
            "available": all(one.available for one in caches),
            "l1_size": sum(one.l1_size for one in caches),
            "reads_total": reads,
            "writes_total": sum(one.writes_total for one in caches),
            "l1_hits": l1,
            "l2_hits": l2,
            "misses": misses,
            **{
                f"{name}_rate": round(part / reads, 4) if reads else 0.0
                for name, part in (("l1_hit", l1), ("l2_hit", l2), ("miss", misses))
            },
        }
    )


def async_workers_out(look: Look) -> AsyncWorkersOut:
    found = look.queue
    workers = found.workers if found else ()
    queues = [QueueOut.model_validate(asdict(one)) for one in (found.queues if found else ())]
    busy = found.busy if found else 0
    return AsyncWorkersOut(
        rq_available=bool(found and found.rq_available),
        workers=WorkersOut(
            workers=[
                WorkerOut.model_validate({**asdict(one), "birth_date": told(one.birth_date)}, strict=False)
                for one in workers
            ],
            summary=WorkerSummaryOut(total=len(workers), busy=busy, idle=len(workers) - busy),
        ),
        queues=_queues_out(queues),
        slots=SlotsOut(
            active=busy,
            max=len(workers),
            utilization_pct=round(busy / len(workers) * 100, 1) if workers else 0.0,
        ),
    )


def _queues_out(queues: Sequence[QueueOut]) -> QueuesOut:
    return QueuesOut(
        queues=list(queues),
        total_queued=sum(one.depth for one in queues),
        total_started=sum(one.started for one in queues),
        total_failed=sum(one.failed for one in queues),
    )


def told(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def redis_enabled() -> bool:
    return bool(settings.REDIS_URL)
