"""SELECTs of the list that a lab keeps: every entry, also what is not open or not in the catalogue any more."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, joinedload

from core.i18n import N_
from equipment.finding import matches
from equipment.models import SHARING_VALUE_FEN, Equipment
from equipment.queries import whole_entry
from equipment.search import Search
from members.models import Organisation, OrganisationKind

#: How entries of one's own list are narrowed, and what that is called.
STANDINGS: dict[str, str] = {
    "": N_("All"),
    "open": N_("Can be booked"),
    "listed": N_("Listed only"),
    "due": N_("Due for sharing"),
    "retired": N_("Retired"),
}


@dataclass(frozen=True)
class OwnFilter:
    """Entries that somebody may edit. `lab_ids` None: all."""

    lab_ids: frozenset[int] | None
    q: str = ""
    standing: str = ""
    institution: UUID | None = None


def find_own(session: Session, wanted: OwnFilter, *, offset: int, limit: int) -> tuple[list[Equipment], int]:
    """A page in order of name, and how many there are."""
    conditions = [*_own_conditions(session, wanted), *_standing(wanted.standing)]
    statement = (
        select(Equipment)
        .options(joinedload(Equipment.owner), joinedload(Equipment.lab))
        .where(*conditions)
        .order_by(Equipment.sort_key, Equipment.id)
    )
    total = session.scalar(select(func.count()).select_from(Equipment).where(*conditions)) or 0
    return list(session.scalars(statement.offset(offset).limit(limit))), total


def count_own(session: Session, wanted: OwnFilter) -> dict[str, int]:
    """How many entries each standing has. One statement."""
    conditions = _own_conditions(session, wanted)
    sums = [func.sum(case((and_(*_standing(name)), 1), else_=0)) for name in STANDINGS]
    row = session.execute(select(*sums).select_from(Equipment).where(*conditions)).one()
    return {name: int(number or 0) for name, number in zip(STANDINGS, row, strict=True)}


def find_entries_of_owner(session: Session, owner_id: int) -> list[Equipment]:
    """An institution's catalogue, whole, for a file."""
    statement = whole_entry().where(Equipment.owner_id == owner_id, Equipment.retired_at.is_(None))
    return list(session.scalars(statement.order_by(Equipment.asset_number)).unique())


def find_owners(session: Session) -> list[Organisation]:
    """Institutions that could have instruments, in order of name."""
    kinds = (OrganisationKind.UNIVERSITY, OrganisationKind.INSTITUTE, OrganisationKind.MAKER_SPACE)
    return list(
        session.scalars(
            select(Organisation)
            .where(Organisation.kind.in_(kinds), Organisation.is_member)
            .order_by(Organisation.sort_key)
        )
    )


def _own_conditions(session: Session, wanted: OwnFilter) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if wanted.lab_ids is not None:
        parts.append(Equipment.lab_id.in_(wanted.lab_ids))
    if wanted.institution is not None:
        owner = select(Organisation.id).where(Organisation.public_id == wanted.institution).scalar_subquery()
        parts.append(Equipment.owner_id == owner)
    if wanted.q:
        exact = func.lower(Equipment.asset_number).startswith(wanted.q.lower(), autoescape=True)
        parts.append(or_(exact, matches(Search(q=wanted.q), session.get_bind().dialect.name)))
    return parts


def _standing(name: str) -> list[ColumnElement[bool]]:
    present = Equipment.retired_at.is_(None)
    due = Equipment.original_value_fen >= SHARING_VALUE_FEN
    found: dict[str, list[ColumnElement[bool]]] = {
        "": [present],
        "open": [present, Equipment.is_bookable.is_(True)],
        "listed": [present, Equipment.is_bookable.is_(False)],
        "due": [present, Equipment.is_bookable.is_(False), due],
        "retired": [Equipment.retired_at.is_not(None)],
    }
    return found[name]
