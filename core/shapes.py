"""Shapes of input that every package shares: strict instants, bounded texts and numbers."""

import json
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from core.errors import InvalidInput
from core.i18n import N_

#: Years that a platform founded in 2026 can be asked about.
YEARS = range(2000, 2200)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WALL_TIME = re.compile(r"(\d{4,6})-\d{2}-\d{2}T\d{2}:\d{2}(:00)?", re.ASCII)


def read_instant(value: Any) -> datetime:
    """ISO 8601 with an offset, to UTC. No epoch numbers, no bare dates, no naive times, no other digits."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise PydanticCustomError("instant_invalid", N_("Write the time as 2026-11-26T14:00:00+08:00."))
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("instant_invalid", N_("Write the time as 2026-11-26T14:00:00+08:00.")) from error
    if at.tzinfo is None:
        raise PydanticCustomError("instant_naive", N_("The time needs its offset from UTC, for example +08:00."))
    if at.year not in YEARS:
        raise PydanticCustomError("instant_out_of_range", N_("The time lies too far away to be meant."))
    return at.astimezone(UTC)


def read_instant_or_date(value: Any) -> datetime | date:
    """As `read_instant`, or a plain date, whose midnight the caller finds in a zone."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return read_instant(value)
    try:
        on = date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("instant_invalid", N_("Write the time as 2026-11-26T14:00:00+08:00.")) from error
    if on.year not in YEARS:
        raise PydanticCustomError("instant_out_of_range", N_("The time lies too far away to be meant."))
    return on


InstantIn = Annotated[datetime, BeforeValidator(read_instant, json_schema_input_type=str)]
InstantOrDateIn = Annotated[datetime | date, BeforeValidator(read_instant_or_date, json_schema_input_type=str)]
ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(max_length=2000)]
Limit = Annotated[int, Field(ge=1, le=100)]
FenIn = Annotated[int, Field(ge=1, le=10**13, strict=True)]
VersionIn = Annotated[int, Field(ge=1, le=2**31, strict=True)]


class In(BaseModel):
    """What comes in: unknown names are refused, so that a misspelt one is not silently left out."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """What goes out. Instants are UTC with `Z`."""

    model_config = ConfigDict(from_attributes=True)


def write_cursor(*parts: Any) -> str:
    """A position in a list as an opaque text."""
    return json.dumps([part.isoformat() if isinstance(part, datetime) else part for part in parts]).encode().hex()


def read_cursor(text: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """The parts of a cursor that this program wrote. Raises ValueError for any other text."""
    parts = json.loads(bytes.fromhex(text).decode())
    if not isinstance(parts, list) or len(parts) != len(kinds):
        raise ValueError(text)
    out = []
    for part, kind in zip(parts, kinds, strict=True):
        value = datetime.fromisoformat(part) if kind is datetime and isinstance(part, str) else part
        if type(value) is not kind or (isinstance(value, int) and abs(value) >= 2**63):
            raise ValueError(text)
        out.append(value)
    return tuple(out)


class WallTimeInvalid(InvalidInput):
    message = "Choose a date and a time."


class WallTimeOutOfRange(InvalidInput):
    message = "The time lies too far away to be meant."


def read_wall_time(text: str, zone: ZoneInfo, *, field: str) -> datetime:
    """A form's `2026-11-26T14:00` in a zone to an instant. Raises WallTimeOutOfRange, and WallTimeInvalid,
    also for a time that a clock change skips; of an hour that comes twice the first is meant."""
    written = _WALL_TIME.fullmatch(text)
    if not written:
        raise WallTimeInvalid(field=field)
    if int(written[1]) not in YEARS:
        raise WallTimeOutOfRange(field=field)
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise WallTimeInvalid(field=field) from error
    at = local.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != local:
        raise WallTimeInvalid(field=field)
    return at


def read_date(text: str, default: date) -> date:
    """A date in an address; anything else is the default."""
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return default
    return on if on.year in YEARS else default


def read_uuid(text: str) -> UUID | None:
    """An id in an address; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
