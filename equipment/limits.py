"""What a limit of booking is, which of them count for an instrument, and in which order they are said."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, or_

from equipment.models import BookingLimit, LimitSubject, Period


class Reach(StrEnum):
    """Which bookings are counted together."""

    EQUIPMENT = "equipment"
    LAB = "lab"
    ZONE = "zone"


class Limit(NamedTuple):
    """So much at most; None: as much as one likes of that."""

    reach: Reach
    subject: LimitSubject
    period: Period
    bookings_max: int | None
    minutes_max: int | None

    @property
    def key(self) -> tuple[LimitSubject, Period]:
        return self.subject, self.period


#: In which order they are shown. An instrument's limit of a company in a week is one of its rules.
KEYS = tuple((subject, period) for subject in LimitSubject for period in Period)
RULE_KEY = (LimitSubject.COMPANY, Period.WEEK)


def counts_for(equipment_id: SQLColumnExpression[int], lab_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """The limits that count for an instrument: its own, those of its lab, and those of the zone."""
    of_zone = and_(BookingLimit.equipment_id.is_(None), BookingLimit.lab_id.is_(None))
    return or_(BookingLimit.equipment_id == equipment_id, BookingLimit.lab_id == lab_id, of_zone)


def reach_of(equipment_id: int | None, lab_id: int | None) -> Reach:
    """The reach of a row by its columns."""
    return Reach.EQUIPMENT if equipment_id is not None else Reach.LAB if lab_id is not None else Reach.ZONE


def in_order(limits: Iterable[Limit]) -> Sequence[Limit]:
    """The instrument's own first, then its lab's, then the zone's."""
    return tuple(sorted(limits, key=lambda limit: (list(Reach).index(limit.reach), KEYS.index(limit.key))))
