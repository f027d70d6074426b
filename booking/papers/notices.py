"""Which mail goes to whom when somebody writes or asks. Queued in the caller's unit of work."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.audience import find_everyone_of_lab
from booking.letters import Audience
from booking.models import Booking
from booking.notices import language_of
from booking.papers.models import Message, Question
from core import outbox
from equipment.models import Equipment
from members.models import Person

MESSAGE = "booking_message"
ASKED = "question_asked"
ANSWERED = "question_answered"
#: How long a mail waits for further messages of the same side.
BUNDLE = timedelta(minutes=10)


def message_posted(session: Session, booking: Booking, message: Message, *, now: datetime) -> None:
    """To the other side, once for a bundle; who reads it on the page before that gets no mail."""
    if message.by_lab:
        people, audience = _people_of_startup(session, booking), Audience.HOLDER
    else:
        people, audience = find_everyone_of_lab(session, booking.equipment.lab_id), Audience.LAB
    side = "lab" if message.by_lab else "startup"
    subject = f"{booking.reference}:messages:{side}:{int(message.bundle_at.timestamp())}"
    data = {
        "booking": str(booking.public_id),
        "by_lab": message.by_lab,
        "bundle_at": message.bundle_at.isoformat(),
        "audience": audience.value,
    }
    others = [person for person in people if person.id != message.person_id]
    outbox.put(session, _letters(MESSAGE, subject, others, data, now, due_at=message.bundle_at + BUNDLE))


def _people_of_startup(session: Session, booking: Booking) -> list[Person]:
    """Who booked, and who of the startup has written in the thread."""
    writers = select(Message.person_id).where(Message.booking_id == booking.id, ~Message.by_lab)
    statement = select(Person).where(Person.id.in_(writers), Person.disabled_at.is_(None)).order_by(Person.id)
    return [booking.person, *(person for person in session.scalars(statement) if person.id != booking.person_id)]


def question_asked(session: Session, question: Question, entry: Equipment, *, now: datetime) -> None:
    """To everyone of the lab."""
    people = find_everyone_of_lab(session, entry.lab_id)
    data = {"question": str(question.public_id)}
    outbox.put(session, _letters(ASKED, f"question:{question.public_id}", people, data, now))


def question_answered(session: Session, question: Question, *, now: datetime) -> None:
    """To who asked."""
    asker = session.get_one(Person, question.person_id)
    data = {"question": str(question.public_id)}
    outbox.put(session, _letters(ANSWERED, f"question:{question.public_id}", [asker], data, now))


def _letters(
    kind: str, subject: str, people: Iterable[Person], data: dict[str, Any], now: datetime,
    due_at: datetime | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    return [
        outbox.message(
            kind=kind, subject=subject, recipient=person.email, person_id=person.id,
            locale=language_of(person.locale), data=data, now=now, due_at=due_at,
        )
        for person in people
    ]  # fmt: skip
