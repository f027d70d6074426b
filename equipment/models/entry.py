"""What can be booked: labs, catalogue entries with their rules, and their units."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Dialect, ForeignKey, Index, String, Text, UniqueConstraint, or_
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, remote
from sqlalchemy.types import TypeDecorator

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id
from equipment.models.prices import ChargeUnit, Tariff
from equipment.models.times import OpeningHours
from members.models import Organisation

#: The rules require an instrument of this value or more to be open to others.
SHARING_VALUE_FEN = 50_000_000


class ApprovalMode(StrEnum):
    AUTOMATIC = "automatic"
    LAB = "lab"


class ServiceMode(StrEnum):
    SELF = "self"
    OPERATED = "operated"
    SAMPLE = "sample"
    """One sends samples; the slot is the lab's working time."""


class AssetState(StrEnum):
    """The ministry's code list of an asset's state, in its order."""

    IN_USE = "in_use"
    SURPLUS = "surplus"
    AWAITING_REPAIR = "awaiting_repair"
    AWAITING_DISPOSAL = "awaiting_disposal"
    LOST = "lost"
    SCRAPPED = "scrapped"
    TRANSFERRED = "transferred"
    DOWNGRADED = "downgraded"
    OTHER = "other"


class AssetSource(StrEnum):
    """How the owner came by it, in the order of the ministry's code list."""

    PURCHASE = "purchase"
    DONATION = "donation"
    SELF_MADE = "self_made"
    TRANSFER = "transfer"


class UseDirection(StrEnum):
    TEACHING = "teaching"
    RESEARCH = "research"


#: Sorted by its bytes on both engines.
SortKey = String(400).with_variant(String(400, collation="C"), "postgresql")


class Modes(TypeDecorator[tuple[ServiceMode, ...]]):
    """Service modes as one text with commas around each, so that `,self,` can be looked for on both engines."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Iterable[ServiceMode] | None, dialect: Dialect) -> str:
        return "," + "".join(f"{mode.value}," for mode in ServiceMode if mode in (value or ()))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[ServiceMode, ...]:
        return tuple(ServiceMode(part) for part in (value or "").split(",") if part)


class Lab(Base):
    __tablename__ = "labs"
    __table_args__ = (UniqueConstraint("organisation_id", "name_zh"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(300), default="")
    contact_name: Mapped[str] = mapped_column(String(60), default="")
    contact_phone: Mapped[str] = mapped_column(String(40), default="")
    contact_email: Mapped[str] = mapped_column(String(120), default="")
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    #: IANA name; opening hours are wall time here.
    zone: Mapped[str] = mapped_column(String(40), default="Asia/Shanghai")
    #: A code of `equipment.districts`; "" where nobody said it.
    district: Mapped[str] = mapped_column(String(20), default="")

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
    #: Pairs of name and value, in the order in which they are shown.
    specs: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    capability_zh: Mapped[str] = mapped_column(Text, default="")
    capability_en: Mapped[str] = mapped_column(Text, default="")
    #: What one gets: measurements, preparation, reports.
    service_content: Mapped[str] = mapped_column(Text, default="")
    #: What users must bring, know or have learnt.
    user_notice: Mapped[str] = mapped_column(Text, default="")
    safety: Mapped[str] = mapped_column(Text, default="")
    accessories: Mapped[str] = mapped_column(Text, default="")
    contact_name: Mapped[str] = mapped_column(String(60), default="")
    contact_phone: Mapped[str] = mapped_column(String(40), default="")
    contact_email: Mapped[str] = mapped_column(String(120), default="")
    #: ISO 3166 alpha-3, or the code of the source.
    country: Mapped[str] = mapped_column(String(60), default="")
    acquired_on: Mapped[date | None]
    started_on: Mapped[date | None]
    asset_state: Mapped[AssetState] = mapped_column(Code(AssetState, 20), default=AssetState.IN_USE)
    asset_source: Mapped[AssetSource | None] = mapped_column(Code(AssetSource, 12))
    use_direction: Mapped[UseDirection | None] = mapped_column(Code(UseDirection, 10))
    #: The yearly figures as the institution last reported them (hours, samples, people trained ...), by name.
    reported: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
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
    service_modes: Mapped[tuple[ServiceMode, ...]] = mapped_column(Modes(40), default=(ServiceMode.OPERATED,))
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
    #: When so much of the time to decide is over, in basis points, the zone's office is told; 10,000: never.
    escalate_bp: Mapped[int] = mapped_column(default=7500)
    #: Fees in basis points of the agreed price; the payer's own share, never a voucher's.
    cancel_fee_bp: Mapped[int] = mapped_column(default=0)
    no_show_fee_bp: Mapped[int] = mapped_column(default=0)
    #: Limits of one company on this instrument in a week from Monday; None: none.
    company_week_minutes_max: Mapped[int | None]
    company_week_bookings_max: Mapped[int | None]
    #: Only for people with a qualification for it.
    needs_qualification: Mapped[bool] = mapped_column(default=False)
    #: Names of the rules that the instrument sets itself; the others follow its lab, its institution, the house.
    own_rules: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: The terms that a request must accept today (`Terms.public_id`); kept current by `equipment.terms`.
    terms_version: Mapped[UUID | None] = mapped_column(PublicId)

    #: Written by `equipment.search.index_columns`: grams of all names, separated by blanks; pinyin for sorting.
    grams: Mapped[str] = mapped_column(Text, default="")
    sort_key: Mapped[str] = mapped_column(SortKey, default="")
    #: Names and model as a search compares them.
    name_zh_key: Mapped[str] = mapped_column(String(300), default="")
    name_en_key: Mapped[str] = mapped_column(String(300), default="")
    model_key: Mapped[str] = mapped_column(String(300), default="")
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
    #: Of the instrument, its lab and its institution together; `effective_hours` and `tariff_on` choose.
    all_hours: Mapped[list[OpeningHours]] = relationship(
        primaryjoin=lambda: or_(
            remote(foreign(OpeningHours.equipment_id)) == Equipment.id,
            remote(foreign(OpeningHours.lab_id)) == Equipment.lab_id,
            remote(foreign(OpeningHours.organisation_id)) == Equipment.owner_id,
        ),
        lazy="raise_on_sql", order_by=OpeningHours.id, viewonly=True,
    )  # fmt: skip
    tariffs: Mapped[list[Tariff]] = relationship(
        primaryjoin=lambda: or_(
            remote(foreign(Tariff.equipment_id)) == Equipment.id,
            remote(foreign(Tariff.lab_id)) == Equipment.lab_id,
            remote(foreign(Tariff.organisation_id)) == Equipment.owner_id,
        ),
        lazy="raise_on_sql", order_by=Tariff.id, viewonly=True,
    )  # fmt: skip

    @property
    def hours(self) -> list[OpeningHours]:
        """The opening hours that count: its own, else its lab's, else its institution's."""
        own = [row for row in self.all_hours if row.equipment_id is not None]
        return own or [row for row in self.all_hours if row.lab_id is not None] or self.all_hours

    @property
    def is_due_for_sharing(self) -> bool:
        """Worth so much that it must be open to others."""
        return self.original_value_fen is not None and self.original_value_fen >= SHARING_VALUE_FEN


class Unit(Base):
    """One physical thing that a booking occupies."""

    __tablename__ = "units"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"), index=True)
    label: Mapped[str] = mapped_column(String(80), default="")
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class RuleSet(Base):
    """Rules that a lab or an institution sets for all its instruments that set none themselves."""

    __tablename__ = "rule_sets"
    __table_args__ = (CheckConstraint("(lab_id IS NULL) <> (organisation_id IS NULL)", name="one_scope"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    lab_id: Mapped[int | None] = mapped_column(ForeignKey("labs.id"), unique=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), unique=True)
    #: Rule by name, see `equipment.rules.RULES`.
    rules: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
