"""A small cast with an instrument, and bookings in any state, written straight into the tables."""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from booking import notices, queries
from booking.models import Booking, BookingEvent, Source, State
from equipment.bookable import get_bookable
from equipment.models import Equipment, Lab, LabStaff, OpeningHours, Unit
from members.models import Membership, Organisation, OrganisationKind, Person, Role

#: A Monday, 10:00 in Shanghai.
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@dataclass
class Cast:
    """A startup's owner and member, a lab's manager and operator, and what the lab lends."""

    university: Organisation
    startup: Organisation
    owner: Person
    member: Person
    manager: Person
    operator: Person
    lab: Lab
    equipment: Equipment
    unit: Unit


def make_person(session: Session, name: str, email: str, locale: str = "zh-CN") -> Person:
    person = Person(email=email, name=name, password_hash="-", locale=locale, created_at=NOW)
    session.add(person)
    session.flush()
    return person


def make_organisation(session: Session, kind: OrganisationKind, name_zh: str, name_en: str) -> Organisation:
    organisation = Organisation(kind=kind, code=secrets.token_hex(6), name_zh=name_zh, name_en=name_en)
    session.add(organisation)
    session.flush()
    return organisation


def make_cast(session: Session, *, locale: str = "zh-CN") -> Cast:
    university = make_organisation(
        session, OrganisationKind.UNIVERSITY, "江城理工大学", "Jiangcheng Institute of Technology"
    )
    startup = make_organisation(session, OrganisationKind.COMPANY, "星环传感", "Starloop Sensors")
    owner = make_person(session, "陈晓", "owner@example.com", locale)
    member = make_person(session, "李想", "member@example.com", locale)
    manager = make_person(session, "王敏", "lab@example.com", locale)
    operator = make_person(session, "赵强", "operator@example.com", locale)
    for person, organisation, role in (
        (owner, startup, Role.STARTUP_OWNER),
        (member, startup, Role.STARTUP_MEMBER),
        (manager, university, Role.LAB_MANAGER),
        (operator, university, Role.LAB_OPERATOR),
    ):
        session.add(Membership(person_id=person.id, organisation_id=organisation.id, role=role))
    lab = Lab(
        organisation_id=university.id,
        name_zh="表面分析🔬实验室",
        name_en="Surface Analysis Lab",
        address="江城市科技路 1 号，B 座 203",
    )
    session.add(lab)
    session.flush()
    for person in (manager, operator):
        session.add(LabStaff(lab_id=lab.id, person_id=person.id))
    equipment = make_equipment(session, university, lab)
    unit = Unit(equipment_id=equipment.id, label="")
    session.add(unit)
    session.flush()
    return Cast(university, startup, owner, member, manager, operator, lab, equipment, unit)


def make_equipment(session: Session, owner: Organisation, lab: Lab, **changes: Any) -> Equipment:
    """Open Monday to Friday, 8:30-12:00 and 14:00-17:30."""
    values: dict[str, Any] = {
        "owner_id": owner.id,
        "operator_id": owner.id,
        "supervisor_id": owner.id,
        "payee_id": owner.id,
        "lab_id": lab.id,
        "asset_number": secrets.token_hex(4),
        "name_zh": "场发射扫描电子显微镜, GeminiSEM 500; 𠮷",
        "name_en": "Field emission SEM GeminiSEM 500",
        "category": "electron-microscopy",
        "is_bookable": True,
        "updated_at": NOW,
    }
    equipment = Equipment(**(values | changes))
    session.add(equipment)
    session.flush()
    for weekday in range(5):
        for opens, closes in ((510, 720), (840, 1050)):
            session.add(
                OpeningHours(equipment_id=equipment.id, weekday=weekday, opens_minute=opens, closes_minute=closes)
            )
    session.flush()
    return equipment


def make_booking(session: Session, cast: Cast, **changes: Any) -> Booking:
    """A whole booking of the startup's member, three days from NOW for two hours, approved unless said otherwise."""
    starts_at = changes.pop("starts_at", NOW + timedelta(days=3))
    values: dict[str, Any] = {
        "equipment_id": cast.equipment.id,
        "unit_id": cast.unit.id,
        "organisation_id": cast.startup.id,
        "person_id": cast.member.id,
        "state": State.APPROVED,
        "source": Source.WEB,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=2),
        "requested_at": NOW,
        "tier": "startup",
        "price_fen": 80_000,
        "voucher_fen": 24_000,
        "own_fen": 56_000,
        "payee_id": cast.university.id,
        "calendar_uid": secrets.token_hex(16),
    }
    booking = Booking(**(values | changes))
    session.add(booking)
    session.flush()
    add_event(session, booking, "requested", State.REQUESTED)
    return queries.get_booking_by_id(session, booking.id)


def add_event(session: Session, booking: Booking, verb: str, to: State, at: datetime = NOW) -> None:
    session.add(BookingEvent(booking_id=booking.id, at=at, verb=verb, to_state=to))
    session.flush()


def shanghai(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant by the clock in Shanghai, which has no summer time."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def first_of(year: int, month: int) -> date:
    return date(year, month, 1)


def tell_placed(session: Session, booking: Booking, now: datetime = NOW) -> None:
    """The notices of a new booking, as `service.place_booking` gives them."""
    entry = get_bookable(session, booking.equipment_id, booking.slot)
    holder = notices.Recipient(booking.person.id, booking.person.email, booking.person.locale)
    notices.placed(session, booking, holder, entry, now)
