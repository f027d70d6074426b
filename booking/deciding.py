"""Deciding on requests: the startup's owner agrees, the lab approves or declines, the clock reminds and tells.

Each verb locks the booking, looks at it as it is then, and changes it by `events.change_state` alone.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from booking import deadlines, deputies, notices, overrides, permissions, queries, rechecking
from booking.errors import ReasonMissing, VersionStale
from booking.events import change_state, is_unguarded, record_event, require_state
from booking.models import Awaiting, Booking, State
from booking.overrides import Override
from booking.permissions import Voice
from booking.service import end_booking, lock_booking, write_note
from core.slot import Slot
from equipment import queries as catalogue
from equipment.models import ApprovalMode
from members.actor import Actor

#: As many other times as somebody who declines may propose.
PROPOSED_MOST = 5


def approve_booking(
    session: Session,
    actor: Actor,
    booking_id: UUID,
    *,
    word: str = "",
    override: Override = overrides.NONE,
    version: int | None = None,
    now: datetime,
) -> Booking:
    """Whoever is waited for says yes: the owner passes it on to the lab, the lab approves.

    Whoever speaks last looks at the rules once more. `version`: what the decider saw. Raises BookingNotFound,
    MayNotRunLab, MayNotDecide, AwaitsOwner, StateChanged, VersionStale, RulesBroken, and as `overrides.allow`.
    """
    booking, voice = _lock_to_decide(session, actor, booking_id, verb="approved", version=version, now=now)
    entry = booking.equipment
    asks_lab = voice.side is Awaiting.OWNER and entry.approval_mode is not ApprovalMode.AUTOMATIC
    override = overrides.allow(override, actor, manages=voice.side is Awaiting.LAB)
    passed = [] if asks_lab else rechecking.require_rules(session, booking, override, now=now)
    overrides.record(session, booking, override, passed, verb="approved", actor=actor, now=now)
    note = write_note(session, word, actor, now)
    if voice.side is Awaiting.OWNER:
        assert booking.awaiting_since is not None and booking.decide_by is not None, "waits without a deadline"
        wait = deadlines.wait_for_lab(
            entry, ZoneInfo(entry.lab.zone), since=booking.awaiting_since, owner_by=booking.decide_by, now=now
        )
        change_state(
            session, booking, "owner_agreed", actor=actor, now=now, note=note, behalf_id=voice.behalf_id,
            **(wait if asks_lab else {"awaiting": Awaiting.LAB}),
        )  # fmt: skip
        if asks_lab:
            notices.agreed(session, booking, now=now, note=note)
            return booking
        change_state(session, booking, "approved", actor=None, now=now)
    else:
        change_state(session, booking, "approved", actor=actor, now=now, note=note, behalf_id=voice.behalf_id)
    notices.approved(session, booking, now=now, note=note)
    return booking


def decline_booking(
    session: Session,
    actor: Actor,
    booking_id: UUID,
    *,
    reason: str,
    proposed: Sequence[Slot] = (),
    version: int | None = None,
    now: datetime,
) -> Booking:
    """No, and why; slot and money are free again. `proposed`: other times that would do.

    Raises as approve, and ReasonMissing.
    """
    booking, voice = _lock_to_decide(session, actor, booking_id, verb="declined", version=version, now=now)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    note = write_note(session, reason, actor, now)
    proposed = proposed[:PROPOSED_MOST]
    times = [[slot.starts_at.isoformat(), slot.ends_at.isoformat()] for slot in proposed]
    end_booking(
        session, booking, "declined", actor=actor, now=now, note=note, behalf_id=voice.behalf_id,
        data={"side": voice.side.value} | ({"proposed": times} if times else {}),
    )  # fmt: skip
    by_lab = voice.side is Awaiting.LAB
    notices.declined(session, booking, now=now, note=note, by_lab=by_lab, proposed=proposed)
    return booking


def expire_requests(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find requests whose time to decide is over; 2. under each one's lock, look again; 3. expire it: slot
    and money are free; 4. tell who booked and who was waited for."""
    expired = 0
    for booking_id in queries.find_undecided(session, now=now, limit=limit):
        booking = lock_booking(session, booking_id)
        is_over = booking.decide_by is not None and booking.decide_by <= now
        if is_unguarded(session) or (booking.state is State.REQUESTED and is_over):
            side = booking.awaiting
            end_booking(session, booking, "expired", actor=None, now=now)
            notices.expired(session, booking, now=now, side=side)
            expired += 1
    return expired


def nudge_deciders(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find requests of which somebody is to be reminded; 2. under each one's lock, look again; 3. remind who
    decides, once; 4. when most of the time is over, tell the zone's office as well, with an event; 5. say how many."""
    nudged = 0
    for booking_id in queries.find_unminded(session, now=now, limit=limit):
        booking = lock_booking(session, booking_id)
        since, until = booking.awaiting_since, booking.decide_by
        if booking.nudge_at is None or booking.nudge_at > now or since is None or until is None:
            continue
        late_at = deadlines.escalate_at(booking.equipment, booking.awaiting, since, until)
        is_late = late_at is not None and late_at <= now
        notices.remind_deciders(session, booking, now=now)
        if is_late:
            record_event(session, booking, "escalated", booking.state, actor=None, now=now)
            notices.escalated(session, booking, now=now)
        _set_nudge(session, booking, None if is_late else late_at)
        nudged += 1
    return nudged


def _lock_to_decide(
    session: Session, actor: Actor, booking_id: UUID, *, verb: str, version: int | None, now: datetime
) -> tuple[Booking, Voice]:
    booking = lock_booking(session, booking_id)
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    acting = deputies.find_acting(session, actor.person_id, now=now)
    voice = permissions.require_voice(actor, booking, lab_ids, acting, declines=verb == "declined")
    require_state(booking, verb)
    if version is not None and version != booking.version:
        raise VersionStale
    return booking, voice


def _set_nudge(session: Session, booking: Booking, at: datetime | None) -> None:
    """Not a change of the booking: its version stays, so that no form in somebody's hands becomes stale."""
    session.execute(
        update(Booking).where(Booking.id == booking.id).values(nudge_at=at, version=Booking.version),
        execution_options={"synchronize_session": False},
    )
