"""JSON under `/api/v1`: limits of booking, and qualifications of people."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import Forbidden
from core.i18n import Lang
from core.middleware import SafeRoute
from core.shapes import In, LongText, Out
from equipment import limiting, qualifying
from equipment.limiting import ZONE, Place
from equipment.limits import KEYS, Limit
from equipment.models import LimitSubject, Period
from equipment.qualification_words import qualification_row
from equipment.qualifying import Row
from equipment.scopes import Level, find_scope
from members.access import Caller, SignedIn, allowed
from members.models import Role

router = APIRouter(prefix="/api/v1", tags=["access"], route_class=SafeRoute)
Manager = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.ZONE_ADMIN))]
Zone = Annotated[Caller, Depends(allowed(Role.ZONE_ADMIN, Role.AUDITOR))]
BookingsIn = Annotated[int, Field(ge=1, le=limiting.BOOKINGS_MOST, strict=True)]
MinutesIn = Annotated[int, Field(ge=1, le=limiting.MINUTES_MOST, strict=True)]


class LimitIn(In):
    subject: LimitSubject
    period: Period
    bookings_max: BookingsIn | None = None
    minutes_max: MinutesIn | None = None


class LimitsIn(In):
    """All limits of a place: what is not among them is no limit any more."""

    limits: Annotated[list[LimitIn], Field(max_length=len(KEYS))]
    #: As it was read; left out: whatever stands there.
    seen: Annotated[str, Field(max_length=40)] = ""


class LimitOut(Out):
    subject: str
    period: str
    bookings_max: int | None
    minutes_max: int | None


class LimitsOut(Out):
    limits: list[LimitOut]
    seen: str

    @classmethod
    def of(cls, limits: list[Limit]) -> Self:
        return cls(limits=[LimitOut.model_validate(limit) for limit in limits], seen=limiting.mark_of(limits))


class QualificationIn(In):
    email: Annotated[str, Field(max_length=254)]
    #: An instrument's id, `category:<slug>`, or empty for all instruments of the lab.
    subject: Annotated[str, Field(max_length=60)] = ""
    expires_on: date | None = None


class TrainingIn(In):
    words: LongText = ""


class QualificationOut(Out):
    """`standing`: asked, valid, expired, ended."""

    id: UUID
    person: str
    email: str
    subject: str
    equipment_id: UUID | None
    category: str
    lab_id: UUID
    standing: str
    requested_at: datetime | None
    granted_at: datetime | None
    granted_by: str
    expires_on: date | None
    ended_at: datetime | None

    @classmethod
    def of(cls, row: Row, lang: Lang, now: datetime) -> Self:
        line = qualification_row(row, lang, now)
        held = row.qualification
        return cls(
            id=held.public_id, person=line["who"], email=line["email"], subject=line["subject"],
            equipment_id=row.entry_public_id, category=held.category, lab_id=row.lab.public_id,
            standing=line["standing"], requested_at=held.requested_at, granted_at=held.granted_at,
            granted_by=line["granted_by"], expires_on=held.expires_on, ended_at=held.ended_at,
        )  # fmt: skip


class QualificationPage(Out):
    items: list[QualificationOut]


@router.get("/equipment/{equipment_id}/limits")
def get_limits_of_instrument(equipment_id: UUID, caller: Manager) -> LimitsOut:
    return _read_limits(caller, Level.EQUIPMENT, equipment_id)


@router.put("/equipment/{equipment_id}/limits", response_model=LimitsOut)
def set_limits_of_instrument(equipment_id: UUID, body: LimitsIn, caller: Manager) -> Response:
    return _set_limits(caller, body, Level.EQUIPMENT, equipment_id)


@router.get("/labs/{lab_id}/limits")
def get_limits_of_lab(lab_id: UUID, caller: Manager) -> LimitsOut:
    return _read_limits(caller, Level.LAB, lab_id)


@router.put("/labs/{lab_id}/limits", response_model=LimitsOut)
def set_limits_of_lab(lab_id: UUID, body: LimitsIn, caller: Manager) -> Response:
    return _set_limits(caller, body, Level.LAB, lab_id)


@router.get("/zone/limits")
def get_limits_of_zone(caller: Zone) -> LimitsOut:
    return _read_limits(caller)


@router.put("/zone/limits", response_model=LimitsOut)
def set_limits_of_zone(body: LimitsIn, caller: Zone) -> Response:
    if not caller.actor.has(Role.ZONE_ADMIN):
        raise Forbidden
    return _set_limits(caller, body)


@router.get("/labs/{lab_id}/qualifications")
def list_qualifications(
    lab_id: UUID, caller: Manager, q: Annotated[str, Query(max_length=100)] = "",
) -> QualificationPage:  # fmt: skip
    """Who asks for a training, then who has one, the newest first; at most 200."""
    with caller.read() as session:
        scope = find_scope(session, caller.actor, Level.LAB, lab_id)
        rows = [*qualifying.find_asked(session, scope.id), *qualifying.find_of_lab(session, scope.id, q=q, limit=200)]
    return QualificationPage(items=[QualificationOut.of(row, caller.lang, caller.now) for row in rows])


@router.post("/labs/{lab_id}/qualifications", status_code=201, response_model=QualificationOut)
def grant_qualification(lab_id: UUID, body: QualificationIn, caller: Manager) -> Response:
    """The same again renews it."""

    def act(session: Session) -> QualificationOut:
        scope = find_scope(session, caller.actor, Level.LAB, lab_id)
        row = qualifying.grant(
            session, caller.actor, scope, email=body.email, subject=body.subject, expires_on=body.expires_on,
            now=caller.now,
        )  # fmt: skip
        return QualificationOut.of(qualifying.get_row(session, row.id), caller.lang, caller.now)

    return caller.answer_once(201, act)


@router.delete("/labs/{lab_id}/qualifications/{qualification_id}", response_model=QualificationOut)
def end_qualification(lab_id: UUID, qualification_id: UUID, caller: Manager) -> Response:
    """Revoke what was granted, or decline what was asked for."""

    def act(session: Session) -> QualificationOut:
        scope = find_scope(session, caller.actor, Level.LAB, lab_id)
        row = qualifying.end(session, caller.actor, scope, qualification_id, now=caller.now)
        return QualificationOut.of(qualifying.get_row(session, row.id), caller.lang, caller.now)

    return caller.answer_once(200, act)


@router.get("/me/qualifications")
def list_own_qualifications(caller: SignedIn) -> QualificationPage:
    with caller.read() as session:
        rows = qualifying.find_of_person(session, caller.actor.person_id)
    return QualificationPage(items=[QualificationOut.of(row, caller.lang, caller.now) for row in rows])


@router.post("/equipment/{equipment_id}/training", status_code=201, response_model=QualificationOut)
def ask_for_training(equipment_id: UUID, caller: SignedIn, body: TrainingIn | None = None) -> Response:
    words = body.words if body else ""

    def act(session: Session) -> QualificationOut:
        row = qualifying.ask(session, caller.actor, equipment_id, words=words, now=caller.now)
        return QualificationOut.of(qualifying.get_row(session, row.id), caller.lang, caller.now)

    return caller.answer_once(201, act)


def _place(session: Session, caller: Caller, level: Level | None, public_id: UUID | None) -> Place:
    if level is None or public_id is None:
        return ZONE
    return limiting.place_of(find_scope(session, caller.actor, level, public_id))


def _read_limits(caller: Caller, level: Level | None = None, public_id: UUID | None = None) -> LimitsOut:
    with caller.read() as session:
        return LimitsOut.of(limiting.find_own_limits(session, _place(session, caller, level, public_id)))


def _set_limits(caller: Caller, body: LimitsIn, level: Level | None = None, public_id: UUID | None = None) -> Response:
    def act(session: Session) -> LimitsOut:
        place = _place(session, caller, level, public_id)
        limits = [Limit(place.reach, one.subject, one.period, one.bookings_max, one.minutes_max) for one in body.limits]
        limiting.set_limits(session, caller.actor, place, limits, now=caller.now, seen=body.seen)
        return LimitsOut.of(limiting.find_own_limits(session, place))

    return caller.answer_once(200, act)
