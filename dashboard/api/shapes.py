"""What requests and answers are made of; the nouns' own shapes stand beside their routes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from dashboard.api.envelope import ErrorOut
from migrations_app.moments import in_utc


class Asking(BaseModel):
    """A request body: unknown fields are refused by name, and a text is not a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Telling(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(frozen=True)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _as_text(value: object) -> object:
    """A number, or a text of digits, would be read as seconds since 1970."""
    if not isinstance(value, str) or "-" not in value:
        raise ValueError("a moment is a text such as 2027-01-31T08:00:00Z")
    return value


Moment = Annotated[datetime, PlainSerializer(_iso, return_type=str)]
When = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_as_text), AfterValidator(in_utc)]
Name = Annotated[str, Field(min_length=1, max_length=63)]
# Told to clients; the domain itself refuses other names, with a sentence.
NewName = Annotated[str, Field(max_length=63, json_schema_extra={"pattern": "^[a-z0-9][a-z0-9-]{0,62}$"})]
RevisionId = Annotated[str, Field(min_length=1, max_length=200)]
Reason = Annotated[str, Field(max_length=500)]

REFUSALS = frozenset({400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 503, 504})


def answers(
    success: type[BaseModel], *statuses: int, also: int = 0
) -> dict[int | frozenset[int], type[BaseModel] | None]:
    """The responses of a route for the OpenAPI document: its success and every refusal."""
    refusals = REFUSALS | {also} if also else REFUSALS
    return {**dict.fromkeys(statuses or (200,), success), refusals: ErrorOut}
