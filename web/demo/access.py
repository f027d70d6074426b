"""Who may book what in the demonstration: a training, a few limits, and a company that was suspended for a while."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from equipment import limiting, policies, qualifying
from equipment.limits import Limit, Reach
from equipment.models import ApprovalMode, Equipment, Lab, LimitSubject, Period
from equipment.scopes import Level, find_scope
from members import queries as members
from members import standing
from members.actor import Actor
from members.models import SuspensionCode
from web.demo.people import HUST, LABS


def load_access(session: Session, *, now: datetime) -> None:
    """Through the verbs of the lab and of the zone's office."""
    manager, office = _actor(session, "lab@example.com"), _actor(session, "zone@example.com")
    lab = session.scalars(
        select(Lab).where(Lab.name_zh == LABS[HUST], Lab.organisation.has(name_zh=HUST))
    ).one()  # fmt: skip
    scope = find_scope(session, manager, Level.LAB, lab.public_id)
    _limit(session, manager, office, lab, now)
    _train(session, manager, lab, now)
    _begin(session)
    qualifying.grant(
        session, manager, scope, email="researcher@example.com", subject="", now=now - timedelta(days=380),
        expires_on=(now - timedelta(days=15)).date(),
    )  # fmt: skip
    _begin(session)
    company = members.get_organisation_by_code(session, "DEMO-CL").public_id
    standing.suspend(
        session, office, company, code=SuspensionCode.UNPAID, until=now - timedelta(days=12),
        words="三张发票逾期 60 天", now=now - timedelta(days=30),
    )  # fmt: skip


def _limit(session: Session, manager: Actor, office: Actor, lab: Lab, now: datetime) -> None:
    _begin(session)
    place = limiting.place_of(find_scope(session, manager, Level.LAB, lab.public_id))
    limits = [Limit(Reach.LAB, LimitSubject.PERSON, Period.DAY, 4, None)]
    limiting.set_limits(session, manager, place, limits, now=now)
    _begin(session)
    wide = [Limit(Reach.ZONE, LimitSubject.COMPANY, Period.MONTH, 300, None)]
    limiting.set_limits(session, office, limiting.ZONE, wide, now=now)


def _train(session: Session, manager: Actor, lab: Lab, now: datetime) -> None:
    """The lab's last instrument is for trained people: one has the training, one asks for it."""
    of_lab = Equipment.lab_id == lab.id, Equipment.is_bookable, Equipment.approval_mode == ApprovalMode.LAB
    entry = session.scalars(select(Equipment).where(*of_lab).order_by(Equipment.id.desc()).limit(1)).one()
    _begin(session)
    scope = find_scope(session, manager, Level.EQUIPMENT, entry.public_id)
    own = policies.get_own_rules(session, scope) | {"needs_qualification": True}
    policies.set_rules(session, manager, scope, own, now=now)
    of_the_lab = find_scope(session, manager, Level.LAB, lab.public_id)
    _begin(session)
    qualifying.grant(
        session, manager, of_the_lab, email="startup@example.com", subject=str(entry.public_id), now=now,
        expires_on=(now + timedelta(days=300)).date(),
    )  # fmt: skip
    _begin(session)
    member = _actor(session, "member@example.com")
    qualifying.ask(session, member, entry.public_id, words="镀膜断面形貌，每周约 2 次，周三、周四方便培训", now=now)


def _begin(session: Session) -> None:
    """Several verbs in one unit of work: each begins the order of locks anew."""
    session.info["lock_rank"] = 0


def _actor(session: Session, email: str) -> Actor:
    person = members.find_person_by_email(session, email)
    actor = members.get_actor(session, person.id) if person else None
    assert actor is not None, email
    return actor
