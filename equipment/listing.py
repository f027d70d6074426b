"""The instruments of labs as the rows of a board: plain values, two statements however many there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import one_of
from core.slot import Slot
from equipment import bookable, opening
from equipment.bookable import Hours
from equipment.models import Equipment, Lab, ServiceMode, Unit
from equipment.queries import Calendar


class ListedUnit(NamedTuple):
    id: int
    public_id: UUID
    label: str
    is_retired: bool


@dataclass(slots=True)
class Listed:
    """A bookable entry of a lab."""

    id: int
    public_id: UUID
    lab_id: int
    owner_id: int
    zone_name: str
    name_zh: str
    name_en: str
    model: str
    service_modes: tuple[ServiceMode, ...]
    step_minutes: int
    length_minutes_min: int
    length_minutes_max: int
    hours: Sequence[Hours]
    units: list[ListedUnit] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone_name)


def find_listed_of_labs(
    session: Session, lab_ids: frozenset[int], *, limit: int | None = None, offset: int = 0
) -> list[Listed]:
    """Bookable entries of labs in order of name, with their units and the opening hours that count."""
    rows = session.execute(
        select(
            Equipment.id, Equipment.public_id, Equipment.lab_id, Equipment.owner_id, Lab.zone, Equipment.name_zh,
            Equipment.name_en, Equipment.model, Equipment.service_modes, Equipment.step_minutes,
            Equipment.length_minutes_min, Equipment.length_minutes_max,
            bookable.hours_text(session.get_bind().dialect.name),
        )
        .join(Lab, Lab.id == Equipment.lab_id)
        .where(Equipment.lab_id.in_(lab_ids), Equipment.is_bookable, Equipment.retired_at.is_(None))
        .order_by(Equipment.sort_key, Equipment.id)
        .limit(limit)
        .offset(offset)
    )  # fmt: skip
    entries = [Listed(*(*values, bookable.read_hours(hours))) for *values, hours in rows]
    if entries:
        _add_units(session, entries)
    return entries


def count_listed_of_labs(session: Session, lab_ids: frozenset[int]) -> int:
    wanted = Equipment.lab_id.in_(lab_ids), Equipment.is_bookable, Equipment.retired_at.is_(None)
    return session.scalar(select(func.count()).select_from(Equipment).where(*wanted)) or 0


def open_by_entry(entries: Iterable[Listed], calendar: Calendar, window: Slot) -> dict[int, list[Slot]]:
    """Open time of entries in a window, by id. Those with the same hours and closures share one calculation."""
    known: dict[tuple[object, ...], list[Slot]] = {}
    out: dict[int, list[Slot]] = {}
    for entry in entries:
        closed = tuple(
            Slot(row.starts_at, row.ends_at)
            for row in calendar.closures
            if row.equipment_id == entry.id or row.lab_id == entry.lab_id or row.organisation_id == entry.owner_id
        )
        key = (entry.zone_name, entry.hours, closed)
        if key not in known:
            known[key] = opening.open_slots(entry.hours, calendar.days, entry.zone, window, closed)
        out[entry.id] = known[key]
    return out


def _add_units(session: Session, entries: Sequence[Listed]) -> None:
    by_id = {entry.id: entry for entry in entries}
    rows = session.execute(
        select(Unit.equipment_id, Unit.id, Unit.public_id, Unit.label, Unit.retired_at.is_not(None))
        .where(one_of(session, Unit.equipment_id, by_id))
        .order_by(Unit.id)
    )
    for row in rows:
        by_id[row[0]].units.append(ListedUnit(row[1], row[2], row[3], row[4]))
