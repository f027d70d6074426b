"""When things are open: opening hours by level and season, closures, and the shared calendar of holidays."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Code, Instant, Key, PublicId
from core.ids import new_public_id

#: A row belongs to one instrument, one lab or one institution.
ONE_SCOPE = (
    "(CASE WHEN equipment_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN lab_id IS NULL THEN 0 ELSE 1 END)"
    " + (CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END) = 1"
)


class DayKind(StrEnum):
    OFF = "off"
    WORKDAY = "workday"
    """A weekend day that is worked to make up for a holiday."""


class OpeningHours(Base):
    """One stretch of a weekday in the lab's wall time, `[opens, closes)` in minutes from midnight.

    The hours of an instrument count if it has any, else its lab's, else its institution's. Within one level, rows of
    a season replace the others on the days of that season.
    """

    __tablename__ = "opening_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("0 <= opens_minute AND opens_minute < closes_minute AND closes_minute <= 1440", name="stretch"),
        CheckConstraint("(season_first IS NULL) = (season_last IS NULL)", name="season"),
        CheckConstraint(ONE_SCOPE, name="one_scope"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"), index=True)
    lab_id: Mapped[int | None] = mapped_column(ForeignKey("labs.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    #: Month and day as MMDD, both included; first > last runs over the new year. None: all year.
    season_first: Mapped[int | None]
    season_last: Mapped[int | None]
    #: 0 = Monday.
    weekday: Mapped[int]
    opens_minute: Mapped[int]
    closes_minute: Mapped[int]
    #: False: also open on holidays (a machine that runs by itself).
    closed_on_holidays: Mapped[bool] = mapped_column(default=True)


class Closure(Base):
    """Time `[starts_at, ends_at)` in which an instrument, a lab or an institution is closed, whatever its hours say."""

    __tablename__ = "closures"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="slot"),
        CheckConstraint(ONE_SCOPE, name="one_scope"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    equipment_id: Mapped[int | None] = mapped_column(ForeignKey("equipment.id"), index=True)
    lab_id: Mapped[int | None] = mapped_column(ForeignKey("labs.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    #: Shown to everybody.
    reason: Mapped[str] = mapped_column(String(200))


class CalendarYear(Base):
    """Whether a year's official notice of holidays is in the calendar. A year without a row is not known."""

    __tablename__ = "calendar_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_official: Mapped[bool] = mapped_column(default=False)
    #: Where it comes from, as it was typed.
    source: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class CalendarDay(Base):
    """A holiday or a make-up workday. Days that have no row are what their weekday says."""

    __tablename__ = "calendar_days"

    on: Mapped[date] = mapped_column("on_date", primary_key=True)
    kind: Mapped[DayKind] = mapped_column(Code(DayKind, 10))
    name_zh: Mapped[str] = mapped_column(String(60), default="")
    name_en: Mapped[str] = mapped_column(String(60), default="")
    #: The year's official notice is not out yet.
    is_provisional: Mapped[bool] = mapped_column(default=False)
