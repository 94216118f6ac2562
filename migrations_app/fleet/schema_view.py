"""What a page, the API and a command tell of one environment's schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from migrations_app.engine.target.compare import Difference
from migrations_app.fleet.contents import compare_contents
from migrations_app.fleet.schema_now import SchemaNow, schema_now
from migrations_app.fleet.schema_words import DRIFT_SENTENCES, EXPECTED, Word, sentence, stands, telling
from migrations_app.models import Environment, SchemaDrift, SchemaReading, SchemaState
from migrations_app.models.schema import DriftState, Known

LAST = 20  # readings and episodes that are listed


@dataclass(frozen=True)
class Told:
    """One difference, in words and as both texts."""

    sentence: str
    difference: Difference


@dataclass(frozen=True)
class Doer:
    """A statement that the target's own log holds."""

    at: datetime
    login: str
    role: str
    application: str
    address: str
    tag: str
    object: str
    statement: str

    @property
    def who(self) -> str:
        return self.login if self.login == self.role else f"{self.login} as {self.role}"


@dataclass(frozen=True)
class Brief:
    """Enough for a line on the environment's page."""

    state: SchemaState | None
    drift: SchemaDrift | None
    word: Word

    @property
    def read_at(self) -> datetime | None:
        return self.state.read_at if self.state else None

    @property
    def clean_at(self) -> datetime | None:
        return self.state.clean_at if self.state else None

    @property
    def expected(self) -> str:
        return EXPECTED[Known(self.state.expected_by)] if self.state else EXPECTED[Known.NOTHING]


@dataclass(frozen=True)
class Episode:
    drift: SchemaDrift
    sentence: str


@dataclass(frozen=True)
class View:
    brief: Brief
    differences: tuple[Told, ...]
    doers: tuple[Doer, ...]
    readings: tuple[SchemaReading, ...]
    episodes: tuple[Episode, ...]


def brief_of(found: SchemaNow, now: datetime) -> Brief:
    return Brief(found.state, found.drift, stands(found.state, found.drift, now))


def view_of(environment: Environment, now: datetime) -> View:
    brief = brief_of(schema_now(environment), now)
    readings = SchemaReading.objects.filter(environment=environment)[:LAST]
    episodes = SchemaDrift.objects.filter(environment=environment).select_related("decided_by", "planned_by")[:LAST]
    return View(
        brief=brief,
        differences=told_of(differences_of(brief.drift)) if brief.drift else (),
        doers=doers_of(brief.drift) if brief.drift else (),
        readings=tuple(readings),
        episodes=tuple(Episode(drift, DRIFT_SENTENCES[DriftState(drift.state)]) for drift in episodes),
    )


def differences_of(drift: SchemaDrift) -> tuple[Difference, ...]:
    """Empty where what was expected was never read."""
    return telling(compare_contents(drift.baseline, drift.found)) if drift.baseline else ()


def told_of(found: Sequence[Difference]) -> tuple[Told, ...]:
    return tuple(Told(sentence(one), one) for one in found)


def doers_of(drift: SchemaDrift) -> tuple[Doer, ...]:
    return tuple(Doer(**{**row, "at": datetime.fromisoformat(row["at"])}) for row in drift.changed_by)
