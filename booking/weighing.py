"""What a decision on a request decides beside it: who else waits, what the company has left, which money stays held."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.limits import period_of
from booking.models import Booking, State
from booking.states import LIVE
from core.slot import Slot, local_date
from equipment.models import Period, Qualification
from vouchers import queries as vouchers
from vouchers.queries import HoldRow


@dataclass(frozen=True)
class Used:
    """How much of a limit of the company's week is used once this request is granted."""

    used: int
    limit: int


@dataclass(frozen=True)
class Weight:
    """Of one request. `week` is the week of its slot by the lab's clock."""

    week: Slot
    #: Other requests that wait for the same instrument in that week.
    rivals: int
    bookings: Used | None
    minutes: Used | None
    holds: Sequence[HoldRow]
    #: The instrument asks for a training that this person does not have now.
    lacks_qualification: bool


@dataclass(frozen=True)
class _Other:
    id: int
    equipment_id: int
    organisation_id: int
    state: State
    slot: Slot


def weigh(session: Session, bookings: Sequence[Booking], *, now: datetime) -> dict[int, Weight]:
    """By id, for requests with their instruments and labs; two statements however many, three with qualifications."""
    if not bookings:
        return {}
    weeks = {
        booking.id: period_of(booking.starts_at, Period.WEEK, ZoneInfo(booking.equipment.lab.zone))
        for booking in bookings
    }
    others = _find_others(session, bookings, list(weeks.values()))
    holds = vouchers.find_holds_of(session, [booking.reference for booking in bookings])
    lacking = _find_lacking(session, bookings, now)
    return {
        booking.id: _weigh(
            booking, weeks[booking.id], others, holds.get(booking.reference, []), lacks=booking.id in lacking
        )
        for booking in bookings
    }


def _weigh(booking: Booking, week: Slot, others: Sequence[_Other], holds: Sequence[HoldRow], *, lacks: bool) -> Weight:
    entry = booking.equipment
    near = [
        other
        for other in others
        if other.equipment_id == entry.id and week.starts_at <= other.slot.starts_at < week.ends_at
    ]
    company = [other.slot for other in near if other.organisation_id == booking.organisation_id]
    most, longest = entry.company_week_bookings_max, entry.company_week_minutes_max
    length = sum((slot.length for slot in company), timedelta(0)) // timedelta(minutes=1)
    return Weight(
        week=week,
        rivals=sum(other.state is State.REQUESTED and other.id != booking.id for other in near),
        bookings=Used(len(company), most) if most else None,
        minutes=Used(length, longest) if longest else None,
        holds=[hold for hold in holds if not hold.is_ended],
        lacks_qualification=lacks,
    )


def _find_others(session: Session, bookings: Sequence[Booking], weeks: Sequence[Slot]) -> list[_Other]:
    """What waits for the instruments in these weeks, and what the companies have on them; the bookings too."""
    statement = select(
        Booking.id, Booking.equipment_id, Booking.organisation_id, Booking.state, Booking.starts_at, Booking.ends_at
    ).where(
        Booking.equipment_id.in_({booking.equipment_id for booking in bookings}),
        Booking.starts_at >= min(week.starts_at for week in weeks),
        Booking.starts_at < max(week.ends_at for week in weeks),
        or_(
            Booking.state == State.REQUESTED,
            Booking.organisation_id.in_({booking.organisation_id for booking in bookings})
            & Booking.state.in_(LIVE | {State.COMPLETED, State.NO_SHOW}),
        ),
    )
    return [_Other(*row[:4], Slot(row[4], row[5])) for row in session.execute(statement)]


def _find_lacking(session: Session, bookings: Sequence[Booking], now: datetime) -> set[int]:
    """Ids of requests for instruments that ask for a training which who asks does not have."""
    asking = [booking for booking in bookings if booking.equipment.needs_qualification]
    if not asking:
        return set()
    held = session.scalars(
        select(Qualification).where(
            Qualification.person_id.in_({booking.person_id for booking in asking}),
            Qualification.granted_at.is_not(None),
            Qualification.ended_at.is_(None),
        )
    ).all()
    return {booking.id for booking in asking if not any(_covers(one, booking, now) for one in held)}


def _covers(one: Qualification, booking: Booking, now: datetime) -> bool:
    entry = booking.equipment
    today = local_date(now, ZoneInfo(entry.lab.zone))
    holds = one.expires_on is None or one.expires_on >= today
    return (
        one.person_id == booking.person_id
        and one.lab_id == entry.lab_id
        and holds
        and one.covers(entry.id, entry.category)
    )
