"""The two sides of a booking, startup and lab: who speaks for which."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from booking import permissions, queries
from booking.models import Booking
from core.db import lock_rows
from core.errors import Forbidden
from equipment import queries as catalogue
from members.actor import Actor


class Side(StrEnum):
    STARTUP = "startup"
    """Who booked: a startup's people, or a researcher."""
    LAB = "lab"

    @property
    def is_lab(self) -> bool:
        return self is Side.LAB


def side_of(actor: Actor, booking: Booking, lab_ids: frozenset[int]) -> Side | None:
    """None for those who only look on. Whoever booked at the own lab speaks as who booked. Pure."""
    if booking.person_id == actor.person_id:
        return Side.STARTUP
    if permissions.runs(actor, lab_ids, booking.equipment.lab_id):
        return Side.LAB
    return Side.STARTUP if permissions.is_of_startup(actor, booking) else None


def require_side(session: Session, actor: Actor, booking: Booking) -> Side:
    """Raises Forbidden."""
    side = side_of(actor, booking, catalogue.find_lab_ids_run_by(session, actor.person_id))
    if side is None:
        raise Forbidden
    return side


def lock_seen(session: Session, actor: Actor, booking_id: UUID) -> Booking:
    """Lock a booking and read it whole, for those who see it. Raises BookingNotFound."""
    keys = queries.get_keys(session, booking_id)
    lock_rows(session, Booking, [keys.id])
    booking = queries.get_booking_by_id(session, keys.id)
    permissions.require_seen(actor, booking, catalogue.find_lab_ids_run_by(session, actor.person_id))
    return booking
