"""Rules about who books and how much: limits, qualifications, standing. Each says what would help."""

from datetime import date
from typing import Any, ClassVar

from booking.errors import RuleBroken
from core.errors import Forbidden, InvalidInput
from core.i18n import N_, Term
from equipment.limits import Reach
from equipment.models import LimitSubject, Period

_OF = {LimitSubject.COMPANY: N_("of the company"), LimitSubject.PERSON: N_("of one person")}
_WHERE = {
    Reach.EQUIPMENT: N_("on this instrument"),
    Reach.LAB: N_("in this lab"),
    Reach.ZONE: N_("in the whole zone"),
}
_WHEN = {Period.DAY: N_("on that day"), Period.WEEK: N_("in that week"), Period.MONTH: N_("in that month")}


class LimitBroken(RuleBroken):
    """`details`: whose limit, where, in which period, how much is used, and the day from which it counts anew."""

    amounts: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, *, limit_of: LimitSubject, reach: Reach, period: Period, again_on: date, field: str, **amounts: Any
    ) -> None:
        details = {"subject": limit_of.value, "reach": reach.value, "period": period.value, **amounts}
        super().__init__(
            field=field, details=details | {"again_on": again_on.isoformat()}, whose=Term(_OF[limit_of]),
            where=Term(_WHERE[reach]), when=Term(_WHEN[period]), again_on=again_on, **amounts,
        )  # fmt: skip


class BookingsUsedUp(LimitBroken):
    message = "Bookings %(whose)s %(where)s %(when)s: %(used)s of %(limit)s are used up."
    help = "It counts anew from %(again_on)s."


class TimeUsedUp(LimitBroken):
    message = "Time %(whose)s %(where)s %(when)s: %(used_minutes)s of %(limit_minutes)s are used."
    help = "%(left_minutes)s are left; it counts anew from %(again_on)s."


class DayBookingsUsedUp(BookingsUsedUp): ...


class WeekBookingsUsedUp(BookingsUsedUp): ...


class MonthBookingsUsedUp(BookingsUsedUp): ...


class DayTimeUsedUp(TimeUsedUp): ...


class WeekTimeUsedUp(TimeUsedUp): ...


class MonthTimeUsedUp(TimeUsedUp): ...


BOOKINGS_USED_UP: dict[Period, type[BookingsUsedUp]] = {
    Period.DAY: DayBookingsUsedUp, Period.WEEK: WeekBookingsUsedUp, Period.MONTH: MonthBookingsUsedUp,
}  # fmt: skip
TIME_USED_UP: dict[Period, type[TimeUsedUp]] = {
    Period.DAY: DayTimeUsedUp, Period.WEEK: WeekTimeUsedUp, Period.MONTH: MonthTimeUsedUp,
}  # fmt: skip


class QualificationMissing(RuleBroken):
    message = "Only people with a qualification can book this instrument."
    help = "Ask the lab for a training on the instrument's page."


class QualificationExpired(RuleBroken):
    message = "The qualification for this instrument ends on %(expires_on)s, before the slot is over."
    help = "Ask the lab to renew it."


class OrganisationSuspended(RuleBroken):
    message = "The organisation is suspended from booking: %(reason)s."
    help = "Ask the zone's office."


class SuspendedUntil(OrganisationSuspended):
    """The same refusal, where its last day is known."""

    code = "organisation_suspended"
    message = "The organisation is suspended from booking until the end of %(last_on)s: %(reason)s."


class MayNotOverride(Forbidden):
    message = "Only managers of the lab set rules of booking aside; a suspension is set aside by the zone's office."


class OverrideUnknown(InvalidInput):
    message = "This cannot be set aside: %(rule)s."
