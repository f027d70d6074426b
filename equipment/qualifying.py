"""Who is trained on what: asked for, granted, ended. A lab grants; it holds on instruments that ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.db import lock_rows
from equipment.categories import CATEGORIES
from equipment.errors import (
    LabNotFound,
    QualificationDateInvalid,
    QualificationEnded,
    QualificationNotFound,
    QualificationScopeInvalid,
    TrainingNotNeeded,
)
from equipment.models import Equipment, Lab, Qualification
from equipment.queries import find_lab_ids_run_by
from equipment.scopes import Level, Scope
from members import audit, notes
from members import queries as members
from members.actor import Actor
from members.models import Note, Organisation, Person, Role


class Standing(StrEnum):
    """Where a qualification stands on a day."""

    ASKED = "asked"
    VALID = "valid"
    EXPIRED = "expired"
    ENDED = "ended"
    """Revoked, or declined."""


@dataclass(frozen=True)
class Subject:
    """What a qualification is for: an instrument, else a category, else all of the lab."""

    equipment_id: int | None = None
    category: str = ""


class Row(NamedTuple):
    """A qualification with the names that stand behind it."""

    qualification: Qualification
    person: Person
    entry_zh: str | None
    entry_en: str | None
    entry_public_id: UUID | None
    lab: Lab
    granted_by: str | None
    ended_by: str | None
    words: str | None


def standing_of(row: Qualification, today: date) -> Standing:
    """Pure."""
    if row.ended_at is not None:
        return Standing.ENDED
    if row.granted_at is None:
        return Standing.ASKED
    return Standing.EXPIRED if row.expires_on is not None and row.expires_on < today else Standing.VALID


def find_held(session: Session, person_id: int, entry_id: int, category: str, lab_id: int) -> list[Qualification]:
    """What somebody was granted for an instrument and keeps, expired or not. One statement."""
    covering = or_(
        Qualification.equipment_id == entry_id,
        and_(Qualification.equipment_id.is_(None), Qualification.category.in_(("", category))),
    )
    return list(
        session.scalars(
            select(Qualification).where(
                Qualification.person_id == person_id, Qualification.lab_id == lab_id, covering,
                Qualification.granted_at.is_not(None), Qualification.ended_at.is_(None),
            )
        )
    )  # fmt: skip


def find_of_lab(session: Session, lab_id: int, *, q: str = "", after: int | None = None, limit: int = 50) -> list[Row]:
    """A lab's, the newest first; what is asked for stands in `find_asked`."""
    statement = _rows().where(Qualification.lab_id == lab_id, Qualification.granted_at.is_not(None))
    if q:
        statement = statement.where(
            or_(Person.name.contains(q, autoescape=True), Person.email.contains(q.lower(), autoescape=True))
        )
    if after is not None:
        statement = statement.where(Qualification.id < after)
    return [Row(*row) for row in session.execute(statement.order_by(Qualification.id.desc()).limit(limit))]


def find_asked(session: Session, lab_id: int) -> list[Row]:
    """Who waits for a training of a lab, the first first."""
    asked = Qualification.granted_at.is_(None), Qualification.ended_at.is_(None)
    statement = _rows().where(Qualification.lab_id == lab_id, *asked)
    return [Row(*row) for row in session.execute(statement.order_by(Qualification.id).limit(200))]


def find_of_person(session: Session, person_id: int) -> list[Row]:
    """One's own, the newest first, without what was ended."""
    statement = _rows().where(Qualification.person_id == person_id, Qualification.ended_at.is_(None))
    return [Row(*row) for row in session.execute(statement.order_by(Qualification.id.desc()).limit(200))]


def get_row(session: Session, qualification_id: int) -> Row:
    return Row(*session.execute(_rows().where(Qualification.id == qualification_id)).one())


def count_asked(session: Session, lab_ids: Sequence[int]) -> dict[int, int]:
    """How many wait for a training, by lab."""
    rows = session.execute(
        select(Qualification.lab_id, func.count())
        .where(Qualification.lab_id.in_(lab_ids), Qualification.granted_at.is_(None), Qualification.ended_at.is_(None))
        .group_by(Qualification.lab_id)
    )
    return {lab_id: number for lab_id, number in rows}  # noqa: C416 - rows are not pairs to mypy


def read_subject(session: Session, lab_id: int, text: str) -> Subject:
    """Nothing (all of the lab), `category:<slug>` or an instrument's id. Raises QualificationScopeInvalid."""
    if not text:
        return Subject()
    kind, _, rest = text.partition(":")
    if kind == "category" and rest in CATEGORIES:
        return Subject(category=rest)
    try:
        public_id = UUID(text)
    except ValueError as error:
        raise QualificationScopeInvalid(field="subject") from error
    entry_id = session.scalar(select(Equipment.id).where(Equipment.public_id == public_id, Equipment.lab_id == lab_id))
    if entry_id is None:
        raise QualificationScopeInvalid(field="subject")
    return Subject(entry_id)


def grant(
    session: Session, actor: Actor, scope: Scope, *, email: str, subject: str, expires_on: date | None, now: datetime
) -> Qualification:
    """A lab says that somebody is trained. Who asked for it is answered by it; the same again renews it.

    Raises PersonNotFound, QualificationScopeInvalid, QualificationDateInvalid.
    """
    lab = _lab_of(session, scope)
    person, _grant = members.get_booker_by_email(session, email)
    wanted = read_subject(session, lab.id, subject)
    lock_rows(session, Organisation, [lab.organisation_id])
    row = _find_open(session, person.id, lab.id, wanted) or Qualification(
        lab_id=lab.id, person_id=person.id, equipment_id=wanted.equipment_id, category=wanted.category
    )
    return _grant_row(session, actor, lab, row, expires_on, now)


def answer(
    session: Session, actor: Actor, scope: Scope, public_id: UUID, *, expires_on: date | None, now: datetime
) -> Qualification:
    """Grant what was asked for, or renew it until another day.

    Raises QualificationNotFound, QualificationEnded, QualificationDateInvalid.
    """
    lab = _lab_of(session, scope)
    lock_rows(session, Organisation, [lab.organisation_id])
    return _grant_row(session, actor, lab, _get_open(session, lab, public_id), expires_on, now)


def end(session: Session, actor: Actor, scope: Scope, public_id: UUID, *, now: datetime) -> Qualification:
    """Revoke what was granted, or decline what was asked for. What is booked stays.

    Raises QualificationNotFound, QualificationEnded.
    """
    lab = _lab_of(session, scope)
    lock_rows(session, Organisation, [lab.organisation_id])
    row = _get_open(session, lab, public_id)
    row.ended_by_id, row.ended_at = actor.person_id, now
    _record(session, actor, lab, row, "ended", now)
    session.flush()
    return row


def ask(session: Session, actor: Actor, equipment_id: UUID, *, words: str, now: datetime) -> Qualification:
    """Somebody who may book asks for a training on an instrument. Raises TrainingNotNeeded, NoteTooLong."""
    entry = session.scalars(select(Equipment).where(Equipment.public_id == equipment_id)).one_or_none()
    if entry is None or not entry.needs_qualification:
        raise TrainingNotNeeded
    lab = session.get_one(Lab, entry.lab_id)
    lock_rows(session, Organisation, [lab.organisation_id])
    today = local_today(lab, now)
    held = find_held(session, actor.person_id, entry.id, entry.category, lab.id)
    has_one = any(standing_of(row, today) is Standing.VALID for row in held)
    if has_one or find_waiting(session, actor.person_id, entry.id):
        raise TrainingNotNeeded
    note = notes.write(session, words, person_id=actor.person_id, now=now, field="words") if words.strip() else None
    row = Qualification(
        lab_id=lab.id, equipment_id=entry.id, person_id=actor.person_id, requested_at=now,
        note_id=note.id if note else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _record(session, actor, lab, row, "requested", now, note=note)
    return row


def find_waiting(session: Session, person_id: int, entry_id: int) -> Qualification | None:
    """What somebody asked for on an instrument and waits for."""
    return session.scalars(
        select(Qualification).where(
            Qualification.person_id == person_id, Qualification.equipment_id == entry_id,
            Qualification.granted_at.is_(None), Qualification.ended_at.is_(None),
        )
    ).first()  # fmt: skip


def may_ask(actor: Actor | None) -> bool:
    """People who book."""
    return actor is not None and actor.has(Role.STARTUP_OWNER, Role.STARTUP_MEMBER, Role.RESEARCHER)


def find_lab_scopes(session: Session, actor: Actor) -> list[Lab]:
    """The labs whose people somebody looks after."""
    ids = find_lab_ids_run_by(session, actor.person_id)
    return list(session.scalars(select(Lab).where(Lab.id.in_(ids)).order_by(Lab.id)))


def local_today(lab: Lab, now: datetime) -> date:
    return now.astimezone(ZoneInfo(lab.zone)).date()


def _grant_row(
    session: Session, actor: Actor, lab: Lab, row: Qualification, expires_on: date | None, now: datetime
) -> Qualification:
    if expires_on is not None and expires_on < local_today(lab, now):
        raise QualificationDateInvalid(field="expires_on")
    row.granted_by_id, row.granted_at, row.expires_on = actor.person_id, now, expires_on
    session.add(row)
    session.flush()
    _record(session, actor, lab, row, "granted", now)
    return row


def _find_open(session: Session, person_id: int, lab_id: int, subject: Subject) -> Qualification | None:
    return session.scalars(
        select(Qualification)
        .where(
            Qualification.person_id == person_id, Qualification.lab_id == lab_id,
            Qualification.equipment_id.is_not_distinct_from(subject.equipment_id),
            Qualification.category == subject.category, Qualification.ended_at.is_(None),
        )
        .order_by(Qualification.id)
    ).first()  # fmt: skip


def _get_open(session: Session, lab: Lab, public_id: UUID) -> Qualification:
    row = session.scalars(
        select(Qualification).where(Qualification.public_id == public_id, Qualification.lab_id == lab.id)
    ).one_or_none()
    if row is None:
        raise QualificationNotFound
    if row.ended_at is not None:
        raise QualificationEnded
    return row


def _lab_of(session: Session, scope: Scope) -> Lab:
    if scope.level is not Level.LAB:
        raise LabNotFound
    return session.get_one(Lab, scope.id)


def _rows() -> Select[*tuple[Any, ...]]:
    granter, ender = aliased(Person), aliased(Person)
    return (
        select(
            Qualification, Person, Equipment.name_zh, Equipment.name_en, Equipment.public_id, Lab, granter.name,
            ender.name, Note.body,
        )
        .join(Person, Person.id == Qualification.person_id)
        .join(Lab, Lab.id == Qualification.lab_id)
        .outerjoin(Equipment, Equipment.id == Qualification.equipment_id)
        .outerjoin(granter, granter.id == Qualification.granted_by_id)
        .outerjoin(ender, ender.id == Qualification.ended_by_id)
        .outerjoin(Note, Note.id == Qualification.note_id)
    )  # fmt: skip


def _record(
    session: Session, actor: Actor, lab: Lab, row: Qualification, verb: str, now: datetime, note: Note | None = None
) -> None:
    audit.record(
        session, actor=actor, action=f"qualification_{verb}", object=f"qualification:{row.public_id}", now=now,
        organisation_id=lab.organisation_id, note=note,
        data={"person_id": row.person_id, "equipment_id": row.equipment_id, "category": row.category or None,
              "expires_on": row.expires_on},
    )  # fmt: skip
