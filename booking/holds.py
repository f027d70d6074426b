"""A slot is held for a person for some minutes from the moment it is chosen.

A hold is a claim with an end (`expires_at`), one per person. It does not count for its own person, and it gives way to
that person's request, to another choice, to its end.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, delete, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from booking import claims, conflicts, permissions, quotes, rulebook
from booking.claims import Place
from booking.errors import HoldSpent, RulesBroken, SlotTaken, UnitBlocked
from booking.models import Occupancy, OccupancyKind
from booking.rulebook import Asker
from core.db import Base, Instant, broken_constraint, lock_both, lock_rows, table_of
from core.slot import Slot
from equipment.bookable import Bookable
from equipment.models import Equipment, Unit
from members.actor import Actor
from members.models import Organisation

STANDS = timedelta(minutes=5)
#: Overlapping slots of one instrument together, in a row; then others come first for a while.
IN_A_ROW = timedelta(minutes=15)
PAUSE = timedelta(minutes=15)


class SlotHold(Base):
    """The last slot that a person held; kept beyond its end, so that renewing it has one. The claim is an occupancy."""

    __tablename__ = "slot_holds"
    __table_args__ = (CheckConstraint("starts_at < ends_at", name="slot"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, autoincrement=False)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    #: Since when slots that overlap this one were held in a row.
    held_since: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)

    equipment: Mapped[Equipment] = relationship(lazy="raise_on_sql")

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)


def hold_slot(session: Session, actor: Actor, *, equipment_id: UUID, slot: Slot, now: datetime) -> SlotHold:
    """Hold a slot that keeps the rules; whatever the person held before is free again.

    Raises MayNotBook, NotBookable, SlotOutOfRange, RulesBroken, SlotTaken, UnitBlocked, HoldSpent.
    """
    entry = quotes.read_entry(session, equipment_id, slot, now)
    payer = permissions.payer_for(actor, entry)
    quotes.require_quotable(entry, slot, now)
    _lock_with_own(session, payer.organisation_id, entry, actor.person_id)
    broken = rulebook.find_broken_rules(
        session, entry, slot, Asker(payer.organisation_id, actor.person_id, payer.suspension), now=now
    )
    place = claims.find_place(session, entry, slot, now=now, person_id=actor.person_id)
    if broken or place.unit is None:
        near = claims.find_alternatives(session, entry, slot, now=now, person_id=actor.person_id)
        if broken:
            raise RulesBroken(reasons=broken, details={"alternatives": claims.as_details(near)})
        raise place.find_refusal(near) or SlotTaken
    hold = _next_turn(session, actor.person_id, entry, slot, now)
    _claim(session, actor.person_id, entry, place, hold)
    return hold


def release_hold(session: Session, actor: Actor) -> None:
    """Give the held slot back; nothing is held afterwards, whatever was before."""
    units = select(Occupancy.unit_id).where(Occupancy.held_for_id == actor.person_id)
    lock_rows(session, Unit, session.scalars(units))
    session.execute(delete(Occupancy).where(Occupancy.held_for_id == actor.person_id))


def find_hold(session: Session, person_id: int, *, now: datetime, equipment_id: int | None = None) -> SlotHold | None:
    """What is held for a person now, on one instrument or on any."""
    statement = select(SlotHold).where(
        SlotHold.person_id == person_id,
        select(Occupancy.id).where(Occupancy.held_for_id == person_id, Occupancy.expires_at > now).exists(),
    )
    if equipment_id is not None:
        statement = statement.where(SlotHold.equipment_id == equipment_id)
    return session.scalars(statement).one_or_none()


def drop_expired_holds(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find at most `limit` holds whose time is over; 2. lock their units; 3. remove what is still over there;
    4. say how many."""
    over = (Occupancy.held_for_id.is_not(None), Occupancy.expires_at <= now)
    found = session.execute(select(Occupancy.id, Occupancy.unit_id).where(*over).limit(limit)).all()
    if not found:
        return 0
    lock_rows(session, Unit, [row.unit_id for row in found])
    gone = delete(Occupancy).where(Occupancy.id.in_([row.id for row in found]), *over)
    return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]


def _lock_with_own(session: Session, organisation_id: int, entry: Bookable, person_id: int) -> None:
    """As `claims.lock_for`, and the unit on which the person holds a slot: it becomes free in the same unit of work."""
    own = session.scalars(select(Occupancy.unit_id).where(Occupancy.held_for_id == person_id)).all()
    units = [*(unit.id for unit in entry.units), *own]
    if units:
        lock_both(session, Organisation, organisation_id, Unit, units)
    else:
        lock_rows(session, Organisation, [organisation_id])


def _next_turn(session: Session, person_id: int, entry: Bookable, slot: Slot, now: datetime) -> SlotHold:
    """The person's row for this slot. Raises HoldSpent where it was held for long enough."""
    hold = session.get(SlotHold, person_id, populate_existing=True)
    again = (
        hold is not None
        and hold.equipment_id == entry.id
        and hold.slot.overlaps(slot)
        and now < hold.held_since + IN_A_ROW + PAUSE
    )
    since = hold.held_since if hold is not None and again else now
    expires_at = min(now + STANDS, since + IN_A_ROW, slot.starts_at)
    if expires_at <= now:
        raise HoldSpent(minutes=int(IN_A_ROW.total_seconds()) // 60, details={"again_at": since + IN_A_ROW + PAUSE})
    if hold is None:
        hold = SlotHold(person_id=person_id)
        session.add(hold)
    hold.equipment_id, hold.starts_at, hold.ends_at = entry.id, slot.starts_at, slot.ends_at
    hold.held_since, hold.expires_at = since, expires_at
    session.flush()
    return hold


def _claim(session: Session, person_id: int, entry: Bookable, place: Place, hold: SlotHold) -> None:
    assert place.unit is not None, "a hold without a place"
    claim = conflicts.claim_of(hold.slot, entry)
    session.execute(
        delete(Occupancy).where((Occupancy.held_for_id == person_id) | Occupancy.id.in_(place.expired)),
        execution_options={"synchronize_session": False},
    )
    row = {
        "unit_id": place.unit.id, "starts_at": claim.starts_at, "ends_at": claim.ends_at, "kind": OccupancyKind.HOLD,
        "exclusive": True, "held_for_id": person_id, "expires_at": hold.expires_at,
    }  # fmt: skip
    try:
        session.connection().execute(_HOLD, row)
    except DBAPIError as error:
        broken = broken_constraint(error)
        if "unit_blocked" in broken:
            raise UnitBlocked(taken=[claim]) from error
        if "no_overlap" in broken or "occupancies_held" in broken or "held_for_id" in broken:
            raise SlotTaken(taken=[claim]) from error
        raise


_HOLD = insert(table_of(Occupancy))
