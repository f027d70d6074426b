"""Tables of service orders, files, messages and questions. Texts are erasable notes; files are deleted whole."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant, Key, PublicId
from core.ids import new_public_id

_OPEN = text("answered_at IS NULL")


class ServiceOrder(Base):
    """The 委托单 of a booking: its number, and what it said when it was issued. Written once.

    Numbers of one institution and year have no gap: they are given under the institution's lock and never taken back.
    """

    __tablename__ = "service_orders"
    __table_args__ = (
        UniqueConstraint("organisation_id", "year", "number"),
        CheckConstraint("number > 0", name="number"),
    )

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    #: The lab's institution, which provides the service.
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    year: Mapped[int]
    number: Mapped[int]
    issued_at: Mapped[datetime] = mapped_column(Instant)
    issued_by_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    price_fen: Mapped[int]
    voucher_fen: Mapped[int]


class BookingFile(Base):
    """A data sheet, a result: for those who see the booking, sent as a download only."""

    __tablename__ = "booking_files"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    by_lab: Mapped[bool]
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    at: Mapped[datetime] = mapped_column(Instant)


class Message(Base):
    """One message of a booking's thread; its text is an erasable note."""

    __tablename__ = "booking_messages"
    __table_args__ = (
        Index("ix_booking_messages_booking", "booking_id", "by_lab", "id"),
        Index("ix_booking_messages_at", "at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    #: Which side wrote it.
    by_lab: Mapped[bool]
    at: Mapped[datetime] = mapped_column(Instant)
    #: When the bundle began with which it is mailed: messages of one side within ten minutes are one mail.
    bundle_at: Mapped[datetime] = mapped_column(Instant)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"))


class Reading(Base):
    """How far a person has read the thread of a booking."""

    __tablename__ = "booking_readings"

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    #: The last message that was there.
    message_id: Mapped[int]


class Question(Base):
    """A question to the lab about an instrument; public, without names, once the lab publishes it."""

    __tablename__ = "questions"
    __table_args__ = (
        Index("ix_questions_equipment", "equipment_id", "published_at"),
        Index(
            "uq_questions_open", "equipment_id", "person_id", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN
        ),
        Index("ix_questions_person", "person_id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"))
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    answer_note_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))
    published_at: Mapped[datetime | None] = mapped_column(Instant)
