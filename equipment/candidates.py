"""What the search for free time needs of an entry, and no more: its rules, units and hours in one row of one statement.

A page of free instruments looks at many entries that it does not show, so none of them is loaded as an object.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from core.shapes import write_cursor
from equipment import finding
from equipment.models import ChargeUnit, Equipment, Lab, OpeningHours, Unit
from equipment.queries import whole_entry
from equipment.search import Search, Sort
from equipment.timetables import Hours
from members.models import Organisation


class Candidate(NamedTuple):
    """An entry that can be booked. `hours` is the text of those that count, for `read_hours`; `place` its class of
    match, with `sort_key` and `id` its position in the order of relevance."""

    id: int
    public_id: UUID
    name_zh: str
    name_en: str
    owner_id: int
    lab_id: int
    zone: str
    price_fen: int | None
    price_unit: ChargeUnit | None
    step_minutes: int
    length_minutes_min: int
    length_minutes_max: int
    lead_minutes: int
    horizon_days: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    sort_key: str
    units: str | None
    hours: str | None
    place: int

    @property
    def unit_ids(self) -> list[int]:
        return [int(unit) for unit in self.units.split(",")] if self.units else []

    @property
    def cursor(self) -> str:
        """The position after this entry."""
        return write_cursor(Sort.RELEVANCE.value, self.place, self.sort_key, self.id)


@dataclass(frozen=True)
class Chunk:
    """Candidates in order, out of so many entries that were looked at; `next_cursor` None: there are no more."""

    entries: list[Candidate]
    looked: int
    next_cursor: str | None


def find_candidates(session: Session, search: Search, *, limit: int) -> Chunk:
    """Entries that fit a search and can be booked, the best match first, from `search.cursor` on. Two statements; a
    chunk may hold fewer than `limit`, or none, before the last.

    Raises SearchCursorInvalid.
    """
    hits = finding.find_places(session, replace(search, limit=limit, sort=Sort.RELEVANCE))
    entries = _read(session, [(row.id, row.place) for row in hits.rows])
    return Chunk(entries, len(hits.rows), hits.next_cursor)


def find_candidates_by_id(session: Session, ids: Collection[int]) -> list[Candidate]:
    """Some entries as candidates, in the order given; those that cannot be booked are left out."""
    return _read(session, [(key, 0) for key in ids])


def _read(session: Session, places: Sequence[tuple[int, int]]) -> list[Candidate]:
    """Those that can be booked, with their class of match, in the order given. One statement."""
    if not places:
        return []
    rows = {row.id: row for row in session.execute(_details(), {"ids": [key for key, _ in places]})}
    return [Candidate._make((*rows[key], place)) for key, place in places if key in rows]


def find_whole(session: Session, public_ids: Collection[UUID]) -> list[Equipment]:
    """Some entries with all that pages and prices need, in any order; ids of none are left out."""
    return list(session.scalars(whole_entry().where(Equipment.public_id.in_(public_ids)))) if public_ids else []


BOOKABLE: tuple[ColumnElement[bool], ...] = (
    Equipment.is_bookable.is_(True), Equipment.retired_at.is_(None), Equipment.price_fen.is_not(None),
)  # fmt: skip


def matching(search: Search, dialect: str) -> list[ColumnElement[bool]]:
    """The conditions of a search among entries that can be booked."""
    parts = [*BOOKABLE, finding.matches(search, dialect)]
    if search.categories:
        parts.append(Equipment.category.in_(search.categories))
    if search.institutions:
        owners = select(Organisation.id).where(Organisation.public_id.in_(search.institutions))
        parts.append(Equipment.owner_id.in_(owners))
    if search.districts:
        parts.append(Equipment.lab_id.in_(select(Lab.id).where(Lab.district.in_(search.districts))))
    if search.modes:
        text = type_coerce(Equipment.service_modes, String)
        parts.append(or_(*(text.like(f"%,{mode},%") for mode in search.modes)))
    if search.voucher:
        parts.append(Equipment.voucher_eligible.is_(True))
    if search.price_max_fen is not None:
        parts.append(Equipment.price_fen <= search.price_max_fen)
    return parts


@lru_cache(maxsize=512)
def read_hours(text: str | None) -> tuple[Hours, ...]:
    """The hours of a candidate. Many entries have the same text, so it is read once."""
    out = []
    for row in text.split(";") if text else ():
        weekday, opens, closes, on_holidays, first, last = (int(part) for part in row.split(","))
        out.append(Hours(weekday, opens, closes, bool(on_holidays), first or None, last or None))
    return tuple(out)


@cache
def _details() -> Select[*tuple[Any, ...]]:
    """Made once: to build this statement takes longer than to run it."""
    return (
        select(
            Equipment.id, Equipment.public_id, Equipment.name_zh, Equipment.name_en, Equipment.owner_id,
            Equipment.lab_id, Lab.zone, Equipment.price_fen, Equipment.price_unit, Equipment.step_minutes,
            Equipment.length_minutes_min, Equipment.length_minutes_max, Equipment.lead_minutes,
            Equipment.horizon_days, Equipment.buffer_before_minutes, Equipment.buffer_after_minutes,
            Equipment.sort_key, _units().label("units"), _hours().label("hours"),
        )
        .join(Lab, Lab.id == Equipment.lab_id)
        .where(Equipment.id.in_(bindparam("ids", expanding=True)), *BOOKABLE)
    )  # fmt: skip


def _units() -> ScalarSelect[str]:
    return (
        select(func.aggregate_strings(cast(Unit.id, String), ","))
        .where(Unit.equipment_id == Equipment.id, Unit.retired_at.is_(None))
        .correlate(Equipment)
        .scalar_subquery()
    )


def _hours() -> ColumnElement[str]:
    """The text of an entry's own hours, else of its lab's, else of its institution's."""
    levels: Sequence[tuple[str, InstrumentedAttribute[int]]] = (
        ("equipment_id", Equipment.id), ("lab_id", Equipment.lab_id), ("organisation_id", Equipment.owner_id),
    )  # fmt: skip
    return func.coalesce(*(_hours_at(column, key) for column, key in levels))


def _hours_at(column: str, key: InstrumentedAttribute[int]) -> ScalarSelect[str]:
    row = aliased(OpeningHours)
    parts: list[ColumnElement[Any]] = [
        cast(row.weekday, String), cast(row.opens_minute, String), cast(row.closes_minute, String),
        case((row.closed_on_holidays, "1"), else_="0"), cast(func.coalesce(row.season_first, 0), String),
        cast(func.coalesce(row.season_last, 0), String),
    ]  # fmt: skip
    words = parts[0]
    for part in parts[1:]:
        words = words + "," + part
    text = func.aggregate_strings(words, ";")
    return select(text).where(getattr(row, column) == key).correlate(Equipment).scalar_subquery()
