"""Whom a notice reaches: people with an address, who can still sign in."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from equipment.models import Lab, LabStaff
from members.models import Membership, Person, Role


def find_lab_staff(session: Session, lab_id: int, roles: Sequence[Role]) -> list[Person]:
    """People who run a lab in one of the roles, in order of id."""
    statement = (
        select(Person)
        .join(LabStaff, LabStaff.person_id == Person.id)
        .join(Lab, Lab.id == LabStaff.lab_id)
        .join(
            Membership,
            (Membership.person_id == Person.id) & (Membership.organisation_id == Lab.organisation_id),
        )
        .where(Lab.id == lab_id, Membership.role.in_(roles), Person.disabled_at.is_(None))
        .distinct()
        .order_by(Person.id)
    )
    return list(session.scalars(statement))


def find_deciders(session: Session, lab_id: int) -> list[Person]:
    """The managers; where a lab has none, its operators, who know whom to ask."""
    return find_lab_staff(session, lab_id, [Role.LAB_MANAGER]) or find_lab_staff(session, lab_id, [Role.LAB_OPERATOR])


def find_everyone_of_lab(session: Session, lab_id: int) -> list[Person]:
    return find_lab_staff(session, lab_id, [Role.LAB_MANAGER, Role.LAB_OPERATOR])


def find_owners(session: Session, organisation_id: int) -> list[Person]:
    """Who answers for a startup's money."""
    statement = (
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.role == Role.STARTUP_OWNER,
            Person.disabled_at.is_(None),
        )
        .order_by(Person.id)
    )
    return list(session.scalars(statement))
