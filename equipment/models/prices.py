"""What use costs: tariffs in versions. A tariff is never changed: a new one takes its place from a date on."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id
from equipment.models.times import ONE_SCOPE


class Tier(StrEnum):
    INTERNAL = "internal"
    """People of the owner's own institution."""
    STARTUP = "startup"
    OTHER = "other"


class ChargeUnit(StrEnum):
    HOUR = "hour"
    """Of the slot, then of the visit."""
    DAY = "day"
    """Each started 24 hours of the slot, then of the visit."""
    SAMPLE = "sample"
    RUN = "run"
    GRAM = "gram"
    MILLILITRE = "millilitre"
    CHANNEL_DAY = "channel_day"
    CARD_HOUR = "card_hour"


class Tariff(Base):
    """One version of the prices of an instrument, or of a lab's or institution's instruments that have none.

    In force from `effective_on`, until a later one of the same level; of two of one day the newer one.
    """

    __tablename__ = "tariffs"
    __table_args__ = (
        CheckConstraint(ONE_SCOPE, name="one_scope"),
        CheckConstraint("minimum_fen >= 0 AND setup_fen >= 0 AND operator_fen >= 0", name="amounts"),
        CheckConstraint("rush_bp >= 10000 AND rush_within_minutes >= 0", name="rush"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"), index=True)
    lab_id: Mapped[int | None] = mapped_column(ForeignKey("labs.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    effective_on: Mapped[date]
    #: The least that a booking costs, and what starting up costs each time.
    minimum_fen: Mapped[int] = mapped_column(default=0)
    setup_fen: Mapped[int] = mapped_column(default=0)
    #: Per hour of the operator, where the lab runs the instrument for the user.
    operator_fen: Mapped[int] = mapped_column(default=0)
    #: A booking that starts within so many minutes of its request costs so much, in basis points; 0 minutes: no rush.
    rush_bp: Mapped[int] = mapped_column(default=10_000)
    rush_within_minutes: Mapped[int] = mapped_column(default=0)
    is_example: Mapped[bool] = mapped_column(default=False)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    written_at: Mapped[datetime] = mapped_column(Instant)

    rates: Mapped[list["Rate"]] = relationship(lazy="raise_on_sql", order_by="Rate.id")
    bands: Mapped[list["PriceBand"]] = relationship(lazy="raise_on_sql", order_by="PriceBand.id")


class Rate(Base):
    """Price per charge unit for a tier."""

    __tablename__ = "rates"
    __table_args__ = (
        UniqueConstraint("tariff_id", "tier", "charge_unit"),
        CheckConstraint("price_fen >= 0", name="price"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariffs.id"))
    tier: Mapped[Tier] = mapped_column(Code(Tier, 10))
    charge_unit: Mapped[ChargeUnit] = mapped_column(Code(ChargeUnit, 20))
    price_fen: Mapped[int]


class PriceBand(Base):
    """Wall time of some weekdays in which an hour costs more or less: peak, night, weekend. The first that fits."""

    __tablename__ = "price_bands"
    __table_args__ = (
        CheckConstraint("0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440", name="stretch"),
        CheckConstraint("factor_bp BETWEEN 0 AND 100000", name="factor"),
        Index("ix_price_bands_tariff", "tariff_id", "id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariffs.id"))
    name: Mapped[str] = mapped_column(String(40))
    #: Days of the week as digits, 0 = Monday: "01234".
    weekdays: Mapped[str] = mapped_column(String(7))
    from_minute: Mapped[int]
    to_minute: Mapped[int]
    #: 10,000: the rate itself.
    factor_bp: Mapped[int]
