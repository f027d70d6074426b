"""How much a company or a person may book: which limits a slot would break, and when it counts anew.

Pure: no session, no clock. A booking counts where it begins, in the day, week (from Monday) or month of the zone of the
instrument that is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from booking.rule_errors import BOOKINGS_USED_UP, TIME_USED_UP, LimitBroken
from core.slot import Slot, local_date, local_day
from equipment.limits import Limit, Reach
from equipment.models import LimitSubject, Period

A_DAY = timedelta(days=1)


class HasWeekLimits(Protocol):
    """The two limits that stand among an instrument's rules."""

    @property
    def company_week_bookings_max(self) -> int | None: ...
    @property
    def company_week_minutes_max(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Who:
    """For whom and where a slot is asked for."""

    equipment_id: int
    lab_id: int
    organisation_id: int
    person_id: int


class Had(NamedTuple):
    """A booking that counts: live, or used, or not come to."""

    equipment_id: int
    lab_id: int
    organisation_id: int
    person_id: int
    starts_at: datetime
    ends_at: datetime


def limits_of(policy: HasWeekLimits, others: Sequence[Limit] = ()) -> list[Limit]:
    """All limits that count for an instrument: the one among its rules, and those of the three reaches."""
    bookings, minutes = policy.company_week_bookings_max, policy.company_week_minutes_max
    if bookings is None and minutes is None:
        return list(others)
    return [Limit(Reach.EQUIPMENT, LimitSubject.COMPANY, Period.WEEK, bookings, minutes), *others]


def period_of(at: datetime, period: Period, zone: ZoneInfo) -> Slot:
    """The civil day, week from Monday or month in which an instant lies: as long as its clock changes make it."""
    on = local_date(at, zone)
    first, after = _span_of(on, period)
    return Slot(local_day(first, zone).starts_at, local_day(after - A_DAY, zone).ends_at)


def widest_window(limits: Iterable[Limit], slot: Slot, zone: ZoneInfo) -> Slot:
    """What must be read to judge a slot by limits: all of its periods."""
    windows = [period_of(slot.starts_at, limit.period, zone) for limit in limits]
    return Slot(min(part.starts_at for part in windows), max(part.ends_at for part in windows))


def find_broken_limits(
    slot: Slot, limits: Iterable[Limit], had: Sequence[Had], *, who: Who, zone: ZoneInfo
) -> list[LimitBroken]:
    """Limits that the slot would break, in the order of `limits`; `had` covers `widest_window` without the slot."""
    broken: list[LimitBroken] = []
    for limit in limits:
        window = period_of(slot.starts_at, limit.period, zone)
        counted = [Slot(one.starts_at, one.ends_at) for one in had if _counts(one, limit, who, window)]
        facts = _facts_of(limit, local_date(window.ends_at, zone))
        most = limit.bookings_max
        if most is not None and len(counted) + 1 > most:
            broken.append(BOOKINGS_USED_UP[limit.period](field="starts_at", used=len(counted), limit=most, **facts))
        used, minutes_max = sum(one.minutes for one in counted), limit.minutes_max
        if minutes_max is not None and used + slot.minutes > minutes_max:
            broken.append(
                TIME_USED_UP[limit.period](
                    field="ends_at", used_minutes=used, limit_minutes=minutes_max,
                    left_minutes=max(minutes_max - used, 0), **facts,
                )
            )  # fmt: skip
    return broken


def _counts(one: Had, limit: Limit, who: Who, window: Slot) -> bool:
    if not window.starts_at <= one.starts_at < window.ends_at:
        return False
    if limit.reach is Reach.EQUIPMENT and one.equipment_id != who.equipment_id:
        return False
    if limit.reach is Reach.LAB and one.lab_id != who.lab_id:
        return False
    if limit.subject is LimitSubject.COMPANY:
        return one.organisation_id == who.organisation_id
    return one.person_id == who.person_id


def _span_of(on: date, period: Period) -> tuple[date, date]:
    """First day, and first day after it."""
    if period is Period.DAY:
        return on, on + A_DAY
    if period is Period.WEEK:
        monday = on - timedelta(days=on.weekday())
        return monday, monday + timedelta(days=7)
    first = on.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _facts_of(limit: Limit, again_on: date) -> dict[str, Any]:
    return {"limit_of": limit.subject, "reach": limit.reach, "period": limit.period, "again_on": again_on}
