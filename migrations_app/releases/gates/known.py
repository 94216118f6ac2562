"""What is known of a release's gates at one moment, as plain values: judging takes it and asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Key = tuple[str, str]  # a gate and a check


@dataclass(frozen=True)
class Report:
    """The newest evidence of a check. `identity` is what a signature binds."""

    status: str  # statuses.EvidenceStatus
    identity: str
    at: datetime
    summary: str = ""
    source: str = ""
    producer: str = ""
    by: str = ""
    evidence_id: int | None = None
    artefact_name: str = ""
    artefact_sha256: str = ""
    artefact_size: int | None = None  # bytes; None where only its hash is known


@dataclass(frozen=True)
class Outcome:
    """What Lockstep itself knows about a check; `state` is never stale, for it was looked at just now."""

    state: str  # statuses.CheckState
    sentence: str
    identity: str


@dataclass(frozen=True)
class Stranger:
    """A report under a name that the catalogue does not know: perhaps a check that was renamed."""

    gate: str
    check: str
    producer: str
    at: datetime


@dataclass(frozen=True)
class Exemption:
    """A waiver; `approved_by` empty: nobody has decided yet."""

    id: int
    requested_by: str
    reason: str
    requested_at: datetime
    expires_at: datetime
    approved_by: str = ""
    approver_id: int | None = None
    lapsed: str = ""  # why the approver's word counts no more, as a clause; empty while it does


@dataclass(frozen=True)
class Signature:
    """`roles` are those the signer had then and still has."""

    id: int
    by_id: int
    by: str
    roles: tuple[str, ...]
    evidence_hash: str
    parts: Mapping[str, str]
    at: datetime
    expires_at: datetime
    comment: str = ""
    withdrawn_by: str = ""
    withdrawn_reason: str = ""
    disabled: bool = False  # the signer's account, by now
    idle: bool = False  # the signer has no role any more that signs


@dataclass(frozen=True)
class Known:
    """`parts` are what every gate's evidence set holds: the release, its revisions and the targets, each as a hash.

    `barred` are the people whose signature does not count, each with the reason as a clause about them.
    """

    now: datetime
    parts: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[Key, Report] = field(default_factory=dict)
    outcomes: Mapping[Key, Outcome] = field(default_factory=dict)
    strangers: tuple[Stranger, ...] = ()
    exemptions: Mapping[Key, Exemption] = field(default_factory=dict)  # approved ones that have not ended
    asked: Mapping[Key, Exemption] = field(default_factory=dict)  # those that wait for a decision
    signatures: Mapping[str, tuple[Signature, ...]] = field(default_factory=dict)  # by gate, the newest first
    barred: Mapping[int, str] = field(default_factory=dict)
