"""Tables, one file per noun, with nearly no behaviour."""

from migrations_app.models.alert import AlertEpisode, AlertEvent, AlertState, AlertThreshold
from migrations_app.models.audit import AuditEntry
from migrations_app.models.audit_anchor import AuditAnchor
from migrations_app.models.audit_check import AuditCheck
from migrations_app.models.boot import BootAttempt, BootFailure, NodeReport
from migrations_app.models.consent import RollbackConsent
from migrations_app.models.cutover import (
    BreakGlass,
    BreakGlassAnswer,
    Cutover,
    CutoverGate,
    CutoverStep,
    EnvironmentRelease,
    Freeze,
)
from migrations_app.models.drill import Drill, DrillCheck, DrillFollowUp, DrillIntervention, DrillStep
from migrations_app.models.environment import Environment
from migrations_app.models.gate import (
    EvidenceArtefact,
    GateCatalogue,
    GateEvidence,
    GateSignature,
    GateWaiver,
    SignatureWithdrawal,
    WaiverDecision,
)
from migrations_app.models.gate_look import GateLook
from migrations_app.models.health_sample import HealthBucket, HealthSample
from migrations_app.models.installation import Installation
from migrations_app.models.ledger import AppliedRevision, AppliedTally, ChainTally, LedgerEntry
from migrations_app.models.outbox import OutboxItem
from migrations_app.models.rehearsal import Rehearsal, RehearsalLine, RevisionRehearsal
from migrations_app.models.release import Release, ReleaseState
from migrations_app.models.revision import Revision
from migrations_app.models.run import Run, RunLogLine, RunStep, StepAttempt
from migrations_app.models.schema import SchemaContent, SchemaDefinition, SchemaDrift, SchemaReading, SchemaState
from migrations_app.models.service import Service
from migrations_app.models.token import ApiToken
from migrations_app.models.web_process import WebProcess
from migrations_app.models.worker import WorkerProcess

__all__ = [
    "AlertEpisode",
    "AlertEvent",
    "AlertState",
    "AlertThreshold",
    "ApiToken",
    "AppliedRevision",
    "AppliedTally",
    "AuditAnchor",
    "AuditCheck",
    "AuditEntry",
    "BootAttempt",
    "BootFailure",
    "BreakGlass",
    "BreakGlassAnswer",
    "ChainTally",
    "Cutover",
    "CutoverGate",
    "CutoverStep",
    "Drill",
    "DrillCheck",
    "DrillFollowUp",
    "DrillIntervention",
    "DrillStep",
    "Environment",
    "EnvironmentRelease",
    "EvidenceArtefact",
    "Freeze",
    "GateCatalogue",
    "GateEvidence",
    "GateLook",
    "GateSignature",
    "GateWaiver",
    "HealthBucket",
    "HealthSample",
    "Installation",
    "LedgerEntry",
    "NodeReport",
    "OutboxItem",
    "Rehearsal",
    "RehearsalLine",
    "Release",
    "ReleaseState",
    "Revision",
    "RevisionRehearsal",
    "RollbackConsent",
    "Run",
    "RunLogLine",
    "RunStep",
    "SchemaContent",
    "SchemaDefinition",
    "SchemaDrift",
    "SchemaReading",
    "SchemaState",
    "Service",
    "SignatureWithdrawal",
    "StepAttempt",
    "WaiverDecision",
    "WebProcess",
    "WorkerProcess",
]
