"""Time on a unit: choose a unit, claim it, give it back, and the free slots around a refused one.

The checks here explain; the database refuses overlap whatever this code does.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking import conflicts, queries
from booking.errors import SlotTaken, UnitBlocked
from booking.models import Booking, Occupancy, OccupancyKind
from booking.queries import Busy
from core.db import broken_constraint, lock_rows
from core.slot import Slot
from equipment import queries as catalogue
from equipment.models import Equipment, Unit

#: Test only, set by `YIXIANG_UNSAFE_NO_OVERLAP_GUARD`: the check in Python is left out, so that a race test can show
#: that the database refuses by itself, and that without the database it finds double bookings.
UNSAFE = "unsafe_no_overlap_guard"
ALTERNATIVES_MOST = 3
ALTERNATIVES_WITHIN = timedelta(days=14)


def open_slots_of(session: Session, entry: Equipment, window: Slot) -> list[Slot]:
    """Open time of an entry within a window: hours, holidays, make-up workdays and closures."""
    return catalogue.read_calendar(session, window).open_slots(entry, window)


def lock_units(session: Session, entry: Equipment) -> list[Unit]:
    """Lock the entry's units: whoever comes next waits here and then sees what was claimed."""
    return [unit for unit in lock_rows(session, Unit, [u.id for u in entry.units]) if unit.retired_at is None]


def choose_unit(
    session: Session, entry: Equipment, units: Sequence[Unit], slot: Slot, *, now: datetime, moving: int | None = None
) -> Unit:
    """The first of the locked units that is free for the slot with its buffers.

    `moving` is the id of a booking whose own claim does not count. Raises SlotTaken or UnitBlocked with alternatives.
    """
    claim = conflicts.claim_of(slot, entry)
    if session.get_bind().get_execution_options().get(UNSAFE):
        return units[0]
    _drop_expired(session, [unit.id for unit in units], now=now)
    busy = [
        b for b in queries.find_busy(session, [u.id for u in units], claim) if moving is None or b.booking_id != moving
    ]
    by_unit: dict[int, list[Busy]] = defaultdict(list)
    for taken in busy:
        by_unit[taken.unit_id].append(taken)
    for unit in units:
        if unit.id not in by_unit:
            return unit
    near = find_alternatives(session, entry, slot, now=now, moving=moving)
    details = {"alternatives": [{"starts_at": s.starts_at, "ends_at": s.ends_at} for s in near]}
    taken_slots = [part.slot for part in busy[:3]]
    if busy and all(part.kind is OccupancyKind.BLOCK for part in busy):
        raise UnitBlocked(taken=taken_slots, details=details)
    raise SlotTaken(taken=taken_slots, details=details)


def place_claim(session: Session, booking: Booking, entry: Equipment) -> None:
    """Claim the booking's slot with its buffers. Raises SlotTaken or UnitBlocked when the database refuses."""
    claim = conflicts.claim_of(booking.slot, entry)
    session.add(
        Occupancy(
            unit_id=booking.unit_id,
            starts_at=claim.starts_at,
            ends_at=claim.ends_at,
            kind=OccupancyKind.BOOKING,
            exclusive=True,
            booking_id=booking.id,
        )
    )
    try:
        session.flush()
    except DBAPIError as error:
        broken = broken_constraint(error)
        if "unit_blocked" in broken:
            raise UnitBlocked(taken=[claim]) from error
        if "no_overlap" in broken:
            raise SlotTaken(taken=[claim]) from error
        raise


def place_block(session: Session, unit: Unit, slot: Slot, *, note_id: int | None) -> None:
    """Time in which a unit is out of service; may lie over claims and other blocks."""
    session.add(
        Occupancy(
            unit_id=unit.id,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            kind=OccupancyKind.BLOCK,
            exclusive=False,
            note_id=note_id,
        )
    )
    session.flush()


def drop_claim(session: Session, booking: Booking) -> None:
    """Give the time back; the story stays in the events."""
    session.execute(delete(Occupancy).where(Occupancy.booking_id == booking.id))


def find_alternatives(
    session: Session, entry: Equipment, wanted: Slot, *, now: datetime, moving: int | None = None
) -> list[Slot]:
    """The free slots nearest to the wanted one, by rule and by claim; as long as wanted, or as long as is allowed."""
    length = min(max(wanted.minutes, entry.length_minutes_min), entry.length_minutes_max)
    length -= length % entry.step_minutes
    wanted = Slot(wanted.starts_at, wanted.starts_at + timedelta(minutes=length))
    earliest = max(now + timedelta(minutes=entry.lead_minutes), wanted.starts_at - ALTERNATIVES_WITHIN)
    latest = min(now + timedelta(days=entry.horizon_days), wanted.ends_at + ALTERNATIVES_WITHIN)
    if earliest >= latest:
        return []
    window = Slot(earliest, latest)
    zone = ZoneInfo(entry.lab.zone)
    open_parts = open_slots_of(session, entry, window)
    busy = queries.find_busy(session, [unit.id for unit in entry.units], window.widened(1440, 1440))
    stretches = free_by_unit(
        entry, open_parts, [b for b in busy if moving is None or b.booking_id != moving],
        minutes=wanted.minutes, earliest=earliest, zone=zone,
    )  # fmt: skip
    found = conflicts.nearest_fits(stretches, wanted, step_minutes=entry.step_minutes, most=ALTERNATIVES_MOST * 4)
    return list(dict.fromkeys(found))[:ALTERNATIVES_MOST]


def free_by_unit(
    entry: Equipment,
    open_parts: Sequence[Slot],
    busy: Sequence[Busy],
    *,
    minutes: int,
    earliest: datetime,
    zone: ZoneInfo,
) -> list[Slot]:
    """Free stretches of all units of an entry together, in order; those of two units may overlap."""
    by_unit: dict[int, list[Slot]] = {unit.id: [] for unit in entry.units if unit.retired_at is None}
    for part in busy:
        if part.unit_id in by_unit:
            by_unit[part.unit_id].append(part.slot)
    stretches: list[Slot] = []
    for taken in by_unit.values():
        stretches += conflicts.free_slots(open_parts, taken, entry, minutes=minutes, earliest=earliest, zone=zone)
    return sorted(set(stretches))


def _drop_expired(session: Session, unit_ids: Sequence[int], *, now: datetime) -> None:
    session.execute(
        delete(Occupancy).where(Occupancy.unit_id.in_(unit_ids), Occupancy.exclusive, Occupancy.expires_at <= now)
    )
