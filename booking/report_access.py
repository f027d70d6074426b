"""Whose reports one may read: those who run a lab its own, the zone's offices all."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.errors import ReportNotFound
from booking.reports import WITH_ORGANISATION
from equipment import queries as catalogue
from equipment.models import Equipment, Lab
from members.actor import Actor
from members.models import Role

OVERSEERS = (Role.ZONE_ADMIN, Role.AUDITOR, Role.FINANCE_OFFICER)
REPORT_READERS = (Role.LAB_MANAGER, Role.LAB_OPERATOR, *OVERSEERS)


@dataclass(frozen=True)
class Reach:
    """What a report covers: the labs one may choose from, the one chosen, and the ids to count (None: all)."""

    labs: tuple[Lab, ...]
    chosen: Lab | None
    lab_ids: frozenset[int] | None


def labs_in_reach(session: Session, actor: Actor, lab: UUID | None) -> Reach:
    """Raises ReportNotFound for a lab that does not exist or that the actor may not look into."""
    own = None if actor.has(*OVERSEERS) else catalogue.find_lab_ids_run_by(session, actor.person_id)
    statement = select(Lab).options(*WITH_ORGANISATION).order_by(Lab.organisation_id, Lab.name_zh, Lab.id)
    if own is None:
        bookable = select(Equipment.lab_id).where(Equipment.is_bookable)
        labs = tuple(session.scalars(statement.where(Lab.id.in_(bookable))))
    else:
        labs = tuple(session.scalars(statement.where(Lab.id.in_(own))))
    if lab is None:
        chosen = labs[0] if own is not None and len(labs) == 1 else None
        return Reach(labs, chosen, own)
    chosen = next((candidate for candidate in labs if candidate.public_id == lab), None)
    if chosen is None:
        raise ReportNotFound
    return Reach(labs, chosen, frozenset({chosen.id}))
