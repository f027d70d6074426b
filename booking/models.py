"""Tables of the main job."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id
from core.slot import Slot
from equipment.models import Equipment, Lab, ServiceMode, Unit
from members.models import Organisation, Person


class State(StrEnum):
    REQUESTED = "requested"
    """Waits for `awaiting`; holds its slot and its money."""
    APPROVED = "approved"
    IN_USE = "in_use"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Nobody decided in time."""
    NO_SHOW = "no_show"


class Awaiting(StrEnum):
    OWNER = "owner"
    LAB = "lab"


class Source(StrEnum):
    WEB = "web"
    API = "api"
    LAB = "lab"
    """Entered by the lab for somebody who phoned, or for use that is past."""


class OccupancyKind(StrEnum):
    BOOKING = "booking"
    OFFER = "offer"
    """Kept for one who waits, until `expires_at`."""
    HOLD = "hold"
    """Held for `held_for_id` who chose it, until `expires_at`."""
    BLOCK = "block"
    """Outage, closure or an outside calendar's busy time; may overlap anything."""


class Booking(Base):
    __tablename__ = "bookings"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="slot"),
        Index("ix_bookings_equipment", "equipment_id", "starts_at"),
        Index("ix_bookings_organisation", "organisation_id", "starts_at"),
        Index("ix_bookings_due", "state", "decide_by"),
        Index("ix_bookings_starts", "starts_at"),
        Index(
            "ix_bookings_terms",
            "terms_version",
            "id",
            postgresql_where=text("terms_version IS NOT NULL"),
            sqlite_where=text("terms_version IS NOT NULL"),
        ),
        Index(
            "ix_bookings_nudge",
            "nudge_at",
            sqlite_where=text("nudge_at IS NOT NULL"),
            postgresql_where=text("nudge_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    #: Who books and pays.
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    state: Mapped[State] = mapped_column(Code(State, 10))
    awaiting: Mapped[Awaiting | None] = mapped_column(Code(Awaiting, 6))
    source: Mapped[Source] = mapped_column(Code(Source, 4))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    decide_by: Mapped[datetime | None] = mapped_column(Instant)
    #: Since when it waits for `awaiting`; the owner's part of the time and the lab's follow each other.
    awaiting_since: Mapped[datetime | None] = mapped_column(Instant)
    #: When whoever decides is reminded next, or somebody above is told; None: no more.
    nudge_at: Mapped[datetime | None] = mapped_column(Instant)
    purpose_note_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))

    #: The terms that counted when it was asked for; accepted by whom and when. Not accepted yet: the lab entered it.
    terms_version: Mapped[UUID | None] = mapped_column(PublicId, ForeignKey("terms.public_id"))
    terms_accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    terms_accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    #: The version of prices that the quote used, how the instrument is used, and whether it is asked for in a rush.
    tariff_id: Mapped[int | None] = mapped_column(ForeignKey("tariffs.id"))
    service_mode: Mapped[ServiceMode | None] = mapped_column(Code(ServiceMode, 10))
    is_rush: Mapped[bool] = mapped_column(default=False)
    #: What a late cancellation or a no-show cost; own share only.
    fee_fen: Mapped[int] = mapped_column(default=0)
    #: The quote as frozen at request or move: what was expected to be paid.
    tier: Mapped[str] = mapped_column(String(10))
    quantities: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    price_fen: Mapped[int]
    voucher_fen: Mapped[int] = mapped_column(default=0)
    own_fen: Mapped[int]
    payee_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    #: The programme's rule at the time of the quote: public share in basis points, and who is paid by it.
    share_bp: Mapped[int] = mapped_column(default=0)
    paid_to: Mapped[str] = mapped_column(String(12), default="")
    #: "auto", "none" or a voucher's public id: asked again when the booking moves.
    voucher_choice: Mapped[str] = mapped_column(String(36), default="auto")

    #: RFC 5545 UID, random, for life; and the sequence of its last calendar message.
    calendar_uid: Mapped[str] = mapped_column(String(64), unique=True)
    calendar_sequence: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}

    equipment: Mapped[Equipment] = relationship(lazy="raise_on_sql")
    unit: Mapped[Unit] = relationship(lazy="raise_on_sql")
    organisation: Mapped[Organisation] = relationship(foreign_keys=organisation_id, lazy="raise_on_sql")
    payee: Mapped[Organisation] = relationship(foreign_keys=payee_id, lazy="raise_on_sql")
    person: Mapped[Person] = relationship(foreign_keys=person_id, lazy="raise_on_sql")
    visit: Mapped["Visit | None"] = relationship(lazy="raise_on_sql", uselist=False)

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)

    @property
    def reference(self) -> str:
        """The name under which money and the trail know it."""
        return f"booking:{self.public_id}"


class Occupancy(Base):
    """Time on a unit. Exclusive rows (claims) never overlap: a constraint on PostgreSQL, triggers on SQLite."""

    __tablename__ = "occupancies"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="slot"),
        CheckConstraint("(kind = 'block') = (NOT exclusive)", name="blocks_are_not_exclusive"),
        Index("ix_occupancies_unit", "unit_id", "ends_at", "starts_at", "expires_at"),
        Index(
            "ix_occupancies_held",
            "held_for_id",
            unique=True,
            postgresql_where=text("held_for_id IS NOT NULL"),
            sqlite_where=text("held_for_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    #: A booking's claim includes its buffers.
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[OccupancyKind] = mapped_column(Code(OccupancyKind, 10))
    exclusive: Mapped[bool]
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("bookings.id"), index=True)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    note_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))
    #: Who chose the slot; one hold a person.
    held_for_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)


class UnitDay(Base):
    """Half hours of a UTC day that lie wholly within one claim on a unit; days without any have no row.

    Written by triggers with every claim that comes, moves or goes, so that no verb can forget it. It knows nothing of
    hours, holidays and closures, which change without bookings, nor of blocks, which may overlap: it says before which
    half hour a unit cannot be free, never that it is.
    """

    __tablename__ = "unit_days"
    __table_args__ = ({"sqlite_with_rowid": False},)

    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    #: Number of the day since 1970.
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: 48 bits, the first half hour the lowest.
    claimed: Mapped[int]


_OVERRIDDEN = text("verb = 'overridden'")


class BookingEvent(Base):
    """One change of a booking: who, when, from, to, why. Append-only."""

    __tablename__ = "booking_events"
    __table_args__ = (
        Index("ix_booking_events_booking", "booking_id", "id"),
        Index("ix_booking_events_overridden", "id", sqlite_where=_OVERRIDDEN, postgresql_where=_OVERRIDDEN),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    #: None: the clock.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    #: For whom the actor decided as a deputy.
    behalf_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    #: A verb of `booking.states`, or `requested`, or `overridden` (rules were set aside).
    verb: Mapped[str] = mapped_column(String(12))
    from_state: Mapped[State | None] = mapped_column(Code(State, 10))
    to_state: Mapped[State] = mapped_column(Code(State, 10))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    note_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))


class Visit(Base):
    """Actual use: what was really run, and what it cost."""

    __tablename__ = "visits"

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    checked_in_at: Mapped[datetime] = mapped_column(Instant)
    checked_out_at: Mapped[datetime | None] = mapped_column(Instant)
    quantities: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    price_fen: Mapped[int | None]
    voucher_fen: Mapped[int | None]
    own_fen: Mapped[int | None]
    note_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))


class Deputy(Base):
    """Somebody who decides in another's place for a time: for a manager of a lab, or for a startup's owner."""

    __tablename__ = "deputies"
    __table_args__ = (
        CheckConstraint("(lab_id IS NULL) <> (organisation_id IS NULL)", name="lab_or_startup"),
        CheckConstraint("starts_at < ends_at", name="period"),
        Index("ix_deputies_lab", "lab_id", "ends_at"),
        Index("ix_deputies_organisation", "organisation_id", "ends_at"),
        Index("ix_deputies_person", "person_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    lab_id: Mapped[int | None] = mapped_column(ForeignKey("labs.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    #: In whose place.
    principal_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    #: Brought forward to the moment at which it is ended early.
    ends_at: Mapped[datetime] = mapped_column(Instant)
    named_at: Mapped[datetime] = mapped_column(Instant)

    lab: Mapped[Lab | None] = relationship(lazy="raise_on_sql")
    principal: Mapped[Person] = relationship(foreign_keys=principal_id, lazy="raise_on_sql")
    person: Mapped[Person] = relationship(foreign_keys=person_id, lazy="raise_on_sql")
