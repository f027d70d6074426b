"""Times of another price, typed and shown as one where a night crosses midnight, kept as two. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from core.money import parse_yuan
from equipment.errors import BandInvalid, HoursInvalid
from equipment.timetables import read_stretches

#: Rows of a form.
BANDS_MOST = 12
DAY = 1440


class StoredBand(Protocol):
    """Wall time of some weekdays within one day, as it is kept."""

    @property
    def name(self) -> str: ...
    @property
    def weekdays(self) -> str: ...
    @property
    def from_minute(self) -> int: ...
    @property
    def to_minute(self) -> int: ...
    @property
    def factor_bp(self) -> int: ...


@dataclass(frozen=True)
class Band:
    """As it is typed: `to_minute` over 1440 is the morning after each of its weekdays."""

    name: str
    weekdays: str
    from_minute: int
    to_minute: int
    factor_bp: int

    @property
    def days(self) -> list[int]:
        return [int(digit) for digit in self.weekdays]


def split_band(band: Band) -> list[Band]:
    """Rows to keep, each within one day."""
    if band.to_minute <= DAY:
        return [band]
    morning = replace(band, weekdays=_next_days(band.weekdays), from_minute=0, to_minute=band.to_minute - DAY)
    return [replace(band, to_minute=DAY), morning]


def joined_bands(stored: Iterable[StoredBand]) -> list[Band]:
    """The bands as they were typed: an evening and the morning kept right after it are one."""
    found: list[Band] = []
    for row in stored:
        band = Band(row.name, row.weekdays, row.from_minute, row.to_minute, row.factor_bp)
        if found and _is_morning_of(band, found[-1]):
            found[-1] = replace(found[-1], to_minute=DAY + band.to_minute)
        else:
            found.append(band)
    return found


def read_bands(form: Mapping[str, str]) -> list[Band]:
    """From `band<n>_name|days|time|factor`, split for keeping. Raises BandInvalid, HoursInvalid at the field."""
    return [part for n in range(BANDS_MOST) if (band := _read_band(form, n)) for part in split_band(band)]


def read_factor(text: str, *, field: str, least: int) -> int:
    """`1.5` as 15,000 basis points; empty: 1. Raises BandInvalid."""
    if not text.strip():
        return 10_000
    try:
        factor = parse_yuan(text) * 100
    except ValueError as error:
        raise BandInvalid(field=field) from error
    if not least <= factor <= 100_000:
        raise BandInvalid(field=field)
    return factor


def _read_band(form: Mapping[str, str], number: int) -> Band | None:
    name, time = form.get(f"band{number}_name", "").strip(), form.get(f"band{number}_time", "").strip()
    days = "".join(sorted(set(form.get(f"band{number}_days", "")) & set("0123456")))
    if not (name or time):
        return None
    try:
        stretches = read_stretches(time, field=f"band{number}_time", overnight=True)
    except HoursInvalid as error:
        raise BandInvalid(field=f"band{number}_time") from error
    if not name or len(name) > 40 or len(stretches) != 1 or not days:
        raise BandInvalid(field=f"band{number}_name")
    factor = read_factor(form.get(f"band{number}_factor", ""), field=f"band{number}_factor", least=0)
    return Band(name, days, *stretches[0], factor)


def _is_morning_of(band: Band, evening: Band) -> bool:
    return (
        (band.name, band.factor_bp, band.from_minute) == (evening.name, evening.factor_bp, 0)
        and evening.to_minute == DAY
        and 0 < band.to_minute <= evening.from_minute
        and band.weekdays == _next_days(evening.weekdays)
    )


def _next_days(weekdays: str) -> str:
    return "".join(sorted(str((int(digit) + 1) % 7) for digit in weekdays))
