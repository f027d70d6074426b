"""Who may book how much: limits in a day, week or month, and qualifications of people."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id


class LimitSubject(StrEnum):
    """Whose bookings are counted together."""

    COMPANY = "company"
    PERSON = "person"


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    """From Monday."""
    MONTH = "month"


_OF_THE_ZONE = text("equipment_id IS NULL AND lab_id IS NULL")


class BookingLimit(Base):
    """How much a company or a person may book in a period: on an instrument, on a lab's instruments together, or (with
    neither) in the whole zone. Every limit counts, not only the nearest."""

    __tablename__ = "booking_limits"
    __table_args__ = (
        CheckConstraint("equipment_id IS NULL OR lab_id IS NULL", name="one_scope"),
        CheckConstraint("bookings_max IS NOT NULL OR minutes_max IS NOT NULL", name="says_something"),
        CheckConstraint("bookings_max > 0", name="bookings"),
        CheckConstraint("minutes_max > 0", name="minutes"),
        UniqueConstraint("equipment_id", "subject", "period"),
        UniqueConstraint("lab_id", "subject", "period"),
        Index(
            "ix_booking_limits_zone", "subject", "period", unique=True, sqlite_where=_OF_THE_ZONE,
            postgresql_where=_OF_THE_ZONE,
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"))
    lab_id: Mapped[int | None] = mapped_column(ForeignKey("labs.id"))
    subject: Mapped[LimitSubject] = mapped_column(Code(LimitSubject, 7))
    period: Mapped[Period] = mapped_column(Code(Period, 5))
    bookings_max: Mapped[int | None]
    minutes_max: Mapped[int | None]


class Qualification(Base):
    """Somebody's training: for one instrument, for one category of a lab's instruments, or (with neither) for all of
    them. Asked for, then granted; ended when it is declined or revoked."""

    __tablename__ = "qualifications"
    __table_args__ = (
        CheckConstraint("equipment_id IS NULL OR category = ''", name="one_scope"),
        CheckConstraint("requested_at IS NOT NULL OR granted_at IS NOT NULL", name="has_begun"),
        Index("ix_qualifications_person", "person_id", "lab_id"),
        Index("ix_qualifications_lab", "lab_id", "id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    lab_id: Mapped[int] = mapped_column(ForeignKey("labs.id"))
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"))
    #: A slug of `equipment.categories`, or "".
    category: Mapped[str] = mapped_column(String(40), default="")
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    #: When it was asked for, and what was said then; None where the lab began.
    requested_at: Mapped[datetime | None] = mapped_column(Instant)
    note_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    granted_at: Mapped[datetime | None] = mapped_column(Instant)
    #: The last day on which it holds, by the lab's clock; None: for good.
    expires_on: Mapped[date | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)

    def covers(self, equipment_id: int, category: str) -> bool:
        """Whether it is for this instrument of its lab."""
        if self.equipment_id is not None:
            return self.equipment_id == equipment_id
        return self.category in ("", category)
