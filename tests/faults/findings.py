"""What a check can find; every list here should be empty."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    receipts: int = 0
    ledger: int = 0
    runs: int = 0
    audit_entries: int = 0
    effects_twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    invalid_indexes: list[str] = field(default_factory=list)
    ledger_differs: list[str] = field(default_factory=list)
    ledger_late: list[str] = field(default_factory=list)  # wrong before the comparison, right after it
    not_terminal: list[str] = field(default_factory=list)
    steps_not_done: list[str] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)

    def lines(self) -> list[tuple[str, list[str]]]:
        return [
            ("applied twice", self.effects_twice),
            ("lost", self.lost),
            ("effect without receipt", self.unrecorded),
            ("out of order", self.out_of_order),
            ("invalid or missing indexes", self.invalid_indexes),
            ("ledger differs from receipts", self.ledger_differs),
            ("ledger late when its run had ended", self.ledger_late),
            ("runs not at an end", self.not_terminal),
            ("succeeded runs with a step not done", self.steps_not_done),
            ("audit chain", self.audit),
        ]
