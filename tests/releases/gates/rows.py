"""Rows about gates that no verb made: each with the audit entry that the database wants beside it."""

from __future__ import annotations

from typing import TypeVar

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.audit.record import record
from migrations_app.models import (
    BreakGlass,
    BreakGlassAnswer,
    Cutover,
    GateEvidence,
    GateSignature,
    GateWaiver,
    Release,
    SignatureWithdrawal,
    WaiverDecision,
)
from migrations_app.releases.gates.changing import object_of
from migrations_app.releases.gates.telling import told

Row = TypeVar(
    "Row",
    GateEvidence,
    GateSignature,
    SignatureWithdrawal,
    GateWaiver,
    WaiverDecision,
    BreakGlass,
    BreakGlassAnswer,
    Cutover,
)
ACTIONS: dict[type, str] = {
    GateEvidence: "evidence.record",
    GateSignature: "gate.sign",
    SignatureWithdrawal: "gate.withdraw",
    GateWaiver: "waiver.ask",
    WaiverDecision: "waiver.approve",
    BreakGlass: "glass.ask",
    BreakGlassAnswer: "glass.break",
    Cutover: "cutover.start",
}


def put(row: Row) -> Row:
    """Save it, and tell of it."""
    with transaction.atomic():
        row.save(force_insert=True)
        tell(row)
    return row


def tell(row: Row) -> None:
    row.refresh_from_db()
    record(actor=_by(row), action=ACTIONS[type(row)], object=object_of(_release(row)), after=told(row))


def _by(row: Row) -> User | None:
    if isinstance(row, GateWaiver | Cutover):
        return row.requested_by
    return row.asked_by if isinstance(row, BreakGlass) else row.by


def _release(row: Row) -> Release:
    if isinstance(row, SignatureWithdrawal):
        return row.signature.release
    if isinstance(row, WaiverDecision):
        return row.waiver.release
    return row.glass.release if isinstance(row, BreakGlassAnswer) else row.release
