"""Tables of what can be booked."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id
from members.models import Organisation


class ApprovalMode(StrEnum):
    AUTOMATIC = "automatic"
    LAB = "lab"


class ServiceMode(StrEnum):
    SELF = "self"
    OPERATED = "operated"
    SAMPLE = "sample"
    """One sends samples; the slot is the lab's working time."""


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


class DayKind(StrEnum):
    OFF = "off"
    WORKDAY = "workday"
    """A weekend day that is worked to make up for a holiday."""


class Lab(Base):
    __tablename__ = "labs"
    __table_args__ = (UniqueConstraint("organisation_id", "name_zh"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(300), default="")
    #: IANA name; opening hours are wall time here.
    zone: Mapped[str] = mapped_column(String(40), default="Asia/Shanghai")

    organisation: Mapped[Organisation] = relationship(lazy="raise_on_sql")


class LabStaff(Base):
    """Which labs a manager or operator runs; the role itself is a membership."""

    __tablename__ = "lab_staff"
    __table_args__ = (UniqueConstraint("lab_id", "person_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    lab_id: Mapped[int] = mapped_column(ForeignKey("labs.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)


class Equipment(Base):
    """A catalogue entry: one kind of machine in one lab, with its rules. Its machines are `units`."""

    __tablename__ = "equipment"
    __table_args__ = (
        UniqueConstraint("owner_id", "asset_number"),
        CheckConstraint("step_minutes > 0", name="step"),
        CheckConstraint("0 < length_minutes_min AND length_minutes_min <= length_minutes_max", name="length"),
        CheckConstraint("buffer_before_minutes >= 0 AND buffer_after_minutes >= 0", name="buffers"),
        Index("ix_equipment_category", "category", "sort_key"),
        Index("ix_equipment_lab", "lab_id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    #: Who owns it, who runs it, who watches over it, and who is paid: often one, in the zone's pilot four.
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    supervisor_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    payee_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    lab_id: Mapped[int] = mapped_column(ForeignKey("labs.id"))
    asset_number: Mapped[str] = mapped_column(String(60))
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")
    maker: Mapped[str] = mapped_column(String(180), default="")
    model: Mapped[str] = mapped_column(String(120), default="")
    specification: Mapped[str] = mapped_column(Text, default="")
    #: A slug of `equipment.categories`.
    category: Mapped[str] = mapped_column(String(40))
    #: Four-digit class of the national platform, or six digits ending in 00.
    class_code: Mapped[str] = mapped_column(String(6), default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    #: Where the row comes from and how sure it is, as the source says.
    certainty: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(40), default="")
    #: known, part-known, literature: seen in public; demo: real make and model, invented place.
    assignment: Mapped[str] = mapped_column(String(20), default="")
    original_value_fen: Mapped[int | None]
    service_mode: Mapped[ServiceMode] = mapped_column(Code(ServiceMode, 10), default=ServiceMode.OPERATED)
    voucher_eligible: Mapped[bool] = mapped_column(default=True)
    #: False: listed, not to be booked here (no hours or rates yet).
    is_bookable: Mapped[bool] = mapped_column(default=False)
    #: True: hours, rates and rules come from the demonstration profile.
    is_example: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)

    approval_mode: Mapped[ApprovalMode] = mapped_column(Code(ApprovalMode, 10), default=ApprovalMode.LAB)
    step_minutes: Mapped[int] = mapped_column(default=30)
    length_minutes_min: Mapped[int] = mapped_column(default=30)
    length_minutes_max: Mapped[int] = mapped_column(default=480)
    lead_minutes: Mapped[int] = mapped_column(default=0)
    horizon_days: Mapped[int] = mapped_column(default=90)
    buffer_before_minutes: Mapped[int] = mapped_column(default=0)
    buffer_after_minutes: Mapped[int] = mapped_column(default=0)
    #: Cancelling is free until so long before the start.
    cancel_free_minutes: Mapped[int] = mapped_column(default=24 * 60)
    no_show_minutes: Mapped[int] = mapped_column(default=30)
    #: How long the lab may take to decide.
    decide_minutes: Mapped[int] = mapped_column(default=48 * 60)

    #: Written by `equipment.search`: grams of all names, separated by blanks; pinyin for sorting.
    grams: Mapped[str] = mapped_column(Text, default="")
    sort_key: Mapped[str] = mapped_column(String(400), default="")
    #: Lowest price of the startup tier's first rate, for filters and sorting; None without rates.
    price_fen: Mapped[int | None]
    price_unit: Mapped[ChargeUnit | None] = mapped_column(Code(ChargeUnit, 20))
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    __mapper_args__ = {"version_id_col": version}

    owner: Mapped[Organisation] = relationship(foreign_keys=owner_id, lazy="raise_on_sql")
    operator: Mapped[Organisation] = relationship(foreign_keys=operator_id, lazy="raise_on_sql")
    supervisor: Mapped[Organisation] = relationship(foreign_keys=supervisor_id, lazy="raise_on_sql")
    payee: Mapped[Organisation] = relationship(foreign_keys=payee_id, lazy="raise_on_sql")
    lab: Mapped[Lab] = relationship(lazy="raise_on_sql")
    units: Mapped[list["Unit"]] = relationship(lazy="raise_on_sql", order_by="Unit.id")
    rates: Mapped[list["Rate"]] = relationship(lazy="raise_on_sql", order_by="Rate.id")
    hours: Mapped[list["OpeningHours"]] = relationship(lazy="raise_on_sql", order_by="OpeningHours.id")


class Unit(Base):
    """One physical thing that a booking occupies."""

    __tablename__ = "units"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"), index=True)
    label: Mapped[str] = mapped_column(String(80), default="")
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class OpeningHours(Base):
    """One stretch of a weekday in the lab's wall time, `[opens, closes)` in minutes from midnight."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("0 <= opens_minute AND opens_minute < closes_minute AND closes_minute <= 1440", name="stretch"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"), index=True)
    #: 0 = Monday.
    weekday: Mapped[int]
    opens_minute: Mapped[int]
    closes_minute: Mapped[int]
    #: False: also open on holidays (a machine that runs by itself).
    closed_on_holidays: Mapped[bool] = mapped_column(default=True)


class CalendarDay(Base):
    """A holiday or a make-up workday. Days that have no row are what their weekday says."""

    __tablename__ = "calendar_days"

    on: Mapped[date] = mapped_column("on_date", primary_key=True)
    kind: Mapped[DayKind] = mapped_column(Code(DayKind, 10))
    name_zh: Mapped[str] = mapped_column(String(60), default="")
    name_en: Mapped[str] = mapped_column(String(60), default="")
    #: The year's official notice is not out yet.
    is_provisional: Mapped[bool] = mapped_column(default=False)


class Rate(Base):
    """Price per charge unit for a tier, from a date on. The newest row not later than the slot's day applies."""

    __tablename__ = "rates"
    __table_args__ = (
        UniqueConstraint("equipment_id", "tier", "charge_unit", "effective_on"),
        CheckConstraint("price_fen >= 0", name="price"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"), index=True)
    tier: Mapped[Tier] = mapped_column(Code(Tier, 10))
    charge_unit: Mapped[ChargeUnit] = mapped_column(Code(ChargeUnit, 20))
    price_fen: Mapped[int]
    effective_on: Mapped[date]
    is_example: Mapped[bool] = mapped_column(default=False)


class ImportRun(Base):
    """One import of a file: its hash, what it did, who started it."""

    __tablename__ = "import_runs"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(Instant)
    rows_read: Mapped[int]
    rows_new: Mapped[int]
    rows_changed: Mapped[int]
    rows_refused: Mapped[int]
