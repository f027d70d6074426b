"""The rules once more when a request is decided: what changed since it was asked must not slip through."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import overrides, quotes, rulebook
from booking.errors import RuleBroken, RulesBroken
from booking.models import Booking, BookingEvent
from booking.overrides import Override
from booking.rulebook import Asker


def find_broken_now(session: Session, booking: Booking, *, now: datetime) -> list[RuleBroken]:
    """Rules that a request breaks now, without those that the lab set aside for it.

    Lead time and horizon were for asking; opening hours, length, step, limits, qualification and standing are for now.
    """
    entry = quotes.read_entry(session, booking.equipment_id, booking.slot, now)
    asker = Asker(booking.organisation_id, booking.person_id, booking.organisation.suspension)
    broken = rulebook.find_broken_rules(
        session, entry, booking.slot, asker, now=now, without=booking.id, is_decided=True
    )
    return overrides.split(broken, Override(_find_set_aside(session, booking)))[0] if broken else []


def require_rules(session: Session, booking: Booking, override: Override, *, now: datetime) -> list[str]:
    """The codes that were set aside now. Raises RulesBroken with all that still refuse."""
    left, passed = overrides.split(find_broken_now(session, booking, now=now), override)
    if left:
        raise RulesBroken(reasons=left, details=overrides.offered(left, override))
    return passed


def _find_set_aside(session: Session, booking: Booking) -> frozenset[str]:
    """What was set aside for the slot that it has now: a move asks anew."""
    rows = session.execute(
        select(BookingEvent.verb, BookingEvent.data)
        .where(BookingEvent.booking_id == booking.id, BookingEvent.verb.in_(("moved", "overridden")))
        .order_by(BookingEvent.id)
    )
    codes: set[str] = set()
    for verb, data in rows:
        codes = set() if verb == "moved" else codes | set(data["override"])
    return frozenset(codes)
