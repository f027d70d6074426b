"""The thread of a booking: startup and lab write to each other, and everyone sees what is new."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from booking.models import Booking
from booking.papers import notices, sides
from booking.papers.errors import MessageEmpty, MessagesTooMany
from booking.papers.models import Message, Reading
from booking.papers.sides import Side
from equipment.models import Equipment
from members import audit, notes
from members.actor import Actor
from members.models import Note, Person

#: Messages of one side within so long are one mail.
BUNDLE = notices.BUNDLE
MESSAGES_MOST = 500
#: What nobody read for so long is not marked any more.
MARKED_FOR = timedelta(days=60)


class MessageRow(NamedTuple):
    """A message with who wrote it and its words; "" once erased."""

    message: Message
    person_name: str
    words: str


def post_message(session: Session, actor: Actor, booking_id: UUID, words: str, *, now: datetime) -> MessageRow:
    """Write to the other side, which is told by mail. Locks the booking, so that bundles do not overlap.

    Raises BookingNotFound, Forbidden for others than the two sides, MessageEmpty, NoteTooLong, MessagesTooMany.
    """
    booking = sides.lock_seen(session, actor, booking_id)
    side = sides.require_side(session, actor, booking)
    words = words.replace("\r\n", "\n").strip()
    if not words:
        raise MessageEmpty(field="words")
    if count_messages(session, booking.id) >= MESSAGES_MOST:
        raise MessagesTooMany(field="words", most=MESSAGES_MOST)
    note = notes.write(session, words, person_id=actor.person_id, now=now, field="words")
    message = Message(
        booking_id=booking.id, person_id=actor.person_id, by_lab=side.is_lab, at=now,
        bundle_at=_bundle_at(session, booking.id, side, now), note_id=note.id,
    )  # fmt: skip
    session.add(message)
    session.flush()
    mark_read(session, actor.person_id, booking.id, message.id)
    audit.record(
        session, actor=actor, action="booking_message", object=booking.reference, now=now,
        organisation_id=booking.organisation_id, data={"side": side}, note=note,
    )  # fmt: skip
    notices.message_posted(session, booking, message, now=now)
    return MessageRow(message, actor.name, words)


def _bundle_at(session: Session, booking_id: int, side: Side, now: datetime) -> datetime:
    """The begin of the side's bundle that is still open, else now."""
    own = Message.booking_id == booking_id, Message.by_lab == side.is_lab
    begun = session.scalar(select(func.max(Message.bundle_at)).where(*own))
    return begun if begun is not None and now < begun + BUNDLE else now


def count_messages(session: Session, booking_id: int) -> int:
    return session.scalar(select(func.count()).select_from(Message).where(Message.booking_id == booking_id)) or 0


def find_messages(session: Session, booking_id: int, *, limit: int, before: int | None = None) -> list[MessageRow]:
    """The newest `limit` messages (before one of them), the oldest first."""
    statement = _rows().where(Message.booking_id == booking_id).order_by(Message.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Message.id < before)
    return [MessageRow(*row) for row in reversed(session.execute(statement).all())]


def find_bundle(session: Session, booking_id: int, *, by_lab: bool, bundle_at: datetime) -> list[MessageRow]:
    """The messages of one mail, the oldest first."""
    which = Message.booking_id == booking_id, Message.by_lab == by_lab, Message.bundle_at == bundle_at
    return [MessageRow(*row) for row in session.execute(_rows().where(*which).order_by(Message.id))]


def _rows() -> Select[Message, str, str]:
    return (
        select(Message, Person.name, Note.body)
        .join(Person, Person.id == Message.person_id)
        .join(Note, Note.id == Message.note_id)
    )


def mark_read(session: Session, person_id: int, booking_id: int, message_id: int) -> None:
    """A person has seen the thread up to a message."""
    insert = _INSERT[session.get_bind().dialect.name]
    session.execute(insert, {"booking_id": booking_id, "person_id": person_id, "message_id": message_id})


def _further(insert: postgresql.Insert | sqlite.Insert) -> postgresql.Insert | sqlite.Insert:
    """Never back: of two pages that are open the later message counts."""
    new = insert.excluded.message_id
    return insert.on_conflict_do_update(
        index_elements=["booking_id", "person_id"], set_={"message_id": new}, where=Reading.message_id < new
    )


_INSERT = {
    "postgresql": _further(postgresql.insert(Reading)),
    "sqlite": _further(sqlite.insert(Reading)),
}


def is_unread(side: Side, person_id: int) -> ColumnElement[bool]:
    """Of `Message`: written by the other side, neither seen by this person nor answered by the own side since."""
    answer = aliased(Message)
    seen = (
        select(Reading.message_id)
        .where(Reading.booking_id == Message.booking_id, Reading.person_id == person_id)
        .scalar_subquery()
    )
    answered = (
        select(func.max(answer.id))
        .where(answer.booking_id == Message.booking_id, answer.by_lab == side.is_lab)
        .scalar_subquery()
    )
    return and_(
        Message.by_lab == (not side.is_lab),
        Message.id > func.coalesce(seen, 0),
        Message.id > func.coalesce(answered, 0),
    )


def count_unread(session: Session, booking_ids: Collection[int], side: Side, person_id: int) -> dict[int, int]:
    """Of some bookings, by id; without those in which nothing is new. One statement, none for no bookings."""
    if not booking_ids:
        return {}
    statement = (
        select(Message.booking_id, func.count())
        .where(Message.booking_id.in_(booking_ids), is_unread(side, person_id))
        .group_by(Message.booking_id)
    )
    return dict(session.execute(statement).tuples().all())


def find_unread_of_labs(
    session: Session, lab_ids: frozenset[int], person_id: int, *, now: datetime, limit: int
) -> dict[int, int]:
    """Bookings of labs with new messages from startups, by id, the newest first, with how many."""
    statement = (
        select(Message.booking_id, func.count())
        .join(Booking, Booking.id == Message.booking_id)
        .join(Equipment, Equipment.id == Booking.equipment_id)
        .where(
            Equipment.lab_id.in_(lab_ids), Message.at > now - MARKED_FOR, Booking.person_id != person_id,
            is_unread(Side.LAB, person_id),
        )
        .group_by(Message.booking_id)
        .order_by(func.max(Message.id).desc())
        .limit(limit)
    )  # fmt: skip
    return dict(session.execute(statement).tuples().all())
