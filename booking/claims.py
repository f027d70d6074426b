"""Time on a unit: choose a unit, claim it, give it back, and the free slots around a refused one.

The checks here explain; the database refuses overlap whatever this code does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking import conflicts, queries
from booking.errors import SlotTaken, UnitBlocked
from booking.models import Booking, Occupancy, OccupancyKind
from booking.queries import Busy
from core.db import broken_constraint, lock_both, lock_rows, table_of
from core.slot import Slot
from equipment.bookable import Bookable, BookableUnit
from equipment.models import Unit
from members.models import Organisation

#: Test only, set by `YIXIANG_UNSAFE_NO_OVERLAP_GUARD`: the check in Python is left out, so that a race test can show
#: that the database refuses by itself, and that without the database it finds double bookings.
UNSAFE = "unsafe_no_overlap_guard"
ALTERNATIVES_MOST = 3
ALTERNATIVES_NEAR = timedelta(days=2)
ALTERNATIVES_WITHIN = timedelta(days=14)


@dataclass(frozen=True)
class Place:
    """Where a slot would go: a free unit, else what is in the way on all of them."""

    unit: BookableUnit | None
    busy: Sequence[Busy]
    #: Ids of what has expired there, or was held for who asks: under the lock it can go.
    expired: Sequence[int] = ()

    @property
    def taken(self) -> list[Slot]:
        """The first few parts of what is in the way; empty where a unit is free."""
        return [] if self.unit else [part.slot for part in self.busy[:3]]

    def find_refusal(self, alternatives: Sequence[Slot] | None = None) -> SlotTaken | UnitBlocked | None:
        """Why the slot has no place, with slots that have one."""
        if self.unit:
            return None
        details = {} if alternatives is None else {"alternatives": as_details(alternatives)}
        only_blocks = self.busy and all(part.kind is OccupancyKind.BLOCK for part in self.busy)
        return (UnitBlocked if only_blocks else SlotTaken)(field="starts_at", taken=self.taken, details=details)


def as_details(slots: Iterable[Slot]) -> list[dict[str, datetime]]:
    """Slots as the details of a refusal."""
    return [{"starts_at": slot.starts_at, "ends_at": slot.ends_at} for slot in slots]


def lock_for(session: Session, organisation_id: int, entry: Bookable) -> None:
    """Lock the company, then the entry's units: whoever comes next waits here and then sees what was claimed."""
    if entry.units:
        lock_both(session, Organisation, organisation_id, Unit, [unit.id for unit in entry.units])
    else:
        lock_rows(session, Organisation, [organisation_id])


def find_place(
    session: Session, entry: Bookable, slot: Slot, *, now: datetime, moving: int | None = None,
    person_id: int | None = None,
) -> Place:  # fmt: skip
    """The first unit that is free for the slot with its buffers. Under a lock of the units the answer holds.

    `moving` is the id of a booking whose own claim does not count; nor does what is held for `person_id`, whose place
    is taken first.
    """
    if session.get_bind().get_execution_options().get(UNSAFE):
        return Place(entry.units[0], [])
    found = queries.find_busy(session, [unit.id for unit in entry.units], conflicts.claim_of(slot, entry))
    busy = _in_the_way(found, now, moving, person_id)
    used = {part.unit_id for part in busy}
    own = {part.unit_id for part in found if person_id is not None and part.held_for_id == person_id}
    units = sorted(entry.units, key=lambda unit: unit.id not in own) if own else entry.units
    free = next((unit for unit in units if unit.id not in used), None)
    return Place(free, busy, [part.id for part in found if part.gives_way(now, person_id)])


def _in_the_way(found: Iterable[Busy], now: datetime, moving: int | None, person_id: int | None) -> list[Busy]:
    return [
        part
        for part in found
        if (moving is None or part.booking_id != moving) and not part.gives_way(now, person_id)
    ]  # fmt: skip


def place_claim(session: Session, booking: Booking, entry: Bookable, place: Place) -> None:
    """Claim the booking's slot with its buffers; what has expired there gives way.

    Raises SlotTaken or UnitBlocked when the database refuses.
    """
    claim = conflicts.claim_of(booking.slot, entry)
    if place.expired:
        session.execute(delete(Occupancy).where(Occupancy.id.in_(place.expired)))
    row = {
        "unit_id": booking.unit_id, "starts_at": claim.starts_at, "ends_at": claim.ends_at,
        "kind": OccupancyKind.BOOKING, "exclusive": True, "booking_id": booking.id,
    }  # fmt: skip
    try:
        session.connection().execute(_CLAIM, row)
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


_CLAIM = insert(table_of(Occupancy))


def find_alternatives(
    session: Session, entry: Bookable, wanted: Slot, *, now: datetime, moving: int | None = None,
    person_id: int | None = None,
) -> list[Slot]:  # fmt: skip
    """The free slots nearest to the wanted one, by rule and by claim; as long as wanted, or as long as rules and
    opening hours allow.

    Most are found within days. Only where these do not give enough of the wanted length are the weeks around read.
    """
    near = _find_alternatives(session, entry, wanted, ALTERNATIVES_NEAR, now=now, moving=moving, person_id=person_id)
    if len(near) == ALTERNATIVES_MOST and all(slot.minutes >= wanted.minutes for slot in near):
        return near
    return _find_alternatives(session, entry, wanted, ALTERNATIVES_WITHIN, now=now, moving=moving, person_id=person_id)


def _find_alternatives(
    session: Session, entry: Bookable, wanted: Slot, within: timedelta, *, now: datetime, moving: int | None,
    person_id: int | None,
) -> list[Slot]:  # fmt: skip
    length = min(max(wanted.minutes, entry.length_minutes_min), entry.length_minutes_max)
    earliest = max(now + timedelta(minutes=entry.lead_minutes), wanted.starts_at - within)
    latest = min(now + timedelta(days=entry.horizon_days), wanted.starts_at + timedelta(minutes=length) + within)
    if earliest >= latest:
        return []
    window = Slot(earliest, latest)
    zone = entry.zone
    open_parts = entry.open_slots(window)
    longest = conflicts.longest_minutes(open_parts, entry, earliest=earliest, zone=zone)
    length = min(length - length % entry.step_minutes, longest)
    if length < max(entry.length_minutes_min, 1):
        return []
    wanted = Slot(wanted.starts_at, wanted.starts_at + timedelta(minutes=length))
    busy = queries.find_busy(session, [unit.id for unit in entry.units], conflicts.around(window, entry))
    stretches = free_by_unit(
        entry, entry.units, open_parts, _in_the_way(busy, now, moving, person_id),
        minutes=length, earliest=earliest, zone=zone,
    )  # fmt: skip
    found = conflicts.nearest_fits(stretches, wanted, step_minutes=entry.step_minutes, most=ALTERNATIVES_MOST * 4)
    # Steps are counted in time that passes; after a clock change the wall may show something between two steps.
    on_step = [slot for slot in found if conflicts.is_on_step(slot, entry.step_minutes, zone)]
    return list(dict.fromkeys(on_step))[:ALTERNATIVES_MOST]


class Machine(Protocol):
    """A unit that is in use."""

    @property
    def id(self) -> int: ...


def free_by_unit(
    policy: conflicts.Policy,
    units: Iterable[Machine],
    open_parts: Sequence[Slot],
    busy: Sequence[Busy],
    *,
    minutes: int,
    earliest: datetime,
    zone: ZoneInfo,
) -> list[Slot]:
    """Free stretches of all units of an entry together, in order; those of two units may overlap."""
    by_unit: dict[int, list[Slot]] = {unit.id: [] for unit in units}
    for part in busy:
        if part.unit_id in by_unit:
            by_unit[part.unit_id].append(part.slot)
    stretches: list[Slot] = []
    for taken in by_unit.values():
        stretches += conflicts.free_slots(open_parts, taken, policy, minutes=minutes, earliest=earliest, zone=zone)
    return sorted(set(stretches))
