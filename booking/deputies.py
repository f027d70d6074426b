"""Who stands in for whom: a lab's manager or a startup's owner names somebody who decides in their place for a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload

from booking.errors import DeputyNotFound, DeputyPeriodInvalid, DeputyUnknown, MayNotRunLab
from booking.models import Deputy
from booking.permissions import Acting
from core.errors import Forbidden
from core.slot import Slot
from equipment import queries as catalogue
from equipment.models import Lab
from members import audit
from members import queries as members
from members.actor import Actor
from members.models import Person, Role

LONGEST = timedelta(days=366)
LAB_ROLES = (Role.LAB_MANAGER, Role.LAB_OPERATOR)
STARTUP_ROLES = (Role.STARTUP_OWNER, Role.STARTUP_MEMBER)


def find_acting(session: Session, person_id: int, *, now: datetime) -> Acting:
    """For which labs and startups somebody decides now in another's place. One statement."""
    rows = session.execute(
        select(Deputy.lab_id, Deputy.organisation_id, Deputy.principal_id)
        .where(Deputy.person_id == person_id, Deputy.starts_at <= now, Deputy.ends_at > now)
        .order_by(Deputy.id.desc())
    ).all()
    return Acting(
        labs={lab_id: principal for lab_id, _, principal in rows if lab_id is not None},
        startups={startup_id: principal for _, startup_id, principal in rows if startup_id is not None},
    )


def find_deputies(session: Session, actor: Actor, *, now: datetime) -> list[Deputy]:
    """Present and coming deputies of the actor's labs and startups, in order of time; and where one is a deputy."""
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    statement = select(Deputy).where(_near(actor, lab_ids), Deputy.ends_at > now)
    return list(session.scalars(statement.options(*_WHOLE).order_by(Deputy.starts_at, Deputy.id)))


def find_lab_candidates(session: Session, actor: Actor, lab: Lab) -> list[Person]:
    """Who may stand in at a lab: managers and operators of its institution."""
    people = members.find_people_with_role(session, lab.organisation_id, LAB_ROLES)
    return [person for person in people if person.id != actor.person_id]


def find_startup_candidates(session: Session, actor: Actor, organisation_id: int) -> list[Person]:
    people = members.find_people_with_role(session, organisation_id, STARTUP_ROLES)
    return [person for person in people if person.id != actor.person_id]


def name_for_lab(
    session: Session, actor: Actor, *, lab_id: UUID, person: UUID | str, period: Slot, now: datetime
) -> Deputy:
    """A manager names who decides at a lab in their place. Raises MayNotRunLab, DeputyUnknown, DeputyPeriodInvalid."""
    run = catalogue.find_lab_ids_run_by(session, actor.person_id) if actor.has(Role.LAB_MANAGER) else frozenset()
    lab = next((lab for lab in catalogue.find_labs(session, run) if lab.public_id == lab_id), None)
    if lab is None:
        raise MayNotRunLab
    chosen = _choose(find_lab_candidates(session, actor, lab), person)
    return _name(session, actor, Deputy(lab_id=lab.id, person_id=chosen.id), period, lab.organisation_id, now)


def name_for_startup(session: Session, actor: Actor, *, person: UUID | str, period: Slot, now: datetime) -> Deputy:
    """An owner names who agrees in their place. Raises Forbidden, DeputyUnknown, DeputyPeriodInvalid."""
    grant = actor.grant_for(Role.STARTUP_OWNER)
    if grant is None:
        raise Forbidden
    chosen = _choose(find_startup_candidates(session, actor, grant.organisation_id), person)
    deputy = Deputy(organisation_id=grant.organisation_id, person_id=chosen.id)
    return _name(session, actor, deputy, period, grant.organisation_id, now)


def end_deputy(session: Session, actor: Actor, deputy_id: UUID, *, now: datetime) -> None:
    """End it now, or drop what has not begun: its principal, the deputy, or another who could have named it.

    Raises DeputyNotFound.
    """
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    deputy = session.scalars(
        select(Deputy).where(Deputy.public_id == deputy_id, _near(actor, lab_ids), Deputy.ends_at > now)
    ).one_or_none()
    if deputy is None or not may_end(actor, deputy, lab_ids):
        raise DeputyNotFound
    audit.record(session, actor=actor, action="deputy_ended", object=f"deputy:{deputy.public_id}", now=now)
    if deputy.starts_at >= now:
        session.delete(deputy)
    else:
        deputy.ends_at = now


def may_end(actor: Actor, deputy: Deputy, lab_ids: frozenset[int]) -> bool:
    if deputy.lab_id is not None:
        may_name = actor.has(Role.LAB_MANAGER) and deputy.lab_id in lab_ids
    else:
        may_name = deputy.organisation_id in actor.organisation_ids(Role.STARTUP_OWNER)
    return may_name or actor.person_id in (deputy.principal_id, deputy.person_id)


_WHOLE = (joinedload(Deputy.principal), joinedload(Deputy.person), joinedload(Deputy.lab))


def _near(actor: Actor, lab_ids: frozenset[int]) -> ColumnElement[bool]:
    """Deputies that concern somebody."""
    return or_(
        Deputy.person_id == actor.person_id,
        Deputy.lab_id.in_(lab_ids),
        Deputy.organisation_id.in_(actor.organisation_ids(*STARTUP_ROLES)),
    )


def _choose(people: Sequence[Person], wanted: UUID | str) -> Person:
    """By public id, or by e-mail."""
    found = next((person for person in people if wanted in (person.public_id, person.email)), None)
    if found is None:
        raise DeputyUnknown(field="person")
    return found


def _name(
    session: Session, actor: Actor, deputy: Deputy, period: Slot, organisation_id: int, now: datetime
) -> Deputy:  # fmt: skip
    if period.ends_at <= now or period.length > LONGEST:
        raise DeputyPeriodInvalid(field="until_on", days=LONGEST.days)
    deputy.principal_id, deputy.named_at = actor.person_id, now
    deputy.starts_at, deputy.ends_at = period.starts_at, period.ends_at
    session.add(deputy)
    session.flush()
    data = {"person": deputy.person_id, "from": period.starts_at, "until": period.ends_at}
    audit.record(
        session, actor=actor, action="deputy_named", object=f"deputy:{deputy.public_id}", now=now,
        organisation_id=organisation_id, data=data,
    )  # fmt: skip
    return session.scalars(select(Deputy).where(Deputy.id == deputy.id).options(*_WHOLE)).one()
