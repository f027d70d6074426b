"""Whom a notice reaches: people with an address, who can still sign in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from booking.models import Deputy
from equipment.models import Lab, LabStaff
from members.models import Membership, Person, Role


def find_lab_staff(session: Session, lab_id: int, roles: Sequence[Role]) -> list[Person]:
    """People who run a lab in one of the roles, in order of id."""
    return _people(session, _staff_ids(lab_id, roles))


def find_deciders(session: Session, lab_id: int, now: datetime) -> list[Person]:
    """The managers and who stands in for them; where a lab has none, its operators, who know whom to ask."""
    found = _people(session, _staff_ids(lab_id, [Role.LAB_MANAGER]), deputies_at(now).where(Deputy.lab_id == lab_id))
    return found or find_lab_staff(session, lab_id, [Role.LAB_OPERATOR])


def find_owner_deciders(session: Session, organisation_id: int, now: datetime) -> list[Person]:
    """A startup's owners and who stands in for them."""
    deputies = deputies_at(now).where(Deputy.organisation_id == organisation_id)
    return _people(session, _owner_ids(organisation_id), deputies)


def find_zone_office(session: Session) -> list[Person]:
    """Who administers the zone."""
    return _people(session, select(Membership.person_id).where(Membership.role == Role.ZONE_ADMIN))


def deputies_at(now: datetime) -> Select[int]:
    """Ids of people who stand in for somebody at an instant."""
    return select(Deputy.person_id).where(Deputy.starts_at <= now, Deputy.ends_at > now)


def find_everyone_of_lab(session: Session, lab_id: int) -> list[Person]:
    return find_lab_staff(session, lab_id, [Role.LAB_MANAGER, Role.LAB_OPERATOR])


def find_owners(session: Session, organisation_id: int) -> list[Person]:
    """Who answers for a startup's money."""
    return _people(session, _owner_ids(organisation_id))


def _people(session: Session, *ids: Select[int]) -> list[Person]:
    """Those of several lists who can still sign in, in order of id."""
    listed = or_(*(Person.id.in_(one) for one in ids))
    return list(session.scalars(select(Person).where(listed, Person.disabled_at.is_(None)).order_by(Person.id)))


def _staff_ids(lab_id: int, roles: Sequence[Role]) -> Select[int]:
    return (
        select(LabStaff.person_id)
        .join(Lab, Lab.id == LabStaff.lab_id)
        .join(
            Membership,
            (Membership.person_id == LabStaff.person_id) & (Membership.organisation_id == Lab.organisation_id),
        )
        .where(Lab.id == lab_id, Membership.role.in_(roles))
    )


def _owner_ids(organisation_id: int) -> Select[int]:
    return select(Membership.person_id).where(
        Membership.organisation_id == organisation_id, Membership.role == Role.STARTUP_OWNER
    )
