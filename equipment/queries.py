"""Every SELECT of the package."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core.shapes import read_cursor, write_cursor
from equipment.categories import CATEGORIES
from equipment.errors import EquipmentNotFound, SearchCursorInvalid, UnitNotFound
from equipment.models import CalendarDay, DayKind, Equipment, Lab, LabStaff, Unit
from equipment.search import Search, matches, rank
from members.models import Organisation


def whole_entry() -> Select[Equipment]:
    """An entry with all that pages, rules and prices need."""
    return select(Equipment).options(
        joinedload(Equipment.owner),
        joinedload(Equipment.operator),
        joinedload(Equipment.supervisor),
        joinedload(Equipment.payee),
        joinedload(Equipment.lab).joinedload(Lab.organisation),
        selectinload(Equipment.units),
        selectinload(Equipment.rates),
        selectinload(Equipment.hours),
    )


def get_equipment(session: Session, public_id: UUID) -> Equipment:
    entry = session.scalars(whole_entry().where(Equipment.public_id == public_id)).one_or_none()
    if entry is None:
        raise EquipmentNotFound
    return entry


def get_equipment_by_id(session: Session, equipment_id: int) -> Equipment:
    return session.scalars(whole_entry().where(Equipment.id == equipment_id)).one()


def get_unit(session: Session, public_id: UUID) -> Unit:
    unit = session.scalars(select(Unit).where(Unit.public_id == public_id)).one_or_none()
    if unit is None:
        raise UnitNotFound
    return unit


def find_equipment_of_labs(session: Session, lab_ids: frozenset[int]) -> list[Equipment]:
    """Bookable entries of some labs, in order of name; without their relations."""
    return list(
        session.scalars(
            select(Equipment)
            .where(Equipment.lab_id.in_(lab_ids), Equipment.is_bookable, Equipment.retired_at.is_(None))
            .order_by(Equipment.sort_key, Equipment.id)
        )
    )


def find_calendar_days(session: Session, first: date, last: date) -> dict[date, DayKind]:
    """Holidays and make-up workdays from `first` to `last`, both included."""
    rows = session.execute(select(CalendarDay.on, CalendarDay.kind).where(CalendarDay.on.between(first, last)))
    return {on: DayKind(kind) for on, kind in rows}


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
    """A page of entries that fit, the best first, alike on both engines: by class of match, then those that can be
    booked, then name, then id."""
    dialect = session.get_bind().dialect.name
    order = rank(search) * 2 + case((Equipment.is_bookable, 0), else_=1)
    conditions = _conditions(search, dialect)
    statement = whole_entry().where(*conditions).order_by(order, Equipment.sort_key, Equipment.id)
    if search.cursor:
        statement = statement.where(_after(search.cursor, order))
    rows = list(session.execute(statement.add_columns(order.label("place")).limit(search.limit + 1)).unique())
    total = session.scalar(select(func.count()).select_from(Equipment).where(*conditions)) or 0
    more = len(rows) > search.limit
    items = [row[0] for row in rows[: search.limit]]
    cursor = write_cursor(int(rows[search.limit - 1][1]), items[-1].sort_key, items[-1].id) if more else None
    return Found(items, total, cursor)


@dataclass(frozen=True)
class FacetCount:
    value: str
    name_zh: str
    name_en: str
    count: int


@dataclass(frozen=True)
class Facets:
    """How many entries there are by institution and by category, each without its own filter."""

    institutions: list[FacetCount]
    categories: list[FacetCount]


def count_facets(session: Session, search: Search) -> Facets:
    dialect = session.get_bind().dialect.name
    institutions = session.execute(
        select(Organisation.public_id, Organisation.name_zh, Organisation.name_en, func.count())
        .join(Equipment, Equipment.owner_id == Organisation.id)
        .where(*_conditions(search.without_institution(), dialect))
        .group_by(Organisation.id, Organisation.public_id, Organisation.name_zh, Organisation.name_en)
        .order_by(func.count().desc(), Organisation.id)
    )
    categories = session.execute(
        select(Equipment.category, func.count())
        .where(*_conditions(search.without_category(), dialect))
        .group_by(Equipment.category)
        .order_by(func.count().desc(), Equipment.category)
    )
    return Facets(
        [FacetCount(str(public_id), zh, en, number) for public_id, zh, en, number in institutions],
        [
            FacetCount(slug, CATEGORIES[slug].name_zh, CATEGORIES[slug].name_en, number)
            for slug, number in categories
            if slug in CATEGORIES
        ],
    )


def _conditions(search: Search, dialect: str) -> Sequence[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = [Equipment.retired_at.is_(None)]
    if search.q:
        parts.append(matches(search, dialect))
    if search.category:
        parts.append(Equipment.category == search.category)
    if search.institution:
        owner = select(Organisation.id).where(Organisation.public_id == search.institution).scalar_subquery()
        parts.append(Equipment.owner_id == owner)
    if search.price_max_fen is not None:
        parts.append(Equipment.price_fen <= search.price_max_fen)
    return parts


def _after(cursor: str, order: ColumnElement[int]) -> ColumnElement[bool]:
    try:
        place, name, key = read_cursor(cursor, (int, str, int))
    except ValueError as error:
        raise SearchCursorInvalid(field="cursor") from error
    return or_(
        order > place,
        and_(order == place, Equipment.sort_key > name),
        and_(order == place, Equipment.sort_key == name, Equipment.id > key),
    )
