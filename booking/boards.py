"""A lab's boards: every unit, what stands on it and when it is open, over some days. Reads only, plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking, Occupancy, OccupancyKind, State, Visit
from core.db import one_of
from core.slot import Slot, local_day
from equipment import queries as catalogue
from equipment.listing import Listed, find_listed_of_labs, open_by_entry
from members.models import Note, Organisation, Person

#: Instruments on one page of a board.
PAGE = 40
#: How much later than its slot a visit that is over may have begun or ended, to be found by its slot.
LATE_MOST = timedelta(days=3)


class Held(NamedTuple):
    """Something that stands on a unit: a booking, past use, a block or an offer."""

    unit_id: int
    starts_at: datetime
    ends_at: datetime
    kind: OccupancyKind
    state: State | None = None
    public_id: UUID | None = None
    version: int | None = None
    organisation_zh: str | None = None
    organisation_en: str | None = None
    person_name: str | None = None
    words: str | None = None
    #: A booking without its buffers.
    booked_from: datetime | None = None
    booked_till: datetime | None = None
    expires_at: datetime | None = None

    @property
    def slot(self) -> Slot:
        """What was booked, else all of it."""
        return Slot(self.booked_from or self.starts_at, self.booked_till or self.ends_at)


@dataclass(frozen=True)
class Board:
    """Days of all units of some labs. `window` is wall time of the labs' first zone."""

    first_on: date
    days: int
    zone: ZoneInfo
    window: Slot
    entries: list[Listed]
    held: dict[int, list[Held]]
    open: dict[int, list[Slot]]

    def everything(self) -> list[Held]:
        return [part for parts in self.held.values() for part in parts]


def read_board(
    session: Session,
    lab_ids: frozenset[int],
    *,
    first_on: date,
    days: int,
    zone: ZoneInfo,
    now: datetime,
    limit: int | None = None,
    offset: int = 0,
) -> Board:
    """Six statements however many instruments there are; five where nothing can be past."""
    entries = find_listed_of_labs(session, lab_ids, limit=limit, offset=offset)
    zone = entries[0].zone if entries else zone
    last = local_day(first_on + timedelta(days=days - 1), zone)
    window = Slot(local_day(first_on, zone).starts_at, last.ends_at)
    calendar = catalogue.read_calendar(session, window.widened(1440, 1440))
    held: dict[int, list[Held]] = {unit.id: [] for entry in entries for unit in entry.units}
    if held:
        found = _find_held(session, list(held), window, now)
        if window.starts_at < now:
            found += _find_past_use(session, entries, window)
        for part in sorted(found, key=lambda part: (part.starts_at, part.ends_at)):
            held[part.unit_id].append(part)
    return Board(first_on, days, zone, window, entries, held, open_by_entry(entries, calendar, window))


def _find_held(session: Session, unit_ids: Sequence[int], window: Slot, now: datetime) -> list[Held]:
    """Claims, blocks and offers that have not lapsed."""
    statement = (
        select(
            Occupancy.unit_id, Occupancy.starts_at, Occupancy.ends_at, Occupancy.kind, Booking.state,
            Booking.public_id, Booking.version, Organisation.name_zh, Organisation.name_en, Person.name, Note.body,
            Booking.starts_at, Booking.ends_at, Occupancy.expires_at,
        )
        .outerjoin(Booking, Booking.id == Occupancy.booking_id)
        .outerjoin(Organisation, Organisation.id == Booking.organisation_id)
        .outerjoin(Person, Person.id == Booking.person_id)
        .outerjoin(Note, Note.id == Occupancy.note_id)
        .where(
            one_of(session, Occupancy.unit_id, unit_ids),
            Occupancy.ends_at > window.starts_at,
            Occupancy.starts_at < window.ends_at,
            Occupancy.expires_at.is_(None) | (Occupancy.expires_at > now),
        )
    )  # fmt: skip
    return [Held(*row) for row in session.execute(statement)]


def _find_past_use(session: Session, entries: Sequence[Listed], window: Slot) -> list[Held]:
    """Completed visits: their claims are gone, the board still shows them. Found by their slot, which has an index."""
    slack = LATE_MOST + timedelta(minutes=max(entry.length_minutes_max for entry in entries))
    statement = (
        select(
            Booking.unit_id, Visit.checked_in_at, Visit.checked_out_at, Booking.state, Booking.public_id,
            Booking.version, Organisation.name_zh, Organisation.name_en, Person.name,
        )
        .join(Visit, Visit.booking_id == Booking.id)
        .join(Organisation, Organisation.id == Booking.organisation_id)
        .join(Person, Person.id == Booking.person_id)
        .where(
            one_of(session, Booking.equipment_id, [entry.id for entry in entries]),
            Booking.starts_at.between(window.starts_at - slack, window.ends_at + timedelta(hours=1)),
            Booking.state == State.COMPLETED,
            Visit.checked_in_at < window.ends_at,
            Visit.checked_out_at > window.starts_at,
        )
    )  # fmt: skip
    return [
        Held(row[0], row[1], row[2], OccupancyKind.BOOKING, *row[3:])
        for row in session.execute(statement)
        if row[2] is not None and row[1] < row[2]
    ]
