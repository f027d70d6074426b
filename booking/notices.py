"""Which mail goes to whom when a booking changes. Queued in the caller's unit of work; sent later by the clock.

A row says what it is about (`data`), not how it reads: the words are found when it is sent, after a look whether it is
still true.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from booking.audience import (
    find_deciders,
    find_everyone_of_lab,
    find_owner_deciders,
    find_owners,
    find_zone_office,
)
from booking.letters import Audience
from booking.models import Awaiting, Booking, Source, State
from core import outbox
from core.i18n import DEFAULT, LANGS, Lang
from core.slot import Slot
from equipment.bookable import Bookable, Staff
from members.models import Note, Person

REMINDERS: dict[str, timedelta] = {"reminder_24h": timedelta(hours=24), "reminder_1h": timedelta(hours=1)}
USAGE_REPORT = "usage_report"
VISIT_OVERDUE = "visit_overdue"
#: With less time left it says no more than the other reminder.
REMINDER_24H_LEAST = timedelta(hours=12)

#: Kinds that are true only of the sequence they were queued for, and the states in which they are.
_STATES_OF: dict[str, frozenset[State]] = {
    "booking_requested": frozenset({State.REQUESTED}),
    "request_received": frozenset({State.REQUESTED}),
    "booking_approved": frozenset({State.APPROVED, State.IN_USE, State.COMPLETED}),
    "booking_moved": frozenset({State.REQUESTED, State.APPROVED, State.IN_USE, State.COMPLETED}),
    "reminder_24h": frozenset({State.APPROVED}),
    "reminder_1h": frozenset({State.APPROVED}),
    VISIT_OVERDUE: frozenset({State.IN_USE}),
    **dict.fromkeys(("request_with_owner", "owner_asked", "owner_agreed"), frozenset({State.REQUESTED})),
    **dict.fromkeys(("owner_reminder", "lab_reminder", "decision_late"), frozenset({State.REQUESTED})),
}
#: Kinds that are true only while one side is waited for.
_SIDE_OF: dict[str, Awaiting] = {
    **dict.fromkeys(("request_with_owner", "owner_asked", "owner_reminder"), Awaiting.OWNER),
    **dict.fromkeys(("booking_requested", "owner_agreed", "lab_reminder", "decision_late"), Awaiting.LAB),
}
#: Kinds that tell of an end: true for good.
_END_OF: dict[str, State] = {
    "booking_declined": State.DECLINED,
    "booking_cancelled": State.CANCELLED,
    "booking_expired": State.EXPIRED,
    "owner_expired": State.EXPIRED,
    "booking_completed": State.COMPLETED,
    "booking_no_show": State.NO_SHOW,
}


class Recipient(NamedTuple):
    """Whom a mail reaches."""

    id: int
    email: str
    locale: str


def placed(session: Session, booking: Booking, holder: Recipient, entry: Bookable, now: datetime) -> None:
    """A new booking: to who booked; to who decides first, or to everyone of the lab where the instrument decided by
    itself. Queues reminders."""
    if booking.awaiting is Awaiting.OWNER:
        letters = _letters("request_with_owner", Audience.HOLDER, [holder], booking, now)
        letters += _to_owners(session, "owner_asked", booking, now)
    elif booking.state is State.REQUESTED:
        letters = _letters("request_received", Audience.HOLDER, [holder], booking, now)
        letters += _letters("booking_requested", Audience.LAB, find_deciders(session, entry.lab_id, now), booking, now)
    else:
        letters = _letters("booking_approved", Audience.HOLDER, [holder], booking, now)
        if booking.source is not Source.LAB:
            letters += _letters("booking_approved", Audience.LAB, entry.staff, booking, now)
        letters += _reminders(booking, holder, now)
    outbox.put(session, letters)


def agreed(session: Session, booking: Booking, now: datetime, note: Note | None = None) -> None:
    """The owner said yes: to the lab whose turn it is, and to who asked."""
    holder = _letters("owner_agreed", Audience.HOLDER, [booking.person], booking, now, note=note)
    outbox.put(session, holder + _to_deciders(session, "booking_requested", booking, now))


def remind_deciders(session: Session, booking: Booking, now: datetime) -> None:
    """Half of the time is left: to those who must decide."""
    if booking.awaiting is Awaiting.OWNER:
        outbox.put(session, _to_owners(session, "owner_reminder", booking, now))
    else:
        outbox.put(session, _to_deciders(session, "lab_reminder", booking, now))


def escalated(session: Session, booking: Booking, now: datetime) -> None:
    """The lab lets its time run out: to the zone's office."""
    _put(session, "decision_late", Audience.ZONE, find_zone_office(session), booking, now)


def approved(session: Session, booking: Booking, now: datetime, note: Note | None = None) -> None:
    """To who booked, with the invitation. Queues reminders."""
    letters = _letters("booking_approved", Audience.HOLDER, [booking.person], booking, now, note=note)
    outbox.put(session, letters + _reminders(booking, booking.person, now))


def declined(
    session: Session, booking: Booking, now: datetime, note: Note | None = None, by_lab: bool = True,
    proposed: Sequence[Slot] = (),
) -> None:  # fmt: skip
    """To who asked, with the reason and the other times that were proposed."""
    _drop_reminders(session, booking, now)
    more = {"proposed": [[slot.starts_at.isoformat(), slot.ends_at.isoformat()] for slot in proposed]}
    _put(
        session, "booking_declined", Audience.HOLDER, [booking.person], booking, now, note=note, by_lab=by_lab,
        more=more if proposed else None,
    )  # fmt: skip


def cancelled(
    session: Session, booking: Booking, now: datetime, by_lab: bool = False, note: Note | None = None
) -> None:
    """To who booked, with the calendar's cancellation; to the lab unless the lab did it."""
    _drop_reminders(session, booking, now)
    _put(session, "booking_cancelled", Audience.HOLDER, [booking.person], booking, now, note=note, by_lab=by_lab)
    if not by_lab:
        staff = find_everyone_of_lab(session, booking.equipment.lab_id)
        _put(session, "booking_cancelled", Audience.LAB, staff, booking, now, note=note)


def moved(session: Session, booking: Booking, now: datetime, was: Slot | None = None, by_lab: bool = False) -> None:
    """To who booked, with the changed invitation; to the lab unless the lab did it. Reminders follow the new time."""
    _drop_reminders(session, booking, now)
    before = {"before": [was.starts_at.isoformat(), was.ends_at.isoformat()]} if was else {}
    _put(session, "booking_moved", Audience.HOLDER, [booking.person], booking, now, by_lab=by_lab, more=before)
    if not by_lab:
        if booking.awaiting is Awaiting.OWNER:
            outbox.put(session, _to_owners(session, "owner_asked", booking, now))
        staff = (
            find_deciders(session, booking.equipment.lab_id, now)
            if booking.state == State.REQUESTED
            else find_everyone_of_lab(session, booking.equipment.lab_id)
        )
        _put(session, "booking_moved", Audience.LAB, staff, booking, now, more=before)
    if booking.state == State.APPROVED:
        outbox.put(session, _reminders(booking, booking.person, now))


def expired(session: Session, booking: Booking, now: datetime, side: Awaiting | None = Awaiting.LAB) -> None:
    """To who asked, and to those who did not decide: `side` is who was waited for."""
    _drop_reminders(session, booking, now)
    kind = "owner_expired" if side is Awaiting.OWNER else "booking_expired"
    holder = _letters(kind, Audience.HOLDER, [booking.person], booking, now)
    find = _to_owners if side is Awaiting.OWNER else _to_deciders
    outbox.put(session, holder + find(session, kind, booking, now))


def completed(session: Session, booking: Booking, now: datetime) -> None:
    """The receipt: to who booked, and to the startup's owners."""
    _put(session, "booking_completed", Audience.HOLDER, [booking.person], booking, now)
    _put(session, "booking_completed", Audience.OWNER, find_owners(session, booking.organisation_id), booking, now)


def no_show(session: Session, booking: Booking, now: datetime) -> None:
    """To who did not come, and to the lab, whose instrument is free."""
    _drop_reminders(session, booking, now)
    _put(session, "booking_no_show", Audience.HOLDER, [booking.person], booking, now)
    staff = find_everyone_of_lab(session, booking.equipment.lab_id)
    _put(session, "booking_no_show", Audience.LAB, staff, booking, now)


def visit_overdue(session: Session, booking: Booking, now: datetime) -> int:
    """To the lab, which alone knows when the use ended; says to how many."""
    staff = find_everyone_of_lab(session, booking.equipment.lab_id)
    _put(session, VISIT_OVERDUE, Audience.LAB, staff, booking, now)
    return len(staff)


def usage_report(session: Session, lab_id: int, lab_public_id: UUID, month: date, now: datetime) -> int:
    """A lab's month to its managers, once per lab and month whoever asks how often; says to how many."""
    managers = find_deciders(session, lab_id, now)
    outbox.put(
        session,
        [
            outbox.message(
                kind=USAGE_REPORT,
                subject=usage_subject(lab_public_id, month),
                recipient=person.email,
                person_id=person.id,
                locale=language_of(person.locale),
                data={"lab": str(lab_public_id), "month": month.isoformat()},
                now=now,
            )
            for person in managers
        ],
    )
    return len(managers)


def usage_subject(lab_public_id: UUID, month: date) -> str:
    return f"usage:{lab_public_id}:{month:%Y-%m}"


def language_of(locale: str) -> Lang:
    """Mail speaks the recipient's language; who has chosen none gets the first one."""
    return next((lang for lang in LANGS if lang == locale), DEFAULT)


def is_still_true(kind: str, data: Mapping[str, Any], booking: Booking, now: datetime) -> bool:
    """Whether a queued mail may still be sent: the booking is in that state, at that time, and it is not too late."""
    if kind in _END_OF:
        return booking.state == _END_OF[kind]
    if kind in REMINDERS and now >= booking.starts_at:
        return False
    if kind == "reminder_24h" and booking.starts_at - now < REMINDER_24H_LEAST:
        return False
    if kind in _SIDE_OF and booking.awaiting not in (None, _SIDE_OF[kind]):
        return False
    return booking.state in _STATES_OF[kind] and booking.calendar_sequence == data["sequence"]


def _to_deciders(session: Session, kind: str, booking: Booking, now: datetime) -> list[dict[str, Any]]:
    return _letters(kind, Audience.LAB, find_deciders(session, booking.equipment.lab_id, now), booking, now)


def _to_owners(session: Session, kind: str, booking: Booking, now: datetime) -> list[dict[str, Any]]:
    """To a startup's owners and their deputies, never to who asked: nobody agrees to a request of one's own."""
    people = find_owner_deciders(session, booking.organisation_id, now)
    others = [person for person in people if person.id != booking.person_id]
    return _letters(kind, Audience.OWNER, others, booking, now)


def _reminders(booking: Booking, holder: Person | Recipient, now: datetime) -> list[dict[str, Any]]:
    """Only those that lie ahead: nobody is told in the evening what was due in the morning."""
    letters = []
    for kind, ahead in REMINDERS.items():
        due_at = booking.starts_at - ahead
        if due_at > now:
            letters += _letters(kind, Audience.HOLDER, [holder], booking, now, due_at=due_at)
    return letters


def _drop_reminders(session: Session, booking: Booking, now: datetime) -> None:
    outbox.drop_pending(session, subject_prefix=f"{booking.reference}:", kinds=tuple(REMINDERS), now=now)


def _put(
    session: Session,
    kind: str,
    audience: Audience,
    people: Iterable[Person],
    booking: Booking,
    now: datetime,
    **more: Any,
) -> None:
    outbox.put(session, _letters(kind, audience, people, booking, now, **more))


def subject_of(booking: Booking) -> str:
    return f"{booking.reference}:{booking.calendar_sequence}"


def _letters(
    kind: str,
    audience: Audience,
    people: Iterable[Person | Recipient | Staff],
    booking: Booking,
    now: datetime,
    *,
    due_at: datetime | None = None,
    note: Note | None = None,
    by_lab: bool = False,
    more: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """One row per person; who is reached twice (booked it and runs the lab) gets the first."""
    data: dict[str, Any] = {
        "booking": str(booking.public_id),
        "sequence": booking.calendar_sequence,
        "audience": audience.value,
        **(more or {}),
    }
    if note is not None:
        data["note"] = note.id
    if by_lab:
        data["by_lab"] = True
    return [
        outbox.message(
            kind=kind,
            subject=subject_of(booking),
            recipient=person.email,
            person_id=person.id,
            locale=language_of(person.locale),
            data=data,
            now=now,
            due_at=due_at,
        )
        for person in people
    ]
