"""Every SELECT of the package."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    cast,
    extract,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from booking.errors import BookingNotFound
from booking.limits import Had, Who
from booking.models import Awaiting, Booking, BookingEvent, Occupancy, OccupancyKind, State, Visit
from booking.permissions import Acting
from booking.states import COUNTED, LIVE
from core.db import Instant, one_of_named
from core.slot import Slot
from equipment.limits import Limit, Reach
from equipment.models import Equipment, Lab, LimitSubject, Unit
from members.actor import Actor
from members.models import Note, Organisation, Person, Role


class Busy(NamedTuple):
    """Time taken on a unit, for timelines: a claim or a block, or past use."""

    id: int
    unit_id: int
    starts_at: datetime
    ends_at: datetime
    kind: OccupancyKind
    #: When a claim that waits for somebody ends by itself.
    expires_at: datetime | None
    state: State | None
    booking_id: int | None
    booking_public_id: UUID | None
    organisation_id: int | None
    note_id: int | None
    #: What was booked, without its buffers; None for blocks and past use.
    booked_from: datetime | None = None
    booked_till: datetime | None = None
    person_id: int | None = None
    version: int | None = None
    held_for_id: int | None = None

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended by itself."""
        return self.expires_at is not None and self.expires_at <= now

    def gives_way(self, now: datetime, person_id: int | None) -> bool:
        """Whether it does not count for a person: it has ended, or is the person's own hold."""
        return self.is_over(now) or (person_id is not None and self.held_for_id == person_id)

    @property
    def booked(self) -> Slot:
        """The booking without its buffers, or all of it where there is no booking."""
        return Slot(self.booked_from, self.booked_till) if self.booked_from and self.booked_till else self.slot


class BookingKeys(NamedTuple):
    """What must be known of a booking before its rows are locked."""

    id: int
    organisation_id: int
    unit_id: int
    equipment_id: int


def get_keys(session: Session, public_id: UUID) -> BookingKeys:
    row = session.execute(
        select(Booking.id, Booking.organisation_id, Booking.unit_id, Booking.equipment_id).where(
            Booking.public_id == public_id
        )
    ).one_or_none()
    if row is None:
        raise BookingNotFound
    return BookingKeys(*row)


def whole_booking() -> Select[Booking]:
    """A booking with all that pages and mails say of it, in one statement."""
    return select(Booking).options(
        joinedload(Booking.equipment).joinedload(Equipment.lab).joinedload(Lab.organisation),
        joinedload(Booking.equipment).joinedload(Equipment.owner),
        joinedload(Booking.unit),
        joinedload(Booking.organisation),
        joinedload(Booking.payee),
        joinedload(Booking.person),
        joinedload(Booking.visit),
    )


def get_booking(session: Session, public_id: UUID) -> Booking:
    booking = session.scalars(whole_booking().where(Booking.public_id == public_id)).one_or_none()
    if booking is None:
        raise BookingNotFound
    return booking


def get_booking_by_id(session: Session, booking_id: int) -> Booking:
    """A booking as it is now, whole."""
    statement = whole_booking().where(Booking.id == booking_id)
    return session.scalars(statement, execution_options={"populate_existing": True}).one()


class Title(NamedTuple):
    """What a booking is called where only its reference is known."""

    name_zh: str
    name_en: str
    model: str
    slot: Slot


def find_titles(session: Session, public_ids: Iterable[UUID]) -> dict[UUID, Title]:
    """Instrument and slot of bookings, by public id."""
    statement = (
        select(
            Booking.public_id, Equipment.name_zh, Equipment.name_en, Equipment.model, Booking.starts_at, Booking.ends_at
        )
        .join(Equipment, Equipment.id == Booking.equipment_id)
        .where(Booking.public_id.in_(set(public_ids)))
    )
    rows = session.execute(statement)
    return {key: Title(zh, en, model, Slot(start, end)) for key, zh, en, model, start, end in rows}


def find_busy(session: Session, unit_ids: Sequence[int], window: Slot) -> list[Busy]:
    """Claims and blocks on units that overlap a window, in order of start; also what has expired and not gone yet."""
    asked = {"units": list(unit_ids), "starts_at": window.starts_at, "ends_at": window.ends_at}
    connection = session.connection()
    return [Busy(*row) for row in connection.execute(_busy(connection.dialect.name), asked)]


@cache
def _busy(dialect: str) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Occupancy.id,
            Occupancy.unit_id,
            Occupancy.starts_at,
            Occupancy.ends_at,
            Occupancy.kind,
            Occupancy.expires_at,
            Booking.state,
            Booking.id,
            Booking.public_id,
            Booking.organisation_id,
            Occupancy.note_id,
            Booking.starts_at,
            Booking.ends_at,
            Booking.person_id,
            Booking.version,
            Occupancy.held_for_id,
        )
        .outerjoin(Booking, Booking.id == Occupancy.booking_id)
        .where(
            one_of_named(dialect, Occupancy.unit_id, "units"),
            Occupancy.starts_at < bindparam("ends_at", type_=Instant),
            Occupancy.ends_at > bindparam("starts_at", type_=Instant),
        )
        .order_by(Occupancy.starts_at, Occupancy.id)
    )


def find_taken_minutes(
    session: Session, unit_ids: Sequence[int], window: Slot, *, now: datetime
) -> dict[int, list[tuple[int, int]]]:
    """What is taken on units in a window, in minutes since 1970, rounded outwards. One index holds all of it."""
    statement = _taken_minutes(session.get_bind().dialect.name)
    asked = {"units": list(unit_ids), "starts_at": window.starts_at, "ends_at": window.ends_at, "now": now}
    taken: dict[int, list[tuple[int, int]]] = {}
    for unit_id, start, end in session.execute(statement, asked):
        taken.setdefault(unit_id, []).append((start, end))
    return taken


@cache
def _taken_minutes(dialect: str) -> Select[int, int, int]:
    if dialect == "postgresql":
        start: ColumnElement[int] = cast(func.floor(extract("epoch", Occupancy.starts_at) / 60), BigInteger)
        end: ColumnElement[int] = cast(func.ceil(extract("epoch", Occupancy.ends_at) / 60), BigInteger)
    else:
        start = type_coerce(Occupancy.starts_at, BigInteger) // literal_column("60000000", BigInteger)
        end = (type_coerce(Occupancy.ends_at, BigInteger) + 59_999_999) // literal_column("60000000", BigInteger)
    return select(Occupancy.unit_id, start, end).where(
        one_of_named(dialect, Occupancy.unit_id, "units"),
        Occupancy.ends_at > bindparam("starts_at", type_=Instant),
        Occupancy.starts_at < bindparam("ends_at", type_=Instant),
        or_(Occupancy.expires_at.is_(None), Occupancy.expires_at > bindparam("now", type_=Instant)),
    )


def find_past_use(session: Session, unit_ids: Sequence[int], window: Slot) -> list[Busy]:
    """Completed visits in a window, in order of start: their claims are gone, the timeline still shows them."""
    statement = (
        select(
            Booking.unit_id,
            Visit.checked_in_at,
            Visit.checked_out_at,
            Booking.state,
            Booking.id,
            Booking.public_id,
            Booking.organisation_id,
        )
        .join(Visit, Visit.booking_id == Booking.id)
        .where(
            Booking.unit_id.in_(unit_ids),
            Booking.state == State.COMPLETED,
            Visit.checked_in_at < window.ends_at,
            Visit.checked_out_at > window.starts_at,
        )
        .order_by(Visit.checked_in_at)
    )
    return [
        Busy(0, unit, start, end, OccupancyKind.BOOKING, None, state, key, public, organisation, None)
        for unit, start, end, state, key, public, organisation in session.execute(statement)
        if end is not None and start < end
    ]


@dataclass(frozen=True)
class BookingFilter:
    """Which bookings a list shows. None: no limit."""

    states: frozenset[State] | None = None
    awaiting: Awaiting | None = None
    person_id: int | None = None
    organisation_ids: frozenset[int] | None = None
    lab_ids: frozenset[int] | None = None
    equipment_id: int | None = None
    starts_before: datetime | None = None
    ends_after: datetime | None = None
    #: Ended at that instant or earlier.
    ends_before: datetime | None = None
    newest_first: bool = False


def visible_to(actor: Actor, lab_ids: frozenset[int]) -> ColumnElement[bool] | None:
    """The rows that an actor may see, as a condition; None for those who see all. Twin of `permissions.may_see`."""
    if actor.has(Role.FINANCE_OFFICER, Role.ZONE_ADMIN, Role.AUDITOR):
        return None
    parts: list[ColumnElement[bool]] = [Booking.person_id == actor.person_id]
    if startups := actor.organisation_ids(Role.STARTUP_OWNER, Role.STARTUP_MEMBER):
        parts.append(Booking.organisation_id.in_(startups))
    if lab_ids and actor.has(Role.LAB_MANAGER, Role.LAB_OPERATOR):
        parts.append(Booking.equipment_id.in_(select(Equipment.id).where(Equipment.lab_id.in_(lab_ids))))
    return or_(*parts)


def find_bookings(
    session: Session,
    wanted: BookingFilter,
    *,
    visible: ColumnElement[bool] | None = None,
    limit: int = 50,
    after: tuple[datetime, int] | None = None,
) -> list[Booking]:
    """Whole bookings in order of start (or newest first), after a position (start, id)."""
    statement = whole_booking().where(*_conditions(wanted))
    if visible is not None:
        statement = statement.where(visible)
    if wanted.newest_first:
        if after:
            statement = statement.where(
                or_(Booking.starts_at < after[0], and_(Booking.starts_at == after[0], Booking.id < after[1]))
            )
        statement = statement.order_by(Booking.starts_at.desc(), Booking.id.desc())
    else:
        if after:
            statement = statement.where(
                or_(Booking.starts_at > after[0], and_(Booking.starts_at == after[0], Booking.id > after[1]))
            )
        statement = statement.order_by(Booking.starts_at, Booking.id)
    return list(session.scalars(statement.limit(limit)))


def count_bookings(session: Session, wanted: BookingFilter, *, visible: ColumnElement[bool] | None = None) -> int:
    statement = select(func.count()).select_from(Booking).where(*_conditions(wanted))
    if visible is not None:
        statement = statement.where(visible)
    return session.scalar(statement) or 0


def _conditions(wanted: BookingFilter) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if wanted.states is not None:
        parts.append(Booking.state.in_(wanted.states))
    if wanted.awaiting is not None:
        parts.append(Booking.awaiting == wanted.awaiting)
    if wanted.person_id is not None:
        parts.append(Booking.person_id == wanted.person_id)
    if wanted.organisation_ids is not None:
        parts.append(Booking.organisation_id.in_(wanted.organisation_ids))
    if wanted.lab_ids is not None:
        parts.append(Booking.equipment_id.in_(select(Equipment.id).where(Equipment.lab_id.in_(wanted.lab_ids))))
    if wanted.equipment_id is not None:
        parts.append(Booking.equipment_id == wanted.equipment_id)
    if wanted.starts_before is not None:
        parts.append(Booking.starts_at < wanted.starts_before)
    if wanted.ends_after is not None:
        parts.append(Booking.ends_at > wanted.ends_after)
    if wanted.ends_before is not None:
        parts.append(Booking.ends_at <= wanted.ends_before)
    return parts


def waits_for(actor: Actor, lab_ids: frozenset[int], acting: Acting) -> ColumnElement[bool]:
    """Requests on which somebody decides now, as a condition. Twin of `permissions.may_decide`."""
    run = (lab_ids if actor.has(Role.LAB_MANAGER) else frozenset()) | acting.labs.keys()
    owned = actor.organisation_ids(Role.STARTUP_OWNER)
    in_place = Booking.organisation_id.in_(acting.startups.keys()) & (Booking.person_id != actor.person_id)
    return and_(
        Booking.state == State.REQUESTED,
        or_(
            (Booking.awaiting == Awaiting.LAB)
            & Booking.equipment_id.in_(select(Equipment.id).where(Equipment.lab_id.in_(run))),
            (Booking.awaiting == Awaiting.OWNER) & or_(Booking.organisation_id.in_(owned), in_place),
        ),
    )


def find_by_ids(session: Session, public_ids: Iterable[UUID]) -> list[Booking]:
    """Whole bookings, in order of start; ids that are none are left out."""
    statement = whole_booking().where(Booking.public_id.in_(set(public_ids)))
    return list(session.scalars(statement.order_by(Booking.starts_at, Booking.id)))


class Story(NamedTuple):
    """One event of a booking with who did it, in whose place, and the words that were given."""

    event: BookingEvent
    actor_name: str | None
    words: str | None
    behalf_name: str | None


def find_story(session: Session, booking_id: int) -> list[Story]:
    principal = aliased(Person)
    statement = (
        select(BookingEvent, Person.name, Note.body, principal.name)
        .outerjoin(Person, Person.id == BookingEvent.actor_id)
        .outerjoin(principal, principal.id == BookingEvent.behalf_id)
        .outerjoin(Note, Note.id == BookingEvent.note_id)
        .where(BookingEvent.booking_id == booking_id)
        .order_by(BookingEvent.id)
    )
    return [Story(*row) for row in session.execute(statement)]


class Overridden(NamedTuple):
    """An event by which rules were set aside, with the booking it belongs to."""

    event: BookingEvent
    booking_public_id: UUID
    starts_at: datetime
    ends_at: datetime
    name_zh: str
    name_en: str
    company_zh: str
    company_en: str
    actor_name: str | None
    words: str | None

    @property
    def slot(self) -> Slot:
        return Slot(self.starts_at, self.ends_at)


def find_overridden(session: Session, lab_id: int, *, before: int | None = None, limit: int = 50) -> list[Overridden]:
    """Where a lab set rules aside, the newest first. A partial index holds these events alone."""
    statement: Select[*tuple[Any, ...]] = (
        select(
            BookingEvent, Booking.public_id, Booking.starts_at, Booking.ends_at, Equipment.name_zh, Equipment.name_en,
            Organisation.name_zh, Organisation.name_en, Person.name, Note.body,
        )
        .join(Booking, Booking.id == BookingEvent.booking_id)
        .join(Equipment, Equipment.id == Booking.equipment_id)
        .join(Organisation, Organisation.id == Booking.organisation_id)
        .outerjoin(Person, Person.id == BookingEvent.actor_id)
        .outerjoin(Note, Note.id == BookingEvent.note_id)
        .where(BookingEvent.verb == literal_column("'overridden'"), Equipment.lab_id == lab_id)
    )  # fmt: skip
    if before is not None:
        statement = statement.where(BookingEvent.id < before)
    return [Overridden(*row) for row in session.execute(statement.order_by(BookingEvent.id.desc()).limit(limit))]


def find_notes(session: Session, note_ids: Iterable[int | None]) -> dict[int, str]:
    wanted = {note_id for note_id in note_ids if note_id is not None}
    if not wanted:
        return {}
    return {note.id: note.body for note in session.execute(select(Note.id, Note.body).where(Note.id.in_(wanted)))}


class Accepted(NamedTuple):
    """A booking under terms of use: of which version, whose, and who accepted when; None: nobody yet."""

    public_id: UUID
    terms_version: UUID
    slot: Slot
    person_name: str
    organisation: Organisation
    accepted_by: str | None
    accepted_at: datetime | None


def find_acceptances(session: Session, versions: Collection[UUID], *, limit: int) -> list[Accepted]:
    """Bookings under some versions, the newest first."""
    accepter = aliased(Person)
    statement = (
        select(
            Booking.public_id, Booking.terms_version, Booking.starts_at, Booking.ends_at, Person.name, Organisation,
            accepter.name, Booking.terms_accepted_at,
        )
        .join(Person, Person.id == Booking.person_id)
        .join(Organisation, Organisation.id == Booking.organisation_id)
        .outerjoin(accepter, accepter.id == Booking.terms_accepted_by_id)
        .where(Booking.terms_version.in_(versions))
        .order_by(Booking.id.desc())
        .limit(limit)
    )  # fmt: skip
    if not versions:
        return []
    return [
        Accepted(key, terms, Slot(start, end), name, organisation, by, at)
        for key, terms, start, end, name, organisation, by, at in session.execute(statement)
        if terms is not None
    ]


def count_acceptances(session: Session, versions: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """For each version how many bookings have accepted it, and how many have not yet."""
    if not versions:
        return {}
    statement = (
        select(Booking.terms_version, func.count(Booking.terms_accepted_at), func.count())
        .where(Booking.terms_version.in_(versions))
        .group_by(Booking.terms_version)
    )
    return {key: (done, total - done) for key, done, total in session.execute(statement) if key is not None}


def find_undecided(session: Session, *, now: datetime, limit: int) -> list[UUID]:
    """Requests whose time to decide is over, oldest first."""
    return list(
        session.scalars(
            select(Booking.public_id)
            .where(Booking.state == State.REQUESTED, Booking.decide_by <= now)
            .order_by(Booking.decide_by)
            .limit(limit)
        )
    )


def find_unminded(session: Session, *, now: datetime, limit: int) -> list[UUID]:
    """Requests of which somebody is to be reminded now, the longest due first."""
    due = Booking.nudge_at <= now, Booking.nudge_at.is_not(None), Booking.state == State.REQUESTED
    return list(session.scalars(select(Booking.public_id).where(*due).order_by(Booking.nudge_at).limit(limit)))


def find_possible_no_shows(session: Session, *, now: datetime) -> list[tuple[UUID, datetime, int]]:
    """Approved bookings that have begun: public id, start, and the instrument's patience in minutes."""
    statement = (
        select(Booking.public_id, Booking.starts_at, Equipment.no_show_minutes)
        .join(Equipment)
        .where(Booking.state == State.APPROVED, Booking.starts_at < now)
        .order_by(Booking.starts_at)
    )
    return [(public, start, patience) for public, start, patience in session.execute(statement)]


def find_open_visits(session: Session, *, ended_before: datetime) -> list[Booking]:
    """Visits that go on although slot and check-in lie before an instant, the oldest first."""
    statement = whole_booking().join(Visit, Visit.booking_id == Booking.id)
    late = Booking.state == State.IN_USE, Booking.ends_at < ended_before, Visit.checked_in_at < ended_before
    return list(session.scalars(statement.where(*late).order_by(Booking.ends_at, Booking.id)))


def find_live_bookings_between(session: Session, window: Slot, unit_id: int) -> list[Booking]:
    """Live bookings on a unit that a block over the window would meet, in order of start."""
    statement = whole_booking().where(
        Booking.unit_id == unit_id,
        Booking.state.in_(LIVE),
        Booking.starts_at < window.ends_at,
        Booking.ends_at > window.starts_at,
    )
    return list(session.scalars(statement.order_by(Booking.starts_at)))


def find_live_bookings_of(session: Session, entries: ColumnElement[bool], window: Slot) -> list[Booking]:
    """Live bookings of some entries that a closure would meet, in order of start."""
    statement = whole_booking().where(
        Booking.equipment_id.in_(select(Equipment.id).where(entries)),
        Booking.state.in_(LIVE),
        Booking.starts_at < window.ends_at,
        Booking.ends_at > window.starts_at,
    )
    return list(session.scalars(statement.order_by(Booking.starts_at)))


def find_coming(session: Session, *, now: datetime, limit: int = 2000) -> list[Booking]:
    """What is still to come, with the hours of its instrument, in order of start."""
    statement = whole_booking().options(joinedload(Booking.equipment).selectinload(Equipment.all_hours))
    coming = Booking.state.in_({State.REQUESTED, State.APPROVED}), Booking.starts_at > now
    return list(session.scalars(statement.where(*coming).order_by(Booking.starts_at, Booking.id).limit(limit)))


def find_had(
    session: Session, who: Who, counting: Sequence[Limit], window: Slot, *, without: int | None = None
) -> list[Had]:
    """What limits count of a company and of a person: what starts in a window and was not given up. One statement.

    `without`: the id of a booking that does not count.
    """
    whose: list[ColumnElement[bool]] = []
    if any(limit.subject is LimitSubject.COMPANY for limit in counting):
        whose.append(Booking.organisation_id == who.organisation_id)
    if any(limit.subject is LimitSubject.PERSON for limit in counting):
        whose.append(Booking.person_id == who.person_id)
    statement = (
        select(
            Booking.id, Booking.equipment_id, Equipment.lab_id, Booking.organisation_id, Booking.person_id,
            Booking.starts_at, Booking.ends_at,
        )
        .join(Equipment, Equipment.id == Booking.equipment_id)
        .where(
            or_(*whose), Booking.starts_at >= window.starts_at, Booking.starts_at < window.ends_at,
            Booking.state.in_(COUNTED),
        )
    )  # fmt: skip
    if all(limit.reach is Reach.EQUIPMENT for limit in counting):
        statement = statement.where(Booking.equipment_id == who.equipment_id)
    return [
        Had(equipment_id, lab_id, organisation_id, person_id, starts_at, ends_at)
        for key, equipment_id, lab_id, organisation_id, person_id, starts_at, ends_at in session.execute(statement)
        if key != without
    ]


def find_units(session: Session, equipment_id: int) -> list[Unit]:
    return list(
        session.scalars(
            select(Unit).where(Unit.equipment_id == equipment_id, Unit.retired_at.is_(None)).order_by(Unit.id)
        )
    )


def find_equipment_ids_of_labs(session: Session, lab_ids: frozenset[int]) -> frozenset[int]:
    return frozenset(session.scalars(select(Equipment.id).where(Equipment.lab_id.in_(lab_ids))))


def find_equipment_of_labs(session: Session, lab_ids: frozenset[int]) -> list[Equipment]:
    """Bookable entries of labs with units, hours and lab, in order of name: the rows of a lab's board."""
    return list(
        session.scalars(
            select(Equipment)
            .options(selectinload(Equipment.units), selectinload(Equipment.all_hours), joinedload(Equipment.lab))
            .where(Equipment.lab_id.in_(lab_ids), Equipment.is_bookable, Equipment.retired_at.is_(None))
            .order_by(Equipment.sort_key, Equipment.id)
        )
    )
