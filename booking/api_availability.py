"""JSON under `/api/v1`: an instrument's calendar, and who is free."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from booking import free_search, near_misses, queries, soonest
from booking.free_schemas import AvailabilityIn, AvailabilityOut, FreeOut, NearOut, search_window
from booking.models import OccupancyKind
from booking.schemas import BusyOut, CalendarOut, SlotOut
from core.middleware import SafeRoute
from core.shapes import InstantIn
from equipment import queries as catalogue
from members.access import Visitor
from members.models import Role

router = APIRouter(prefix="/api/v1", tags=["availability"], route_class=SafeRoute)


@router.get("/equipment/{equipment_id}/calendar")
def get_calendar(
    equipment_id: UUID,
    caller: Visitor,
    starts_at: Annotated[InstantIn, Query(alias="from")],
    ends_at: Annotated[InstantIn, Query(alias="to")],
) -> CalendarOut:
    """Busy and open time of an instrument, without names."""
    window = search_window(starts_at, ends_at)
    with caller.read() as session:
        entry = catalogue.get_bookable(session, equipment_id, window)
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
        open=[SlotOut.model_validate(slot) for slot in entry.open_slots(window)],
    )


@router.get("/availability")
def find_availability(asked: Annotated[AvailabilityIn, Query()], caller: Visitor) -> AvailabilityOut:
    """Instruments with a free slot of so many minutes in the window, with their first slots; stops at a page.

    `near` holds what nearly fits when nothing does.
    """
    search, wish = asked.search, asked.wish
    find = soonest.find_soonest if asked.sort == "soonest" else free_search.find_page
    with caller.read() as session:
        page = find(session, search, wish, now=caller.now)
        nothing = not page.items and asked.cursor is None
        near = near_misses.find_near_misses(session, search, wish, now=caller.now) if nothing else []
    return AvailabilityOut(
        items=[FreeOut.of(free, caller.lang) for free in page.items],
        near=[NearOut.of_near(miss, caller.lang) for miss in near],
        next_cursor=page.next_cursor,
        is_cut=page.is_cut,
    )
