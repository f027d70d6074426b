"""The story of a booking: one event row and one audit row for every change."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.attributes import set_committed_value

from booking import deadlines
from booking.errors import StateChanged
from booking.models import Booking, BookingEvent, State
from booking.states import TRANSITIONS, may_follow
from booking.words import STATE_WORDS
from core.db import table_of, write_last
from members import audit
from members.actor import Actor
from members.models import Note

#: Test only, set by `YIXIANG_UNSAFE_NO_STATE_GUARD`: state, lock and compare-and-set are left out, so that the races
#: of `tests/faults` show that they find a double decision.
UNSAFE = "unsafe_no_state_guard"


def is_unguarded(session: Session | None) -> bool:
    return session is not None and bool(session.get_bind().get_execution_options().get(UNSAFE))


def require_state(booking: Booking, verb: str) -> State:
    """The state that a verb leads to. Raises StateChanged where it may not follow."""
    if not may_follow(verb, booking.state) and not is_unguarded(object_session(booking)):
        raise StateChanged(state=STATE_WORDS[booking.state], details={"state": booking.state})
    return TRANSITIONS[verb][1] or booking.state


def change_state(
    session: Session,
    booking: Booking,
    verb: str,
    *,
    actor: Actor | None,
    now: datetime,
    data: dict[str, Any] | None = None,
    note: Note | None = None,
    behalf_id: int | None = None,
    **values: Any,
) -> None:
    """The one way from state to state: by the table, compare-and-set on what was read, one event and one audit row.

    `values` are further columns that change in the same statement. A booking waits for nobody afterwards unless they
    say so. Raises StateChanged, also where somebody else was faster.
    """
    before = booking.state
    values = {"state": require_state(booking, verb), **deadlines.no_wait(), **values}
    values["version"] = booking.version + 1
    change = update(Booking).where(Booking.id == booking.id)
    if not is_unguarded(session):
        change = change.where(
            Booking.state == before,
            Booking.awaiting.is_not_distinct_from(booking.awaiting),
            Booking.version == booking.version,
        )
    session.flush()
    done = session.execute(change.values(values), execution_options={"synchronize_session": False})
    if done.rowcount != 1:  # type: ignore[attr-defined]
        state = session.scalar(select(Booking.state).where(Booking.id == booking.id)) or before
        raise StateChanged(state=STATE_WORDS[state], details={"state": state})
    for name, value in values.items():
        set_committed_value(booking, name, value)
    record_event(session, booking, verb, before, actor=actor, now=now, data=data, note=note, behalf_id=behalf_id)


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
    behalf_id: int | None = None,
) -> None:
    """Who, in whose place, when, from, to, why; ids, codes, amounts and times only."""
    row = {
        "booking_id": booking.id,
        "at": now,
        "actor_id": actor.person_id if actor else None,
        "behalf_id": behalf_id,
        "verb": verb,
        "from_state": before,
        "to_state": booking.state,
        "data": data or {},
        "note_id": note.id if note else None,
    }
    write_last(session, _INSERT, [row])
    audit.record(
        session,
        actor=actor,
        action=f"booking_{verb}",
        object=booking.reference,
        now=now,
        organisation_id=booking.organisation_id,
        data={"from": before, "to": booking.state, **({"behalf": behalf_id} if behalf_id else {}), **(data or {})},
        note=note,
    )


_INSERT = insert(table_of(BookingEvent))
