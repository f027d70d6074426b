"""How much instruments were open, booked, used and left idle in a window of time.

Booked: slots that are approved, in use or completed. Used: visits, from check-in to check-out. No-show: slots that
nobody came to. Open: opening hours of all units, holidays considered, less outages. Outage: opening hours that blocks
took away. Idle: open less booked and no-show, never below zero. Utilisation: used by open, not clamped
(use outside opening hours may lift it over 1). Whatever lies partly in the window counts with that part; of a window
that is not over, the part until now.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from booking.models import Booking, Occupancy, OccupancyKind, State, Visit
from core.slot import Slot, without
from equipment import queries as catalogue
from equipment.models import Equipment, Lab
from members.models import Organisation

BOOKED = frozenset({State.APPROVED, State.IN_USE, State.COMPLETED})
#: A slot that begins earlier than this before a window no longer reaches into it.
REACH = timedelta(days=62)
WITH_ORGANISATION = (joinedload(Lab.organisation),)


class By(StrEnum):
    """What the rows of a report stand for."""

    EQUIPMENT = "equipment"
    LAB = "lab"
    INSTITUTION = "institution"
    """Who owns the instruments."""
    STARTUP = "startup"
    """Who booked; without open and idle time, which no startup has."""


@dataclass
class Usage:
    """Minutes of one row. Filled while the report is made, read afterwards."""

    key: UUID | None = None
    name_zh: str = ""
    name_en: str = ""
    #: Of instruments only.
    lab: Lab | None = None
    model: str = ""
    asset_number: str = ""
    bookings: int = 0
    booked_minutes: int = 0
    used_minutes: int = 0
    no_show_minutes: int = 0
    #: None where open time has no meaning.
    open_minutes: int | None = None
    idle_minutes: int | None = None
    outage_minutes: int | None = None

    @property
    def utilisation(self) -> float | None:
        """Used by open time; None where nothing was open."""
        return self.used_minutes / self.open_minutes if self.open_minutes else None

    def add(self, other: "Usage") -> None:
        self.bookings += other.bookings
        self.booked_minutes += other.booked_minutes
        self.used_minutes += other.used_minutes
        self.no_show_minutes += other.no_show_minutes
        if other.open_minutes is not None:
            self.open_minutes = (self.open_minutes or 0) + other.open_minutes
            self.idle_minutes = (self.idle_minutes or 0) + (other.idle_minutes or 0)
            self.outage_minutes = (self.outage_minutes or 0) + (other.outage_minutes or 0)


@dataclass(frozen=True)
class UsageReport:
    """Rows in order of name, and their sum."""

    window: Slot
    by: By
    rows: tuple[Usage, ...]
    #: Where the figures end: the window's end, or now in a window that is not over.
    until: datetime
    total: Usage = field(default_factory=Usage)


class _Stay(NamedTuple):
    """One booking with its visit, as columns."""

    equipment_id: int
    organisation_id: int
    state: State
    starts_at: datetime
    ends_at: datetime
    checked_in_at: datetime | None
    checked_out_at: datetime | None


def usage_report(
    session: Session, window: Slot, *, by: By, now: datetime, lab_ids: frozenset[int] | None = None
) -> UsageReport:
    """The use of instruments in a window; of some labs, or of all (None).

    Of a window that is not over only the part until now counts, so that all figures are of the same time.
    """
    until = min(max(now, window.starts_at), window.ends_at)
    if until == window.starts_at:
        return UsageReport(window, by, (), until)
    counted = Slot(window.starts_at, until)
    entries = _find_entries(session, lab_ids)
    stays = _find_stays(session, counted, lab_ids)
    if by == By.STARTUP:
        rows = _startup_rows(session, stays, counted, now)
    else:
        rows = _entry_rows(session, entries, stays, counted, by, now)
    total = Usage()
    for row in rows:
        total.add(row)
    return UsageReport(window, by, tuple(rows), until, total)


def minutes_within(start: datetime, end: datetime, window: Slot) -> int:
    """Whole minutes of `[start, end)` that lie in a window."""
    inside = Slot(start, end).common(window) if start < end else None
    return inside.minutes if inside else 0


def _entry_rows(
    session: Session, entries: Sequence[Equipment], stays: Iterable[_Stay], window: Slot, by: By, now: datetime
) -> list[Usage]:
    """One row per entry with open time or use, then summed up by lab or institution."""
    usage = {entry.id: _named(entry) for entry in entries}
    for stay in stays:
        if stay.equipment_id in usage:
            _count(usage[stay.equipment_id], stay, window, now)
    opened = _open_minutes(session, entries, window)
    groups: dict[int, Usage] = {}
    for entry in entries:
        row = usage[entry.id]
        row.open_minutes, row.outage_minutes = opened.get(entry.id, (0, 0))
        if not row.open_minutes and not row.outage_minutes and not row.bookings:
            continue
        row.idle_minutes = max(row.open_minutes - row.booked_minutes - row.no_show_minutes, 0)
        key, owner = _GROUP[by](entry)
        groups.setdefault(key, _named(owner)).add(row)
    return list(groups.values())


#: By what -> the id and the named thing that an entry counts for.
_GROUP: dict[By, Callable[[Equipment], tuple[int, Any]]] = {
    By.EQUIPMENT: lambda entry: (entry.id, entry),
    By.LAB: lambda entry: (entry.lab_id, entry.lab),
    By.INSTITUTION: lambda entry: (entry.owner_id, entry.owner),
}


def _startup_rows(session: Session, stays: Sequence[_Stay], window: Slot, now: datetime) -> list[Usage]:
    keys = {stay.organisation_id for stay in stays}
    statement = select(Organisation).where(Organisation.id.in_(keys)).order_by(Organisation.sort_key, Organisation.id)
    rows = {organisation.id: _named(organisation) for organisation in session.scalars(statement)}
    for stay in stays:
        _count(rows[stay.organisation_id], stay, window, now)
    return [row for row in rows.values() if row.bookings]


def _count(row: Usage, stay: _Stay, window: Slot, now: datetime) -> None:
    slot_minutes = minutes_within(stay.starts_at, stay.ends_at, window)
    used_minutes = 0
    if stay.checked_in_at is not None:
        used_minutes = minutes_within(stay.checked_in_at, stay.checked_out_at or now, window)
    if not slot_minutes and not used_minutes:
        return
    row.bookings += 1
    row.used_minutes += used_minutes
    if stay.state in BOOKED:
        row.booked_minutes += slot_minutes
    else:
        row.no_show_minutes += slot_minutes


def _named(item: Any) -> Usage:
    row = Usage(key=item.public_id, name_zh=item.name_zh, name_en=item.name_en)
    if isinstance(item, Equipment):
        row.lab, row.model, row.asset_number = item.lab, item.model, item.asset_number
    return row


def _find_entries(session: Session, lab_ids: frozenset[int] | None) -> list[Equipment]:
    """Entries in order of name, with what open time and names need; those no longer booked stay for their past."""
    statement = select(Equipment).options(
        joinedload(Equipment.lab),
        joinedload(Equipment.owner),
        selectinload(Equipment.all_hours),
        selectinload(Equipment.units),
    )
    if lab_ids is not None:
        statement = statement.where(Equipment.lab_id.in_(lab_ids))
    return list(session.scalars(statement.order_by(Equipment.sort_key, Equipment.id)))


def _find_stays(session: Session, window: Slot, lab_ids: frozenset[int] | None) -> list[_Stay]:
    """Bookings that may have time in a window: a visit may begin before its slot and end after it, by a day at most."""
    statement = (
        select(
            Booking.equipment_id,
            Booking.organisation_id,
            Booking.state,
            Booking.starts_at,
            Booking.ends_at,
            Visit.checked_in_at,
            Visit.checked_out_at,
        )
        .outerjoin(Visit, Visit.booking_id == Booking.id)
        .where(
            Booking.state.in_(BOOKED | {State.NO_SHOW}),
            Booking.starts_at > window.starts_at - REACH,
            Booking.starts_at < window.ends_at + timedelta(days=1),
            Booking.ends_at > window.starts_at - timedelta(days=1),
        )
    )
    if lab_ids is not None:
        statement = statement.join(Equipment, Equipment.id == Booking.equipment_id)
        statement = statement.where(Equipment.lab_id.in_(lab_ids))
    return [_Stay(*row) for row in session.execute(statement)]


def _open_minutes(session: Session, entries: Sequence[Equipment], window: Slot) -> dict[int, tuple[int, int]]:
    """Entry id -> minutes that its units were open, and that blocks took from their opening hours.

    Entries of the same hours and zone are worked out once.
    """
    blocks = _find_blocks(session, window)
    calendar = catalogue.read_calendar(session, window)
    known: dict[Any, list[Slot]] = {}
    out: dict[int, tuple[int, int]] = {}
    for entry in entries:
        if not entry.is_bookable or entry.retired_at is not None:
            continue
        hours = tuple(
            (h.weekday, h.opens_minute, h.closes_minute, h.closed_on_holidays, h.season_first, h.season_last)
            for h in entry.hours
        )
        pattern = (entry.lab.zone, hours, tuple(row.id for row in calendar.closures_of(entry)))
        if pattern not in known:
            known[pattern] = calendar.open_slots(entry, window)
        units = [unit for unit in entry.units if unit.retired_at is None]
        hours_of_all = len(units) * sum(slot.minutes for slot in known[pattern])
        open_minutes = sum(slot.minutes for unit in units for slot in without(known[pattern], blocks[unit.id]))
        out[entry.id] = open_minutes, hours_of_all - open_minutes
    return out


def _find_blocks(session: Session, window: Slot) -> dict[int, list[Slot]]:
    """Outages and closures by unit."""
    statement = select(Occupancy.unit_id, Occupancy.starts_at, Occupancy.ends_at).where(
        Occupancy.kind == OccupancyKind.BLOCK,
        Occupancy.starts_at < window.ends_at,
        Occupancy.ends_at > window.starts_at,
    )
    blocks: dict[int, list[Slot]] = defaultdict(list)
    for unit_id, start, end in session.execute(statement):
        blocks[unit_id].append(Slot(start, end))
    return blocks
