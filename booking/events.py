"""The story of a booking: one event row and one audit row for every change."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from booking.errors import StateChanged
from booking.models import Booking, BookingEvent, State
from booking.states import may_follow, state_after
from booking.words import STATE_WORDS
from members import audit
from members.actor import Actor
from members.models import Note


def require_state(booking: Booking, verb: str) -> State:
    """The state that a verb leads to. Raises StateChanged where it may not follow."""
    if not may_follow(verb, booking.state):
        raise StateChanged(state=STATE_WORDS[booking.state], details={"state": booking.state})
    return state_after(verb, booking.state)


def record_event(
    session: Session,
    booking: Booking,
    verb: str,
    before: State | None,
    *,
    actor: Actor | None,
    now: datetime,
    data: dict[str, Any] | None = None,
    note: Note | None = None,
) -> None:
    """Who, when, from, to, why; ids, codes, amounts and times only."""
    session.add(
        BookingEvent(
            booking_id=booking.id,
            at=now,
            actor_id=actor.person_id if actor else None,
            verb=verb,
            from_state=before,
            to_state=booking.state,
            data=data or {},
            note_id=note.id if note else None,
        )
    )
    audit.record(
        session,
        actor=actor,
        action=f"booking_{verb}",
        object=booking.reference,
        now=now,
        organisation_id=booking.organisation_id,
        data={"from": before, "to": booking.state, **(data or {})},
        note=note,
    )
