"""Terms of use of a booking: which version was asked for, who accepted it, and when."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import permissions, queries
from booking.errors import TermsChanged, TermsNotAccepted
from booking.events import record_event
from booking.models import Booking
from core.db import lock_rows
from core.errors import Forbidden
from equipment import queries as catalogue
from equipment.bookable import Bookable
from equipment.models import Terms
from members.actor import Actor
from members.models import Person


def require_accepted(entry: Bookable, shown: UUID | None) -> None:
    """`shown` is the version that was accepted. Raises TermsNotAccepted, TermsChanged. Pure: the entry knows."""
    asked = entry.terms_version
    details = {"terms_version": str(asked) if asked else None}
    if shown is None and asked is not None:
        raise TermsNotAccepted(field="terms_version", details=details)
    if shown != asked:
        raise TermsChanged(field="terms_version", details=details)


def terms_of(entry: Bookable, actor: Actor, *, accepted: bool, now: datetime) -> dict[str, Any]:
    """What a new booking keeps: the version that counts now, and who accepted it; nobody where the lab enters it."""
    if entry.terms_version is None:
        return {}
    who = {"terms_accepted_by_id": actor.person_id, "terms_accepted_at": now} if accepted else {}
    return {"terms_version": entry.terms_version, **who}


def accept_terms(session: Session, actor: Actor, booking_id: UUID, *, shown: UUID | None, now: datetime) -> Booking:
    """The startup accepts what the lab entered for it. Accepted already: nothing changes.

    Raises BookingNotFound, Forbidden for others than its own people, TermsNotAccepted, TermsChanged.
    """
    keys = queries.get_keys(session, booking_id)
    lock_rows(session, Booking, [keys.id])
    booking = queries.get_booking_by_id(session, keys.id)
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    permissions.require_seen(actor, booking, lab_ids)
    if not permissions.is_of_startup(actor, booking):
        raise Forbidden
    details = {"terms_version": str(booking.terms_version) if booking.terms_version else None}
    if shown is None and booking.terms_version is not None:
        raise TermsNotAccepted(field="terms_version", details=details)
    if shown != booking.terms_version:
        raise TermsChanged(field="terms_version", details=details)
    if booking.terms_accepted_at is None and shown is not None:
        booking.terms_accepted_by_id, booking.terms_accepted_at = actor.person_id, now
        session.flush()
        record_event(session, booking, "agreed", booking.state, actor=actor, now=now, data={"terms": str(shown)})
    return booking


@dataclass(frozen=True)
class Agreed:
    """The terms of a booking as its page shows them."""

    version: UUID
    number: int
    effective_on: date
    by: str | None
    at: datetime | None

    @property
    def href(self) -> str:
        return f"/terms/{self.version}"


def find_agreed(session: Session, booking: Booking) -> Agreed | None:
    """None where the booking is under no terms; then it costs no statement."""
    if booking.terms_version is None:
        return None
    statement = (
        select(Terms.number, Terms.effective_on, Person.name)
        .outerjoin(Person, Person.id == booking.terms_accepted_by_id)
        .where(Terms.public_id == booking.terms_version)
    )
    number, effective_on, by = session.execute(statement).one()
    return Agreed(booking.terms_version, number, effective_on, by, booking.terms_accepted_at)


def may_accept(actor: Actor, booking: Booking) -> bool:
    """Whether it still waits for the startup's acceptance, and this person can give it."""
    waits = booking.terms_version is not None and booking.terms_accepted_at is None
    return waits and permissions.is_of_startup(actor, booking)
