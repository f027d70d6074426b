"""JSON under `/api/v1`: an instrument's calendar, and who is free."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from booking import availability, claims, queries
from booking.errors import SlotInvalid
from booking.models import OccupancyKind
from booking.schemas import AvailabilityOut, BusyOut, CalendarOut, FreeOut, SlotOut
from core.errors import InvalidInput
from core.middleware import SafeRoute
from core.rendering import localised
from core.shapes import InstantIn
from core.slot import Slot
from equipment import queries as catalogue
from equipment.search import Search
from members.access import Visit, Visitor
from members.models import Role

router = APIRouter(prefix="/api/v1", tags=["availability"], route_class=SafeRoute)
PAGE = 20


class WindowTooLong(InvalidInput):
    message = "Ask for at most %(days)s days at once."


@router.get("/equipment/{equipment_id}/calendar")
def get_calendar(
    equipment_id: UUID,
    caller: Visitor,
    starts_at: Annotated[InstantIn, Query(alias="from")],
    ends_at: Annotated[InstantIn, Query(alias="to")],
) -> CalendarOut:
    """Busy and open time of an instrument, without names."""
    window = _window(starts_at, ends_at)
    with caller.read() as session:
        entry = catalogue.get_equipment(session, equipment_id)
        open_slots = claims.open_slots_of(session, entry, window)
        busy = queries.find_busy(session, [unit.id for unit in entry.units], window)
    units = {unit.id: unit.public_id for unit in entry.units}
    mine = caller.actor.organisation_ids(Role.STARTUP_OWNER, Role.STARTUP_MEMBER) if caller.actor else frozenset()
    return CalendarOut(
        busy=[
            BusyOut(
                unit_id=units[part.unit_id],
                starts_at=part.starts_at,
                ends_at=part.ends_at,
                kind="blocked" if part.kind is OccupancyKind.BLOCK else "taken",
                mine=part.organisation_id in mine,
            )
            for part in busy
        ],
        open=[SlotOut.model_validate(slot) for slot in open_slots],
    )


@router.get("/availability")
def find_availability(
    caller: Visitor,
    starts_at: Annotated[InstantIn, Query(alias="from")],
    ends_at: Annotated[InstantIn, Query(alias="to")],
    minutes: Annotated[int, Query(ge=1, le=62 * 1440)] = 60,
    q: Annotated[str, Query(max_length=200)] = "",
    category: Annotated[str | None, Query(max_length=40)] = None,
    institution: UUID | None = None,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> AvailabilityOut:
    """Instruments with a free slot of so many minutes in the window, with their first slots; stops at a page."""
    window = _window(starts_at, ends_at)
    wanted = Search(q=q, category=category, institution=institution, limit=PAGE * 2, cursor=cursor)
    with caller.read() as session:
        return _first_page(session, wanted, window, minutes, caller)


def _first_page(session: Session, wanted: Search, window: Slot, minutes: int, caller: Visit) -> AvailabilityOut:
    """Look through the catalogue page by page until a page of free instruments is full or the catalogue ends."""
    items: list[FreeOut] = []
    while True:
        found = catalogue.search_equipment(session, wanted)
        for free in availability.find_free(session, found.items, window, minutes=minutes, now=caller.now):
            slots = [SlotOut.model_validate(slot) for slot in free.slots]
            items.append(
                FreeOut(equipment_id=free.entry.public_id, name=localised(free.entry, caller.lang), slots=slots)
            )
        if len(items) >= PAGE or found.next_cursor is None:
            return AvailabilityOut(items=items, next_cursor=found.next_cursor)
        wanted = wanted.after(found.next_cursor)


def _window(starts_at: InstantIn, ends_at: InstantIn) -> Slot:
    if starts_at >= ends_at:
        raise SlotInvalid(field="to")
    if ends_at - starts_at > availability.WINDOW_MAX:
        raise WindowTooLong(field="to", days=availability.WINDOW_MAX.days)
    return Slot(starts_at, ends_at)
