"""How many entries a search would find by institution, category, mode, price, district and voucher.

Each facet counts without its own filter, so that a second choice shows what it would add.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Executable, cast, func, literal_column, select, union_all
from sqlalchemy.orm import Session
from sqlalchemy.types import String

from equipment.categories import CATEGORIES
from equipment.districts import DISTRICTS
from equipment.finding import F, Shape, conditions, filters, shape_of, values_of
from equipment.models import Lab, ServiceMode
from equipment.search import Search
from members.models import Organisation

#: Bounds of the price filter in yuan for one unit.
BANDS = (200, 500, 1000, 3000)
NAMES = ("category", "institution", "mode", "district", "price", "voucher")


@dataclass(frozen=True)
class FacetCount:
    value: str
    name_zh: str
    name_en: str
    count: int


@dataclass(frozen=True)
class Facets:
    """In order of number, but prices, modes and districts in their own order."""

    institutions: list[FacetCount]
    categories: list[FacetCount]
    districts: list[FacetCount]
    #: By mode; by upper bound in yuan.
    modes: dict[str, int]
    bands: dict[int, int]
    voucher: int


def count_facets(session: Session, search: Search) -> Facets:
    """Two statements."""
    if search.q.strip() and not search.terms:
        return Facets([], [], [], {}, {}, 0)
    dialect = session.get_bind().dialect.name
    statement = _statement(shape_of(search, dialect))
    counts: dict[str, Counter[str]] = {name: Counter() for name in NAMES}
    for name, value, number in session.connection().execute(statement, values_of(search, dialect)):
        counts[name][str(value)] += number
    return Facets(
        _institutions(session, +counts["institution"]),
        [
            FacetCount(slug, CATEGORIES[slug].name_zh, CATEGORIES[slug].name_en, number)
            for slug, number in sorted(counts["category"].items(), key=lambda pair: (-pair[1], pair[0]))
            if slug in CATEGORIES
        ],
        [
            FacetCount(code, place.name_zh, place.name_en, counts["district"][code])
            for code, place in DISTRICTS.items()
            if counts["district"][code]
        ],
        {
            mode.value: sum(number for modes, number in counts["mode"].items() if f",{mode.value}," in modes)
            for mode in ServiceMode
        },
        {band: counts["price"][str(band)] for band in BANDS},
        sum(counts["voucher"].values()),
    )


def _institutions(session: Session, counts: Counter[str]) -> list[FacetCount]:
    ids = [int(value) for value in counts]
    columns = (Organisation.id, Organisation.public_id, Organisation.name_zh, Organisation.name_en)
    rows = session.execute(select(*columns).where(Organisation.id.in_(ids))).all() if ids else []
    found = [(counts[str(key)], key, public_id, zh, en) for key, public_id, zh, en in rows]
    found.sort(key=lambda row: (-row[0], row[1]))
    return [FacetCount(_text(public_id), zh, en, number) for number, _, public_id, zh, en in found]


def _text(public_id: UUID) -> str:
    return str(public_id)


@lru_cache(512)
def _statement(shape: Shape) -> Executable:
    """The hits of the words once; each facet counts those that the other filters leave."""
    columns = (F.owner_id, F.lab_id, F.category, F.service_modes, F.price_fen, F.voucher_eligible)
    hits = select(*columns).where(*conditions(shape)).cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
    return union_all(
        _count(hits, shape, "category", hits.c.category),
        _count(hits, shape, "institution", cast(hits.c.owner_id, String)),
        _count(hits, shape, "mode", hits.c.service_modes),
        _count(hits, shape, "district", Lab.district, lab=True),
        *(_count_band(hits, shape, band) for band in BANDS),
        _count(hits, shape, "voucher", literal_column("'1'"), hits.c.voucher_eligible.is_(True)),
    )


def _count(hits: CTE, shape: Shape, name: str, value: Any, *more: Any, lab: bool = False) -> Any:
    """A row for each value; with `more` one row for those that fit it."""
    counted = select(literal_column(f"'{name}'").label("facet"), value.label("value"), func.count().label("number"))
    counted = counted.select_from(hits.join(Lab.__table__, Lab.id == hits.c.lab_id) if lab else hits)
    others = filters(hits.c, shape.filters - {name})
    counted = counted.where(*others, *more)
    return counted if more else counted.group_by(value)


def _count_band(hits: CTE, shape: Shape, band: int) -> Any:
    value: ColumnElement[str] = literal_column(f"'{band}'")
    return _count(hits, shape, "price", value, hits.c.price_fen <= literal_column(str(band * 100)))
