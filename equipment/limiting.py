"""How much a company or a person may book: set on an instrument, on a lab's instruments together, or in the zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, literal, select
from sqlalchemy.orm import Session

from core.db import lock_rows
from core.i18n import N_
from equipment.errors import LimitInvalid, LimitsNotHere, SavedMeanwhile
from equipment.freshness import fingerprint
from equipment.history import record_change
from equipment.limits import KEYS, RULE_KEY, Limit, Reach, counts_for, in_order, reach_of
from equipment.models import BookingLimit, LimitSubject, Period
from equipment.scopes import Level, Scope
from members import audit
from members import queries as members
from members.actor import Actor
from members.models import Organisation

BOOKINGS_MOST, MINUTES_MOST = 10_000, 31 * 1440


@dataclass(frozen=True)
class Place:
    """Where limits are set: an instrument, a lab, or the zone, which has no scope."""

    scope: Scope | None = None

    @property
    def reach(self) -> Reach:
        if self.scope is None:
            return Reach.ZONE
        return Reach.LAB if self.scope.level is Level.LAB else Reach.EQUIPMENT

    @property
    def columns(self) -> dict[str, int]:
        return self.scope.columns if self.scope else {}

    @property
    def is_here(self) -> ColumnElement[bool]:
        """The rows that are set here."""
        parts = {"equipment_id": None, "lab_id": None} | self.columns
        return and_(*(getattr(BookingLimit, name) == value for name, value in parts.items()))

    @property
    def object(self) -> str:
        """How the trail names it."""
        return self.scope.object if self.scope else "zone:limits"


ZONE = Place()
LABELS: dict[tuple[LimitSubject, Period], str] = {
    (LimitSubject.COMPANY, Period.DAY): N_("A company in a day"),
    (LimitSubject.COMPANY, Period.WEEK): N_("A company in a week"),
    (LimitSubject.COMPANY, Period.MONTH): N_("A company in a month"),
    (LimitSubject.PERSON, Period.DAY): N_("A person in a day"),
    (LimitSubject.PERSON, Period.WEEK): N_("A person in a week"),
    (LimitSubject.PERSON, Period.MONTH): N_("A person in a month"),
}


def place_of(scope: Scope) -> Place:
    """Raises LimitsNotHere for an institution, which has none of its own."""
    if scope.level is Level.INSTITUTION:
        raise LimitsNotHere
    return Place(scope)


def keys_of(place: Place) -> list[tuple[LimitSubject, Period]]:
    """What can be set at a place."""
    return [key for key in KEYS if place.reach is not Reach.EQUIPMENT or key != RULE_KEY]


def find_own_limits(session: Session, place: Place) -> list[Limit]:
    """What is set at a place, in the order in which it is shown."""
    rows = session.execute(
        select(BookingLimit.subject, BookingLimit.period, BookingLimit.bookings_max, BookingLimit.minutes_max).where(
            place.is_here
        )
    )
    return sorted((Limit(place.reach, *row) for row in rows), key=lambda limit: KEYS.index(limit.key))


def find_limits(session: Session, equipment_id: int, lab_id: int) -> Sequence[Limit]:
    """Every limit that counts for an instrument, its own first. One statement."""
    rows = session.execute(
        select(
            BookingLimit.equipment_id, BookingLimit.lab_id, BookingLimit.subject, BookingLimit.period,
            BookingLimit.bookings_max, BookingLimit.minutes_max,
        ).where(counts_for(literal(equipment_id), literal(lab_id)))
    )  # fmt: skip
    return in_order(
        Limit(reach_of(of_entry, of_lab), subject, period, bookings, minutes)
        for of_entry, of_lab, subject, period, bookings, minutes in rows
    )


def mark_of(limits: Sequence[Limit]) -> str:
    """A fingerprint of what is set, which travels in its form."""
    return fingerprint([list(limit) for limit in limits])


def set_limits(
    session: Session, actor: Actor, place: Place, limits: Sequence[Limit], *, now: datetime, seen: str = ""
) -> None:
    """Replace what a place sets. It counts for new bookings; what is booked stays.

    Raises LimitInvalid at its field; SavedMeanwhile where the limits are not as `seen`.
    """
    _lock(session, place)
    before = find_own_limits(session, place)
    if seen and seen != mark_of(before):
        raise SavedMeanwhile(name="", details={"seen": mark_of(before)})
    wanted = [limit for limit in limits if limit.bookings_max is not None or limit.minutes_max is not None]
    for position, limit in enumerate(wanted):
        _require_valid(place, limit)
        if limit.key in [other.key for other in wanted[:position]]:
            raise LimitInvalid(field=f"{limit.subject}_{limit.period}_bookings")
    session.execute(delete(BookingLimit).where(place.is_here))
    session.add_all(
        BookingLimit(
            subject=limit.subject, period=limit.period, bookings_max=limit.bookings_max,
            minutes_max=limit.minutes_max, **place.columns,
        )
        for limit in wanted
    )  # fmt: skip
    session.flush()
    if changed := _differences(before, wanted):
        _record(session, actor, place, changed, now)


def _require_valid(place: Place, limit: Limit) -> None:
    name = f"{limit.subject}_{limit.period}"
    assert limit.reach is place.reach, "a limit of another place"
    if limit.key not in keys_of(place):
        raise LimitInvalid(field=f"{name}_bookings")
    if limit.bookings_max is not None and not 1 <= limit.bookings_max <= BOOKINGS_MOST:
        raise LimitInvalid(field=f"{name}_bookings")
    if limit.minutes_max is not None and not 1 <= limit.minutes_max <= MINUTES_MOST:
        raise LimitInvalid(field=f"{name}_minutes")


def _differences(before: Sequence[Limit], after: Sequence[Limit]) -> dict[str, tuple[int | None, int | None]]:
    """`company_day_bookings`, `company_day_minutes` ...: what it was and what it is."""
    old, new = _by_name(before), _by_name(after)
    return {name: (old.get(name), new.get(name)) for name in [*old, *new] if old.get(name) != new.get(name)}


def _by_name(limits: Sequence[Limit]) -> dict[str, int]:
    named: dict[str, int | None] = {}
    for limit in limits:
        named |= {
            f"{limit.subject}_{limit.period}_bookings": limit.bookings_max,
            f"{limit.subject}_{limit.period}_minutes": limit.minutes_max,
        }
    return {name: value for name, value in named.items() if value is not None}


def _record(
    session: Session, actor: Actor, place: Place, changed: Mapping[str, tuple[Any, Any]], now: datetime
) -> None:
    """The trail holds the amounts: they are neither names nor texts."""
    scope = place.scope
    if scope and scope.level is Level.EQUIPMENT:
        record_change(session, actor, scope.id, "limits", changed, now=now)
    audit.record(
        session, actor=actor, action="catalogue_limits", object=place.object, now=now,
        organisation_id=scope.owner_id if scope else None,
        data={name: list(pair) for name, pair in changed.items()},
    )  # fmt: skip


def _lock(session: Session, place: Place) -> None:
    """Nobody else saves limits here until the unit of work ends."""
    office = None if place.scope else members.find_authority(session)
    owner_id = place.scope.owner_id if place.scope else office.id if office else None
    if owner_id is not None:
        lock_rows(session, Organisation, [owner_id])
