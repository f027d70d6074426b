"""SELECTs of a search: which entries fit, in which order, and how many there are by facet.

Each kind of search is one statement, built once and kept: only its values change. All read `equipment_search`, the
narrow copy that triggers keep, so a common word does not drag whole entries through memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Executable,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session
from sqlalchemy.types import String

from core.shapes import read_cursor, write_cursor
from equipment.errors import SearchCursorInvalid
from equipment.models import Equipment, Findable, Lab
from equipment.search import Search, Sort, as_prefix, key, model_key
from members.models import Organisation

#: Dearer than every price: where entries without one stand.
NO_PRICE = 2**62
Columns = Any
F = Findable.__table__.c


@dataclass(frozen=True)
class Shape:
    """What of a statement depends on the search, besides its values."""

    dialect: str
    has_words: bool
    has_prefix: bool
    filters: frozenset[str]
    sort: Sort
    has_cursor: bool


@dataclass(frozen=True)
class Hits:
    """Ids of a page, the best first."""

    ids: list[int]
    total: int
    next_cursor: str | None


@dataclass(frozen=True)
class Lines:
    """A page: rows that have id, sort_key, place and total, and what the statement adds."""

    rows: Sequence[Any]
    total: int
    next_cursor: str | None


def find_hits(session: Session, search: Search) -> Hits:
    """The page that a search asks for. One statement. Raises SearchCursorInvalid."""
    found = find(session, search, _hits_statement)
    return Hits([row.id for row in found.rows], found.total, found.next_cursor)


def find_places(session: Session, search: Search) -> Lines:
    """The same page as rows of (id, sort_key, place, total). One statement. Raises SearchCursorInvalid."""
    return find(session, search, _hits_statement)


def matches(search: Search, dialect: str) -> ColumnElement[bool]:
    """Entries of `equipment` that hold every word asked for, whoever may see them."""
    if not search.q.strip():
        return literal_column("1=1")
    asked = _asked(search.terms, dialect, whole=False)
    hits = select(F.id).where(_has_words(dialect, "asked")).params(asked=asked)
    return Equipment.id.in_(hits) if search.terms else literal_column("1=0")


def find(session: Session, search: Search, build: Callable[[Shape], Executable]) -> Lines:
    """The page that a search asks for, by a statement of one's own around `page_of`. Raises SearchCursorInvalid."""
    dialect = session.get_bind().dialect.name
    if search.q.strip() and not search.terms:
        return Lines([], 0, None)
    shape, values = shape_of(search, dialect), values_of(search, dialect)
    if session.autoflush:
        session.flush()
    rows = session.connection().execute(build(shape), values).all()
    if not rows:
        total = find(session, _first(search), _hits_statement).total if search.cursor else 0
        return Lines([], total, None)
    last = rows[search.limit - 1] if len(rows) > search.limit else None
    cursor = write_cursor(search.sort.value, int(last.place), last.sort_key, last.id) if last else None
    return Lines(rows[: search.limit], int(rows[0].total), cursor)


def _first(search: Search) -> Search:
    return search.after("")


def shape_of(search: Search, dialect: str) -> Shape:
    chosen = {
        "category": search.categories, "institution": search.institutions, "mode": search.modes,
        "district": search.districts, "price": search.price_max_fen is not None, "voucher": search.voucher,
    }  # fmt: skip
    return Shape(
        dialect=dialect,
        has_words=bool(search.terms),
        has_prefix=any(as_prefix(term) for term in search.terms),
        filters=frozenset(name for name, value in chosen.items() if value),
        sort=search.sort,
        has_cursor=bool(search.cursor),
    )


def values_of(search: Search, dialect: str) -> dict[str, Any]:
    """Values for every parameter that the statement of this search may have."""
    values: dict[str, Any] = {"most": search.limit + 1}
    if search.terms:
        values |= _word_values(search, dialect)
    if search.categories:
        values["categories"] = search.categories
    if search.institutions:
        values["institutions"] = search.institutions
    if search.districts:
        values["districts"] = search.districts
    if search.modes:
        values |= {f"mode_{number}": f"%,{mode},%" for number, mode in enumerate(_three(search.modes))}
    if search.price_max_fen is not None:
        values["price_max"] = search.price_max_fen
    if search.cursor:
        values |= _cursor_values(search)
    return values


def _three(modes: Sequence[str]) -> list[str]:
    """There are three modes; a statement has a place for each."""
    return [*modes, *[modes[-1]] * 3][:3]


def _word_values(search: Search, dialect: str) -> dict[str, Any]:
    name = key(search.q)
    inner = name.strip()
    before, after = (" " if inner[0].isascii() else ""), (" " if inner[-1].isascii() else "")
    begin = f" {inner}{after}"
    values = {
        "asked": _asked(search.terms, dialect, whole=False),
        "model": model_key(search.q),
        "name": name,
        "begin": begin,
        "begin_length": len(begin),
        "inner": f"{before}{inner}{after}",
    }
    if any(as_prefix(term) for term in search.terms):
        values["asked_whole"] = _asked(search.terms, dialect, whole=True)
    return values


def _asked(terms: Sequence[str], dialect: str, *, whole: bool) -> str:
    """A query of the engine's own; terms are letters and digits only, so nothing in them can be an operator."""
    quote, join, star = ("'", " & ", ":*") if dialect == "postgresql" else ('"', " AND ", "*")
    return join.join(f"{quote}{term}{quote}" + (star if as_prefix(term) and not whole else "") for term in terms)


def _cursor_values(search: Search) -> dict[str, Any]:
    try:
        kind, place, name, last = read_cursor(search.cursor or "", (str, int, str, int))
    except ValueError as error:
        raise SearchCursorInvalid(field="cursor") from error
    if kind != search.sort.value or "\x00" in name:
        raise SearchCursorInvalid(field="cursor")
    return {"after_place": place, "after_name": name, "after_id": last}


def _has_words(dialect: str, name: str) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return F.words.op("@@")(cast(_text(name), TSQUERY))
    hits = text(f"SELECT rowid FROM equipment_grams WHERE equipment_grams MATCH :{name}")
    return F.id.in_(hits.columns(Equipment.id))


def conditions(shape: Shape) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = [F.is_retired.is_(False)]
    if shape.has_words:
        parts.append(_has_words(shape.dialect, "asked"))
    return parts


def filters(columns: Columns, names: frozenset[str]) -> list[ColumnElement[bool]]:
    """Conditions of the facets, over the table itself or a part of it."""
    organisations = select(Organisation.id).where(Organisation.public_id.in_(bindparam("institutions", expanding=True)))
    labs = select(Lab.id).where(Lab.district.in_(bindparam("districts", expanding=True)))
    by_name: dict[str, Any] = {
        "category": lambda: columns.category.in_(bindparam("categories", expanding=True)),
        "institution": lambda: columns.owner_id.in_(organisations),
        "mode": lambda: or_(*(columns.service_modes.like(bindparam(f"mode_{number}")) for number in range(3))),
        "district": lambda: columns.lab_id.in_(labs),
        "price": lambda: columns.price_fen <= bindparam("price_max"),
        "voucher": lambda: columns.voucher_eligible.is_(True),
    }
    return [by_name[name]() for name in sorted(names)]


def _place(shape: Shape) -> ColumnElement[int]:
    """A number that sorts; name and id follow it. Another order is another number, and its kind in the cursor."""
    if shape.sort is Sort.PRICE:
        return func.coalesce(F.price_fen, literal_column(str(NO_PRICE)))
    if shape.sort is Sort.NAME:
        return literal_column("0")
    listed = case((F.is_bookable, literal_column("0")), else_=literal_column("1"))
    return _rank(shape) * literal_column("2") + listed if shape.has_words else listed


def _rank(shape: Shape) -> ColumnElement[int]:
    """0 the model itself, 1 the name itself, 2 a name that begins so, 3 a name that holds it, 4 all words somewhere,
    5 some word only as the beginning of another."""
    name, begin, inner = _text("name"), _text("begin"), _text("inner")
    length = bindparam("begin_length", type_=Integer)
    position = func.strpos if shape.dialect == "postgresql" else func.instr
    whens: list[tuple[ColumnElement[bool], ColumnElement[int]]] = [
        (F.model_key == _text("model"), literal_column("0")),
        (or_(F.name_zh_key == name, F.name_en_key == name), literal_column("1")),
        (
            or_(func.substr(F.name_zh_key, 1, length) == begin, func.substr(F.name_en_key, 1, length) == begin),
            literal_column("2"),
        ),
        (or_(position(F.name_zh_key, inner) > 0, position(F.name_en_key, inner) > 0), literal_column("3")),
    ]
    if not shape.has_prefix:
        return case(*whens, else_=literal_column("4"))
    return case(*whens, (_has_words(shape.dialect, "asked_whole"), literal_column("4")), else_=literal_column("5"))


def _text(name: str) -> BindParameter[str]:
    return bindparam(name, type_=String)


def page_of(shape: Shape) -> Select[Any]:
    place = _place(shape).label("place")
    fits = select(F.id, F.sort_key, place, func.count().over().label("total"))
    fits = fits.where(*conditions(shape), *filters(F, shape.filters))
    all_hits = fits.subquery("fits").c
    page = select(all_hits.id, all_hits.sort_key, all_hits.place, all_hits.total)
    if shape.has_cursor:
        page = page.where(_after(all_hits))
    return page.order_by(all_hits.place, all_hits.sort_key, all_hits.id).limit(bindparam("most"))


def _after(columns: Columns) -> ColumnElement[bool]:
    place, last = bindparam("after_place", type_=BigInteger), bindparam("after_id", type_=BigInteger)
    name = _text("after_name")
    return or_(
        columns.place > place,
        and_(columns.place == place, columns.sort_key > name),
        and_(columns.place == place, columns.sort_key == name, columns.id > last),
    )


@lru_cache(512)
def _hits_statement(shape: Shape) -> Executable:
    return page_of(shape)
