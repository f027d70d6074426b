"""The service order (委托单) of a booking: issued once, numbered without a gap by institution and year."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import permissions, queries
from booking.models import Booking, State
from booking.papers.errors import OrderNotIssued, OrderNotPossible
from booking.papers.models import ServiceOrder
from core.db import lock_rows
from core.slot import Slot
from equipment import queries as catalogue
from members import audit
from members.actor import Actor
from members.models import Organisation

#: An order is agreed work: neither a request nor what was given up.
ISSUABLE = frozenset({State.APPROVED, State.IN_USE, State.COMPLETED})
#: Numbers begin anew with China's year.
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Issued:
    """An order with its number as it is written."""

    order: ServiceOrder
    code: str

    @property
    def number(self) -> str:
        return f"WT{self.order.year}-{self.code}-{self.order.number:04d}"

    @property
    def slot(self) -> Slot:
        return Slot(self.order.starts_at, self.order.ends_at)


def issue_order(session: Session, actor: Actor, booking_id: UUID, *, now: datetime) -> Issued:
    """Give the booking its number; asked again, the same one.

    Locks the institution (the number's row of waiting), then the booking. Raises BookingNotFound, OrderNotPossible.
    """
    seen = queries.get_booking(session, booking_id)
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    permissions.require_seen(actor, seen, lab_ids)
    institution = seen.equipment.lab.organisation
    lock_rows(session, Organisation, [institution.id])
    lock_rows(session, Booking, [seen.id])
    booking = queries.get_booking_by_id(session, seen.id)
    if found := find_order(session, booking):
        return found
    if booking.state not in ISSUABLE:
        raise OrderNotPossible
    year = now.astimezone(ZONE).year
    last = session.scalar(
        select(func.max(ServiceOrder.number)).where(
            ServiceOrder.organisation_id == institution.id, ServiceOrder.year == year
        )
    )
    order = ServiceOrder(
        booking_id=booking.id, organisation_id=institution.id, year=year, number=(last or 0) + 1, issued_at=now,
        issued_by_id=actor.person_id, starts_at=booking.starts_at, ends_at=booking.ends_at, price_fen=booking.price_fen,
        voucher_fen=booking.voucher_fen,
    )  # fmt: skip
    session.add(order)
    session.flush()
    issued = Issued(order, institution.code)
    audit.record(
        session, actor=actor, action="service_order_issued", object=booking.reference, now=now,
        organisation_id=booking.organisation_id, data={"number": issued.number},
    )  # fmt: skip
    return issued


def find_order(session: Session, booking: Booking) -> Issued | None:
    order = session.get(ServiceOrder, booking.id)
    return Issued(order, booking.equipment.lab.organisation.code) if order else None


def get_order(session: Session, actor: Actor, booking_id: UUID) -> tuple[Issued, Booking]:
    """For those who see the booking. Raises BookingNotFound, OrderNotIssued."""
    booking = queries.get_booking(session, booking_id)
    permissions.require_seen(actor, booking, catalogue.find_lab_ids_run_by(session, actor.person_id))
    found = find_order(session, booking)
    if found is None:
        raise OrderNotIssued
    return found, booking
