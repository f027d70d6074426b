"""What a list shows of entries: a row each with its owner and lab, no objects."""

from collections.abc import Collection
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Executable, Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from equipment import finding
from equipment.finding import Lines, Shape
from equipment.models import Equipment, Lab, Unit
from equipment.search import Search
from members.models import Organisation


def find_lines(session: Session, search: Search) -> Lines:
    """The page that a search asks for, with what a list shows of each entry. One statement.

    Raises SearchCursorInvalid.
    """
    return finding.find(session, search, _lines_statement)


def find_lines_by_id(session: Session, ids: Collection[int]) -> dict[int, Any]:
    """What a list shows of some entries, by id. One statement."""
    return {row.id: row for row in session.execute(_by_id(), {"ids": list(ids)})} if ids else {}


@lru_cache(512)
def _lines_statement(shape: Shape) -> Executable:
    page = finding.page_of(shape).subquery("page").c
    statement = _lines(page.id, page.sort_key, page.place, page.total).join(page.id.table, page.id == Equipment.id)
    return statement.order_by(page.place, page.sort_key, page.id)


@cache
def _by_id() -> Select[*tuple[Any, ...]]:
    return _lines(Equipment.id).where(Equipment.id.in_(bindparam("ids", expanding=True)))


def _lines(*first: Any) -> Select[*tuple[Any, ...]]:
    owner = aliased(Organisation, name="owner")
    units = select(func.count()).select_from(Unit).where(Unit.equipment_id == Equipment.id, Unit.retired_at.is_(None))
    entry = Equipment
    return (
        select(
            *first, units.correlate(Equipment).scalar_subquery().label("units"),
            entry.public_id, entry.name_zh, entry.name_en, entry.maker, entry.model, entry.category,
            entry.is_bookable, entry.is_example, entry.voucher_eligible, entry.service_modes, entry.price_fen,
            entry.price_unit, entry.lead_minutes, owner.public_id.label("owner_id"),
            owner.name_zh.label("owner_name_zh"), owner.name_en.label("owner_name_en"),
            owner.kind.label("owner_kind"), owner.is_demonstration.label("owner_is_demonstration"),
            Lab.name_zh.label("lab_name_zh"), Lab.name_en.label("lab_name_en"), Lab.district,
        )
        .select_from(entry)
        .join(owner, owner.id == entry.owner_id)
        .join(Lab, Lab.id == entry.lab_id)
    )  # fmt: skip
