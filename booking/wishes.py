"""Tables of the waiting list."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id
from core.slot import Slot
from equipment.models import Equipment
from members.models import Organisation, Person


class WishState(StrEnum):
    WAITING = "waiting"
    BOOKED = "booked"
    WITHDRAWN = "withdrawn"
    PAST = "past"
    """The window ended without an offer that was taken."""


class Answer(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"


class Wish(Base):
    """Somebody waits for time on an instrument: so long, in this window, at these hours of these weekdays."""

    __tablename__ = "wishes"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="window"),
        Index("ix_wishes_open", "state", "equipment_id", "asked_at"),
        Index("ix_wishes_person", "person_id", "state"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    state: Mapped[WishState] = mapped_column(Code(WishState, 10), default=WishState.WAITING)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    minutes: Mapped[int]
    #: Minutes of the lab's day between which the slot lies.
    day_from: Mapped[int] = mapped_column(default=0)
    day_to: Mapped[int] = mapped_column(default=1440)
    #: Bits of the weekdays on which it may begin, Monday the lowest.
    weekdays: Mapped[int] = mapped_column(default=127)
    asked_at: Mapped[datetime] = mapped_column(Instant)

    equipment: Mapped[Equipment] = relationship(lazy="raise_on_sql")
    organisation: Mapped[Organisation] = relationship(lazy="raise_on_sql")
    person: Mapped[Person] = relationship(lazy="raise_on_sql")

    @property
    def window(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)


class Offer(Base):
    """A slot kept for one who waits, until it is answered or lapses. The same slot is offered to a wish once."""

    __tablename__ = "offers"
    __table_args__ = (
        UniqueConstraint("wish_id", "starts_at", "ends_at"),
        Index("ix_offers_due", "answer", "expires_at"),
        Index(
            "ix_offers_open", "wish_id", unique=True,
            sqlite_where=text("answer = 'open'"), postgresql_where=text("answer = 'open'"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    #: Where its claim begins, buffer and all: with the unit this names it, for claims never overlap.
    claimed_from: Mapped[datetime] = mapped_column(Instant)
    offered_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    answer: Mapped[Answer] = mapped_column(Code(Answer, 10), default=Answer.OPEN)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("bookings.id"))

    wish: Mapped[Wish] = relationship(lazy="raise_on_sql")

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)
