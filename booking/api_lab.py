"""JSON under `/api/v1/lab`: what a lab enters itself."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import outages, queries, service, visits
from booking.schemas import BookingOut, BookingPage, OverrideIn, Quantities, SlotIn, VoucherChoice
from core.middleware import SafeRoute
from core.shapes import LongText
from equipment.models import ServiceMode
from members.access import Caller, allowed
from members.models import Role

router = APIRouter(prefix="/api/v1/lab", tags=["lab"], route_class=SafeRoute)
Manager = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER))]
Email = Annotated[str, Field(max_length=254)]


class LabBookingIn(SlotIn, OverrideIn):
    equipment_id: UUID
    email: Email
    quantities: Quantities = {}
    voucher: VoucherChoice = "auto"
    mode: ServiceMode | None = None
    purpose: LongText = ""


class PastUseIn(SlotIn):
    equipment_id: UUID
    email: Email
    quantities: Quantities = {}
    voucher: VoucherChoice = "auto"
    mode: ServiceMode | None = None
    reason: LongText


class OutageIn(SlotIn):
    unit_id: UUID
    reason: LongText


@router.post("/bookings", status_code=201, response_model=BookingOut)
def book_for_someone(body: LabBookingIn, caller: Manager) -> Response:
    """For someone who phones: approved at once."""
    return caller.answer_once(
        201,
        lambda session: BookingOut.of_placed(
            service.book_for_someone(
                session, caller.actor, equipment_id=body.equipment_id, email=body.email, slot=body.slot,
                quantities=body.quantities, voucher=body.voucher, mode=body.mode, purpose=body.purpose,
                override=body.wanted, now=caller.now,
            ),
            caller.lang,
            body.purpose.strip(),
        ),
    )  # fmt: skip


@router.post("/past-use", status_code=201, response_model=BookingOut)
def enter_past_use(body: PastUseIn, caller: Manager) -> Response:
    """Use that happened without a booking, and why it is entered now: charged at once."""
    return caller.answer_once(
        201,
        lambda session: BookingOut.of(
            visits.enter_past_use(
                session, caller.actor, equipment_id=body.equipment_id, email=body.email, slot=body.slot,
                quantities=body.quantities, voucher=body.voucher, mode=body.mode, reason=body.reason,
                now=caller.now,
            ),
            caller.lang,
            "",
        ),
    )  # fmt: skip


@router.post("/outages", status_code=201, response_model=BookingPage)
def add_outage(body: OutageIn, caller: Manager) -> Response:
    """Take a unit out of service; answers the live bookings that lie in this time and stay."""

    def act(session: Session) -> BookingPage:
        met = outages.block_unit(
            session, caller.actor, body.unit_id, slot=body.slot, reason=body.reason, now=caller.now
        )
        purposes = queries.find_notes(session, [booking.purpose_note_id for booking in met])
        items = [BookingOut.of(booking, caller.lang, purposes.get(booking.purpose_note_id or 0, "")) for booking in met]
        return BookingPage(items=items, total=len(items), next_cursor=None)

    return caller.answer_once(201, act)
