"""What the database says after a run: bookings with their changes in order, outages, and mails."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from booking.models import Booking, BookingEvent, Occupancy, OccupancyKind, State
from core.db import read_session
from core.outbox import OutboxMessage
from equipment.models import Equipment, Unit
from members.models import Note, Person


@dataclass
class Change:
    """One event of a booking, and the slot that it had from then on."""

    verb: str
    at: float
    #: An e-mail; empty: the clock, or an instrument that decides by itself.
    who: str
    state: State
    slot: tuple[float, float] = (0, 0)


@dataclass
class Case:
    """One booking."""

    public_id: str
    entry: str
    holder: str
    #: The key of the operation that asked for it.
    key: str
    state: State
    changes: list[Change] = field(default_factory=list)
    mails: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass
class Evidence:
    cases: dict[str, Case]
    #: Number of units by instrument.
    units: dict[str, int]
    #: Outages: instrument, unit, slot.
    blocks: list[tuple[str, str, tuple[float, float]]]


def collect(engine: Engine) -> Evidence:
    with read_session(engine, snapshot=True) as session:
        people = {person.id: person.email for person in session.scalars(select(Person))}
        entries = {key: str(public) for key, public in session.execute(select(Equipment.id, Equipment.public_id))}
        units = session.execute(select(Unit.equipment_id, Unit.id, Unit.public_id)).all()
        place = {key: (entries[entry], str(public)) for entry, key, public in units}
        blocks = [
            (*place[row.unit_id], _span(row.starts_at, row.ends_at))
            for row in session.scalars(select(Occupancy).where(Occupancy.kind == OccupancyKind.BLOCK))
        ]
        return Evidence(
            _cases(session, people, entries), dict(Counter(entry for entry, _public in place.values())), blocks
        )


def _cases(session: Session, people: dict[int, str], entries: dict[int, str]) -> dict[str, Case]:
    notes = {note.id: note.body for note in session.scalars(select(Note))}
    events = defaultdict(list)
    for event in session.scalars(select(BookingEvent).order_by(BookingEvent.id)):
        events[event.booking_id].append(event)
    mails: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for kind, subject, recipient in session.execute(
        select(OutboxMessage.kind, OutboxMessage.subject, OutboxMessage.recipient)
    ):
        mails[subject.rpartition(":")[0]][kind, recipient] += 1
    found = {}
    for booking in session.scalars(select(Booking)):
        case = Case(
            str(booking.public_id), entries[booking.equipment_id], people[booking.person_id],
            notes.get(booking.purpose_note_id or 0, ""), booking.state, mails=mails[booking.reference],
        )  # fmt: skip
        case.changes = _changes(booking, events[booking.id], people)
        found[case.public_id] = case
    return found


def _changes(booking: Booking, events: list[BookingEvent], people: dict[int, str]) -> list[Change]:
    """A move keeps the times before it; so slots are found from the last to the first."""
    slot = _span(booking.starts_at, booking.ends_at)
    changes = []
    for event in reversed(events):
        who = people[event.actor_id] if event.actor_id else ""
        changes.append(Change(event.verb, event.at.timestamp(), who, event.to_state, slot))
        if event.verb == "moved":
            slot = _span(*(datetime.fromisoformat(event.data[name]) for name in ("starts_at", "ends_at")))
    return changes[::-1]


def _span(starts_at: datetime, ends_at: datetime) -> tuple[float, float]:
    return starts_at.timestamp(), ends_at.timestamp()
