"""The week of an instrument at a glance: what is open, free and taken, and when it is next free."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import claims, conflicts, queries
from booking.queries import Busy
from core.slot import Slot, intersected, local_day, merged, without
from equipment import queries as catalogue
from equipment.models import Equipment
from equipment.queries import Calendar


@dataclass(frozen=True)
class Days:
    """What is open, free and taken on the days of an entry, merged over its units: free where any unit is free."""

    entry: Equipment
    zone: ZoneInfo
    first_on: date
    open_slots: list[Slot]
    free_slots: list[Slot]
    next_free: Slot | None

    @property
    def window(self) -> Slot:
        """From the first day on, a week."""
        last = self.first_on + timedelta(days=6)
        return Slot(local_day(self.first_on, self.zone).starts_at, local_day(last, self.zone).ends_at)

    def part(self, slots: Sequence[Slot], on: date) -> list[Slot]:
        """The part of some slots that falls on a day."""
        return intersected(slots, [local_day(on, self.zone)])


def find_days(
    session: Session, entries: Sequence[Equipment], *, first_on: date, days: int, now: datetime,
    person_id: int | None = None,
) -> dict[int, Days]:  # fmt: skip
    """Open and free time of entries over some days, by entry id. Three statements for all of them.

    What is held for `person_id` is free.
    """
    zones = {entry.id: ZoneInfo(entry.lab.zone) for entry in entries}
    starts = [local_day(first_on, zone).starts_at for zone in zones.values()]
    if not starts:
        return {}
    window = Slot(min(starts), max(starts) + timedelta(days=days))
    calendar, busy = _calendar_and_busy(session, entries, window, now, person_id)
    out = {}
    for entry in entries:
        zone = zones[entry.id]
        own = Slot(local_day(first_on, zone).starts_at, local_day(first_on + timedelta(days=days - 1), zone).ends_at)
        open_parts = calendar.open_slots(entry, own) if entry.is_bookable else []
        free = _free_of_any_unit(entry, open_parts, busy)
        shortest = entry.length_minutes_min
        fits = _stretches(entry, calendar, busy, own, minutes=shortest, now=now) if entry.is_bookable else []
        first = conflicts.first_fits(fits, minutes=shortest, most=1)
        out[entry.id] = Days(entry, zone, first_on, open_parts, free, first[0] if first else None)
    return out


def _calendar_and_busy(
    session: Session, entries: Sequence[Equipment], window: Slot, now: datetime, person_id: int | None
) -> tuple[Calendar, dict[int, list[Busy]]]:
    calendar = catalogue.read_calendar(session, window)
    units = [unit.id for entry in entries for unit in entry.units]
    by_unit: dict[int, list[Busy]] = defaultdict(list)
    for part in queries.find_busy(session, units, window.widened(1440, 1440)) if units else []:
        if not part.gives_way(now, person_id):
            by_unit[part.unit_id].append(part)
    return calendar, by_unit


def _stretches(
    entry: Equipment,
    calendar: Calendar,
    busy: dict[int, list[Busy]],
    window: Slot,
    *,
    minutes: int,
    now: datetime,
) -> list[Slot]:
    """Free stretches of an entry that a request would be granted in: rules, hours, buffers and claims respected."""
    zone = ZoneInfo(entry.lab.zone)
    earliest = max(window.starts_at, now + timedelta(minutes=entry.lead_minutes))
    latest = min(window.ends_at, now + timedelta(days=entry.horizon_days))
    if earliest >= latest:
        return []
    open_parts = calendar.open_slots(entry, Slot(earliest, latest))
    taken = [part for unit in entry.units for part in busy.get(unit.id, [])]
    units = [unit for unit in entry.units if unit.retired_at is None]
    return claims.free_by_unit(entry, units, open_parts, taken, minutes=minutes, earliest=earliest, zone=zone)


def _free_of_any_unit(entry: Equipment, open_parts: Sequence[Slot], busy: dict[int, list[Busy]]) -> list[Slot]:
    free: list[Slot] = []
    for unit in entry.units:
        if unit.retired_at is None:
            free += without(open_parts, [part.slot for part in busy.get(unit.id, [])])
    return merged(free)
