"""Every SELECT of the package."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core.slot import Slot
from equipment import finding, opening
from equipment.bookable import get_bookable
from equipment.errors import EquipmentNotFound, UnitNotFound
from equipment.models import (
    CalendarDay,
    CalendarYear,
    Closure,
    DayKind,
    Equipment,
    EquipmentChange,
    Lab,
    LabStaff,
    Tariff,
    Unit,
)
from equipment.search import Search

A_DAY = timedelta(days=1)
__all__ = ["get_bookable"]


def whole_entry() -> Select[Equipment]:
    """An entry with all that pages, rules and prices need."""
    return select(Equipment).options(
        joinedload(Equipment.owner),
        joinedload(Equipment.operator),
        joinedload(Equipment.supervisor),
        joinedload(Equipment.payee),
        joinedload(Equipment.lab).joinedload(Lab.organisation),
        selectinload(Equipment.units),
        selectinload(Equipment.all_hours),
        selectinload(Equipment.tariffs).options(joinedload(Tariff.rates), joinedload(Tariff.bands)),
    )


def get_equipment(session: Session, public_id: UUID) -> Equipment:
    entry = session.scalars(whole_entry().where(Equipment.public_id == public_id)).one_or_none()
    if entry is None:
        raise EquipmentNotFound
    return entry


def get_equipment_id(session: Session, public_id: UUID) -> int:
    """The key of an entry. Raises EquipmentNotFound."""
    key = session.scalar(select(Equipment.id).where(Equipment.public_id == public_id))
    if key is None:
        raise EquipmentNotFound
    return key


def get_equipment_by_id(session: Session, equipment_id: int) -> Equipment:
    return session.scalars(whole_entry().where(Equipment.id == equipment_id)).one()


def get_zone(session: Session, key: UUID | int) -> ZoneInfo:
    """The zone in which an entry's wall time is meant, by public id or id. Raises EquipmentNotFound."""
    wanted = Equipment.id == key if isinstance(key, int) else Equipment.public_id == key
    zone = session.scalar(select(Lab.zone).join(Equipment, Equipment.lab_id == Lab.id).where(wanted))
    if zone is None:
        raise EquipmentNotFound
    return ZoneInfo(zone)


def get_unit(session: Session, public_id: UUID) -> Unit:
    unit = session.scalars(select(Unit).where(Unit.public_id == public_id)).one_or_none()
    if unit is None:
        raise UnitNotFound
    return unit


def get_tariff(session: Session, tariff_id: int | None) -> Tariff:
    """A version of prices, whole."""
    statement = select(Tariff).options(joinedload(Tariff.rates), joinedload(Tariff.bands))
    return session.scalars(statement.where(Tariff.id == tariff_id)).unique().one()


def find_equipment_of_labs(session: Session, lab_ids: frozenset[int]) -> list[Equipment]:
    """Bookable entries of some labs, in order of name; without their relations."""
    return list(
        session.scalars(
            select(Equipment)
            .where(Equipment.lab_id.in_(lab_ids), Equipment.is_bookable, Equipment.retired_at.is_(None))
            .order_by(Equipment.sort_key, Equipment.id)
        )
    )


@dataclass(frozen=True)
class Calendar:
    """Holidays, make-up workdays and closures of a window, to open entries by."""

    days: Mapping[date, DayKind]
    closures: Sequence[Closure]

    def open_slots(self, entry: Equipment, window: Slot) -> list[Slot]:
        """Open time of an entry; the window lies in the one that was read."""
        closed = [Slot(row.starts_at, row.ends_at) for row in self.closures_of(entry)]
        return opening.open_slots(entry.hours, self.days, ZoneInfo(entry.lab.zone), window, closed)

    def closures_of(self, entry: Equipment) -> list[Closure]:
        """Those of the entry itself, of its lab and of its institution."""
        return [
            row
            for row in self.closures
            if row.equipment_id == entry.id or row.lab_id == entry.lab_id or row.organisation_id == entry.owner_id
        ]


def read_calendar(session: Session, window: Slot) -> Calendar:
    """What a window needs in any zone. Two statements."""
    first, last = (window.starts_at - A_DAY).date(), (window.ends_at + A_DAY).date()
    days = session.execute(select(CalendarDay.on, CalendarDay.kind).where(CalendarDay.on.between(first, last)))
    closures = session.scalars(
        select(Closure).where(Closure.starts_at < window.ends_at, Closure.ends_at > window.starts_at)
    )
    return Calendar({on: DayKind(kind) for on, kind in days}, list(closures))


def find_changes(session: Session, equipment_id: int, *, limit: int = 100) -> list[EquipmentChange]:
    """The history of an entry, the newest first."""
    statement = select(EquipmentChange).where(EquipmentChange.equipment_id == equipment_id)
    return list(session.scalars(statement.order_by(EquipmentChange.id.desc()).limit(limit)))


def find_days_of_year(session: Session, year: int) -> list[CalendarDay]:
    days = CalendarDay.on.between(date(year, 1, 1), date(year, 12, 31))
    return list(session.scalars(select(CalendarDay).where(days).order_by(CalendarDay.on)))


def find_year(session: Session, year: int) -> CalendarYear | None:
    return session.get(CalendarYear, year)


def find_official_years(session: Session, years: Collection[int]) -> frozenset[int]:
    """Those of some years whose notice of holidays is known."""
    rows = select(CalendarYear.year).where(CalendarYear.year.in_(years), CalendarYear.is_official)
    return frozenset(session.scalars(rows))


def find_lab_ids_run_by(session: Session, person_id: int) -> frozenset[int]:
    """Labs that a person manages or operates."""
    return frozenset(session.scalars(select(LabStaff.lab_id).where(LabStaff.person_id == person_id)))


def find_labs(session: Session, lab_ids: frozenset[int] | None = None) -> list[Lab]:
    """Labs with their institutions, in order of id; None: all."""
    statement = select(Lab).options(joinedload(Lab.organisation)).order_by(Lab.id)
    return list(session.scalars(statement if lab_ids is None else statement.where(Lab.id.in_(lab_ids))))


def find_staff_ids(session: Session, lab_id: int) -> list[int]:
    """People who manage or operate a lab."""
    return list(
        session.scalars(select(LabStaff.person_id).where(LabStaff.lab_id == lab_id).order_by(LabStaff.person_id))
    )


@dataclass(frozen=True)
class Found:
    """One page of a search."""

    items: list[Equipment]
    total: int
    next_cursor: str | None


def search_equipment(session: Session, search: Search) -> Found:
    """A page of entries that fit, with what a list with times shows; `finding` says in which order."""
    hits = finding.find_hits(session, search)
    return Found(find_listed(session, hits.ids), hits.total, hits.next_cursor)


def find_listed(session: Session, ids: Sequence[int]) -> list[Equipment]:
    """Entries in the order of their ids as given, with owner, lab, units and hours; without prices by tier."""
    if not ids:
        return []
    statement = select(Equipment).options(
        joinedload(Equipment.owner),
        joinedload(Equipment.lab).joinedload(Lab.organisation),
        selectinload(Equipment.units),
        selectinload(Equipment.all_hours),
    )
    by_id = {entry.id: entry for entry in session.scalars(statement.where(Equipment.id.in_(ids))).unique()}
    return [by_id[key] for key in ids if key in by_id]
