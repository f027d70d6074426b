"""JSON under `/api/v1`: quotes, bookings and their verbs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from booking import acceptance, deciding, permissions, queries, quotes, service, visits
from booking.errors import BookingNotFound
from booking.models import Booking, Source, State
from booking.queries import BookingFilter
from booking.schemas import (
    ApprovalIn,
    BookingIn,
    BookingOut,
    BookingPage,
    CheckOutIn,
    MoveIn,
    QuoteIn,
    QuoteOut,
    ReasonIn,
    RefusalIn,
    TermsIn,
    problems_of,
)
from core.errors import InvalidInput
from core.middleware import SafeRoute
from core.shapes import Limit, read_cursor, write_cursor
from equipment import queries as catalogue
from members.access import Caller, SignedIn

router = APIRouter(prefix="/api/v1", tags=["booking"], route_class=SafeRoute)


class CursorInvalid(InvalidInput):
    message = "This cursor is not one that we gave."


@router.post("/quotes", response_model=QuoteOut)
def quote(body: QuoteIn, caller: SignedIn) -> Response | QuoteOut:
    """Price a slot and say what stands in its way; nothing is written. Without a price: refused with all reasons."""
    with caller.read() as session:
        entry = quotes.read_entry(session, body.equipment_id, body.slot, caller.now)
        payer = permissions.payer_for(caller.actor, entry)
        found = quotes.assess_slot(
            session, entry, payer, body.slot, quantities=body.quantities, voucher=body.voucher, mode=body.mode,
            now=caller.now,
        )  # fmt: skip
        quote = found.quote or quotes.require_granted(found)[0]
        provisional = quotes.is_provisional(session, entry, body.slot, entry.zone)
        problems = problems_of(found, caller)
        return QuoteOut.of(quote, found, entry, problems, caller.lang, is_provisional=provisional)


@router.post("/bookings", status_code=201, response_model=BookingOut)
def create_booking(body: BookingIn, caller: SignedIn) -> Response:
    def act(session: Session) -> BookingOut:
        placed = service.request_booking(
            session, caller.actor, equipment_id=body.equipment_id, slot=body.slot, quantities=body.quantities,
            voucher=body.voucher, mode=body.mode, purpose=body.purpose, source=Source.API,
            terms_version=body.terms_version, now=caller.now,
        )  # fmt: skip
        return BookingOut.of_placed(placed, caller.lang, body.purpose.strip())

    return caller.answer_once(201, act)


@router.get("/bookings")
def list_bookings(
    caller: SignedIn,
    state: Annotated[list[State] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> BookingPage:
    """Bookings that the caller may see, in order of start."""
    wanted = BookingFilter(states=frozenset(state) if state else None)
    after = _position(cursor)
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        visible = queries.visible_to(caller.actor, lab_ids)
        rows = queries.find_bookings(session, wanted, visible=visible, limit=limit + 1, after=after)
        total = queries.count_bookings(session, wanted, visible=visible)
        purposes = queries.find_notes(session, [row.purpose_note_id for row in rows])
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return BookingPage(
        items=[BookingOut.of(row, caller.lang, purposes.get(row.purpose_note_id or 0, "")) for row in rows[:limit]],
        total=total,
        next_cursor=write_cursor(last.starts_at, last.id) if last else None,
    )


@router.get("/bookings/{booking_id}")
def get_booking(booking_id: UUID, caller: SignedIn) -> BookingOut:
    with caller.read() as session:
        booking = queries.get_booking(session, booking_id)
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        if not permissions.may_see(caller.actor, booking, lab_ids):
            raise BookingNotFound
        return _out(session, booking, caller)


@router.patch("/bookings/{booking_id}", response_model=BookingOut)
def move_booking(booking_id: UUID, body: MoveIn, caller: SignedIn) -> Response:
    return caller.answer_once(
        200,
        lambda session: _out(
            session,
            service.move_booking(
                session,
                caller.actor,
                booking_id,
                slot=body.slot,
                version=body.version,
                override=body.wanted,
                now=caller.now,
            ),
            caller,
        ),
    )


@router.post("/bookings/{booking_id}/approval", response_model=BookingOut)
def approve_booking(booking_id: UUID, caller: SignedIn, body: ApprovalIn | None = None) -> Response:
    """Whoever is waited for says yes: the startup's owner first where its rule says so, then the lab."""
    body = body or ApprovalIn()
    return caller.answer_once(
        200,
        lambda session: _out(
            session,
            deciding.approve_booking(
                session,
                caller.actor,
                booking_id,
                word=body.word,
                override=body.wanted,
                version=body.version,
                now=caller.now,
            ),
            caller,
        ),
    )


@router.post("/bookings/{booking_id}/refusal", response_model=BookingOut)
def decline_booking(booking_id: UUID, body: RefusalIn, caller: SignedIn) -> Response:
    return caller.answer_once(
        200,
        lambda session: _out(
            session,
            deciding.decline_booking(
                session, caller.actor, booking_id, reason=body.reason, version=body.version, now=caller.now,
                proposed=[one.slot for one in body.proposed],
            ),
            caller,
        ),
    )  # fmt: skip


@router.post("/bookings/{booking_id}/cancellation", response_model=BookingOut)
def cancel_booking(booking_id: UUID, caller: SignedIn, body: ReasonIn | None = None) -> Response:
    reason = body.reason if body else ""
    return caller.answer_once(
        200,
        lambda session: _out(
            session, service.cancel_booking(session, caller.actor, booking_id, reason=reason, now=caller.now), caller
        ),
    )


@router.post("/bookings/{booking_id}/terms", response_model=BookingOut)
def accept_terms(booking_id: UUID, body: TermsIn, caller: SignedIn) -> Response:
    return caller.answer_once(
        200,
        lambda session: _out(
            session,
            acceptance.accept_terms(session, caller.actor, booking_id, shown=body.terms_version, now=caller.now),
            caller,
        ),
    )


@router.post("/bookings/{booking_id}/check-in", response_model=BookingOut)
def check_in(booking_id: UUID, caller: SignedIn) -> Response:
    return caller.answer_once(
        200, lambda session: _out(session, visits.check_in(session, caller.actor, booking_id, now=caller.now), caller)
    )


@router.post("/bookings/{booking_id}/check-out", response_model=BookingOut)
def check_out(booking_id: UUID, caller: SignedIn, body: CheckOutIn | None = None) -> Response:
    body = body or CheckOutIn()
    return caller.answer_once(
        200,
        lambda session: _out(
            session,
            visits.check_out(
                session, caller.actor, booking_id, ended_at=body.ended_at, quantities=body.quantities, note=body.note,
                now=caller.now,
            ),
            caller,
        ),
    )  # fmt: skip


def _out(session: Session, booking: Booking, caller: Caller) -> BookingOut:
    """A booking with its purpose."""
    purpose = queries.find_notes(session, [booking.purpose_note_id]).get(booking.purpose_note_id or 0, "")
    return BookingOut.of(booking, caller.lang, purpose)


def _position(cursor: str | None) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    try:
        at, key = read_cursor(cursor, (datetime, int))
    except ValueError as error:
        raise CursorInvalid(field="cursor") from error
    return at, key
