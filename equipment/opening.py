"""When an instrument is open: weekly hours in wall time by level and season, holidays, make-up workdays, closures, as
instants. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from core.slot import Slot, local_date, merged, without
from equipment.models import DayKind


class Stretch(Protocol):
    """One stretch of a weekday, `[opens_minute, closes_minute)` from local midnight."""

    @property
    def weekday(self) -> int: ...
    @property
    def opens_minute(self) -> int: ...
    @property
    def closes_minute(self) -> int: ...
    @property
    def closed_on_holidays(self) -> bool: ...
    @property
    def season_first(self) -> int | None: ...
    @property
    def season_last(self) -> int | None: ...


S = TypeVar("S", bound=Stretch)


def hours_on(hours: Sequence[S], on: date) -> list[S]:
    """The stretches that count on a day: those of a season that holds it, else those of the whole year."""
    seasonal = [part for part in hours if part.season_first is not None and _in_season(part, on)]
    return seasonal or [part for part in hours if part.season_first is None]


def open_slots(
    hours: Sequence[Stretch],
    days: Mapping[date, DayKind],
    zone: ZoneInfo,
    window: Slot,
    closures: Sequence[Slot] = (),
) -> list[Slot]:
    """Open time within a window, in order and merged.

    `hours` are those of one level. A day off closes every stretch that is closed on holidays. A weekend day that is
    worked has Monday's hours. On a day of a clock change wall time decides: 08:30 is 08:30, and an hour that is skipped
    is not open.
    """
    out: list[Slot] = []
    on = local_date(window.starts_at, zone) - timedelta(days=1)
    last = local_date(window.ends_at, zone)
    while on <= last:
        kind = days.get(on)
        weekday = 0 if kind is DayKind.WORKDAY and on.weekday() >= 5 else on.weekday()
        for part in hours_on(hours, on):
            if part.weekday != weekday or (kind is DayKind.OFF and part.closed_on_holidays):
                continue
            start, end = at_minute(on, part.opens_minute, zone), at_minute(on, part.closes_minute, zone)
            if start < end and (cut := Slot(start, end).common(window)):
                out.append(cut)
        on += timedelta(days=1)
    return without(merged(out), closures) if closures else merged(out)


def at_minute(on: date, minute: int, zone: ZoneInfo) -> datetime:
    """Wall time as an instant; 1440 is the next midnight. A skipped time is the moment of the change."""
    day, rest = on + timedelta(days=minute // 1440), minute % 1440
    local = datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        # Skipped: the change lies between what the offsets before and after it would make of this time.
        moment = min(at, local.replace(fold=1).astimezone(UTC))
        offset = moment.astimezone(zone).utcoffset()
        while moment.astimezone(zone).utcoffset() == offset:
            moment += timedelta(minutes=1)
        return moment
    return at


def _in_season(part: Stretch, on: date) -> bool:
    first, last = part.season_first, part.season_last
    assert first is not None
    assert last is not None
    today = on.month * 100 + on.day
    return first <= today <= last if first <= last else today >= first or today <= last
