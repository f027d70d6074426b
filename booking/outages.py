"""Time in which nobody can come: outages of a unit, closures of an instrument, a lab or an institution.

Bookings that lie there stay until somebody moves or cancels them; every verb answers with them.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from booking import claims, queries, quotes
from booking.errors import ReasonMissing
from booking.models import Booking
from booking.service import require_manager_of
from core.db import lock_rows
from core.slot import Slot
from equipment import queries as catalogue
from equipment import timetables
from equipment.models import Unit
from equipment.scopes import Level, find_scope
from members import audit, notes
from members.actor import Actor


def block_unit(
    session: Session, actor: Actor, unit_id: UUID, *, slot: Slot, reason: str, now: datetime
) -> list[Booking]:
    """Take a unit out of service for a time. Bookings that lie there stay; they are returned, in order of start.

    Raises EquipmentNotFound, MayNotRunLab, ReasonMissing.
    """
    unit = catalogue.get_unit(session, unit_id)
    entry = catalogue.get_equipment_by_id(session, unit.equipment_id)
    require_manager_of(session, actor, entry)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    quotes.require_within_reach(slot, now)
    lock_rows(session, Unit, [unit.id])
    note = notes.write(session, reason, person_id=actor.person_id, now=now)
    claims.place_block(session, unit, slot, note_id=note.id)
    audit.record(
        session, actor=actor, action="unit_blocked", object=f"unit:{unit.public_id}", now=now,
        organisation_id=entry.owner_id, note=note,
        data={"starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()},
    )  # fmt: skip
    return queries.find_live_bookings_between(session, slot, unit.id)


def close(
    session: Session, actor: Actor, level: Level, public_id: UUID, *, slot: Slot, reason: str, now: datetime
) -> list[Booking]:
    """Close an instrument, a lab or an institution for a time; answers the bookings that lie there and stay.

    Raises Forbidden, ClosureInvalid, SlotOutOfRange.
    """
    scope = find_scope(session, actor, level, public_id)
    quotes.require_within_reach(slot, now)
    timetables.add_closure(session, actor, scope, slot, reason=reason, now=now)
    return queries.find_live_bookings_of(session, scope.entries, slot)


def find_outside_hours(session: Session, *, now: datetime, limit: int) -> list[Booking]:
    """Coming bookings that lie outside opening hours now, because hours, holidays or closures were changed since; in
    order of start."""
    window = Slot(now, now + quotes.REACH)
    found = []
    calendar = catalogue.read_calendar(session, window)
    for booking in queries.find_coming(session, now=now):
        slot = booking.slot
        around = slot.widened(1440, 1440)
        if not any(part.contains(slot) for part in calendar.open_slots(booking.equipment, around)):
            found.append(booking)
            if len(found) >= limit:
                break
    return found
