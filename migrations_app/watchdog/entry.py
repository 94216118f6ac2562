"""What is kept of each restart that was asked for: the request, as long as it waits, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

EXECUTED, BLOCKED, FAILED = "executed", "blocked", "failed"
LONGEST_TEXT = 500


class Unreadable(ValueError):
    """What lies there is not what was to be read."""


@dataclass(frozen=True)
class Flag:
    """A restart that was asked for and accepted, and waits for the watchdog."""

    user: str
    ip: str
    timestamp: datetime
    worker_pid: int
    source: str = "manual"
    manual_override: bool = False
    override_acknowledged: bool = False
    override_reason: str = ""
    policy_state: Mapping[str, object] = field(default_factory=dict)
    policy_decision: Mapping[str, object] = field(default_factory=dict)
    runtime_contract_version: str = ""

    def as_json(self) -> dict[str, object]:
        return {**vars(self), "timestamp": _told(self.timestamp)}


@dataclass(frozen=True)
class Entry:
    """What came of one request. Without `requested_at` it was a flag that could not be read."""

    requested_by: str
    requested_at: datetime | None
    requested_ip: str
    completed_at: datetime
    success: bool
    source: str
    decision: str
    decision_reason: str
    manual_override: bool = False
    policy_state: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        requested_at = None if self.requested_at is None else _told(self.requested_at)
        return {**vars(self), "requested_at": requested_at, "completed_at": _told(self.completed_at)}


def flag_of(value: object) -> Flag:
    """From JSON; raises Unreadable for whatever is missing or of another kind."""
    given = _mapping(value)
    return Flag(
        user=_text(given, "user"),
        ip=_text(given, "ip"),
        timestamp=_moment(given, "timestamp"),
        worker_pid=_whole(given, "worker_pid"),
        source=_source(given),
        manual_override=_yes(given, "manual_override"),
        override_acknowledged=_yes(given, "override_acknowledged"),
        override_reason=_text(given, "override_reason", ""),
        policy_state=_mapping(given.get("policy_state", {})),
        policy_decision=_mapping(given.get("policy_decision", {})),
        runtime_contract_version=_text(given, "runtime_contract_version", ""),
    )


def entry_of(value: object) -> Entry:
    given = _mapping(value)
    decision = _text(given, "decision")
    if decision not in (EXECUTED, BLOCKED, FAILED):
        raise Unreadable(f"decision is {decision!r}")
    return Entry(
        requested_by=_text(given, "requested_by"),
        requested_at=None if given.get("requested_at") is None else _moment(given, "requested_at"),
        requested_ip=_text(given, "requested_ip"),
        completed_at=_moment(given, "completed_at"),
        success=_yes(given, "success"),
        source=_source(given),
        decision=decision,
        decision_reason=_text(given, "decision_reason"),
        manual_override=_yes(given, "manual_override"),
        policy_state=_mapping(given.get("policy_state", {})),
    )


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Unreadable("not an object of names and values")
    return value


def _text(given: Mapping[str, object], name: str, default: str | None = None) -> str:
    value = given.get(name, default)
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise Unreadable(f"{name} is no text of at most {LONGEST_TEXT} characters")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Unreadable(f"{name} holds what is no letter")
    return value


def _whole(given: Mapping[str, object], name: str) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"{name} is no whole number")
    return value


def _yes(given: Mapping[str, object], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise Unreadable(f"{name} is neither true nor false")
    return value


def _source(given: Mapping[str, object]) -> str:
    source = _text(given, "source", "manual")
    if source not in ("manual", "auto"):
        raise Unreadable(f"source is {source!r}")
    return source


def _moment(given: Mapping[str, object], name: str) -> datetime:
    """A time without its zone is not a time."""
    try:
        moment = datetime.fromisoformat(_text(given, name))
        aware = moment.tzinfo is not None
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} is no time") from None
    if not aware:
        raise Unreadable(f"{name} does not say its time zone")
    return moment
