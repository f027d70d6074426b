"""Whose entries an import may touch: the labs that its manager runs; the whole institution for the zone and the
command."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from equipment import queries as catalogue
from members import queries as members
from members.models import Role

#: Ids of labs; None: all labs of the institution, and new ones.
Reach = frozenset[int] | None


def find_reach(session: Session, person_ids: Iterable[int | None]) -> Reach:
    """What all of these people may touch, as their roles are now; None among them is the command."""
    reaches = [_reach_of(session, person_id) for person_id in set(person_ids) if person_id is not None]
    limits = [reach for reach in reaches if reach is not None]
    return frozenset.intersection(*limits) if limits else None


def _reach_of(session: Session, person_id: int) -> Reach:
    actor = members.get_actor(session, person_id)
    if actor is not None and actor.has(Role.ZONE_ADMIN):
        return None
    if actor is None or not actor.has(Role.LAB_MANAGER):
        return frozenset()
    return catalogue.find_lab_ids_run_by(session, person_id)
