"""Tables, one file per noun, with nearly no behaviour."""

from migrations_app.models.audit import AuditEntry
from migrations_app.models.audit_check import AuditCheck
from migrations_app.models.environment import Environment
from migrations_app.models.installation import Installation
from migrations_app.models.ledger import AppliedRevision, AppliedTally, ChainTally, LedgerEntry
from migrations_app.models.outbox import OutboxItem
from migrations_app.models.revision import Revision
from migrations_app.models.run import Run, RunLogLine, RunStep, StepAttempt
from migrations_app.models.service import Service
from migrations_app.models.token import ApiToken
from migrations_app.models.worker import WorkerProcess

__all__ = [
    "ApiToken",
    "AppliedRevision",
    "AppliedTally",
    "AuditCheck",
    "AuditEntry",
    "ChainTally",
    "Environment",
    "Installation",
    "LedgerEntry",
    "OutboxItem",
    "Revision",
    "Run",
    "RunLogLine",
    "RunStep",
    "Service",
    "StepAttempt",
    "WorkerProcess",
]
