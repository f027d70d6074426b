"""JSON under `/api/v1`: the slot that is held while one decides."""

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import holds
from booking.errors import HoldNotFound
from booking.holds import SlotHold
from booking.schemas import SlotIn
from core.middleware import SafeRoute
from core.shapes import Out
from equipment.models import Equipment
from members.access import SignedIn

router = APIRouter(prefix="/api/v1", tags=["booking"], route_class=SafeRoute)


class HoldIn(SlotIn):
    equipment_id: UUID


class HoldOut(Out):
    equipment_id: UUID
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    #: Seconds until then, by the server's clock.
    seconds_left: int

    @classmethod
    def of(cls, session: Session, hold: SlotHold, now: datetime) -> Self:
        entry = session.get_one(Equipment, hold.equipment_id)
        return cls(
            equipment_id=entry.public_id, starts_at=hold.starts_at, ends_at=hold.ends_at, expires_at=hold.expires_at,
            seconds_left=max(int((hold.expires_at - now).total_seconds()), 0),
        )  # fmt: skip


@router.post("/slot-holds", status_code=201, response_model=HoldOut)
def hold_slot(body: HoldIn, caller: SignedIn) -> Response:
    """Hold a slot for five minutes; one per person, so an earlier one is free again."""

    def act(session: Session) -> HoldOut:
        found = holds.hold_slot(
            session, caller.actor, equipment_id=body.equipment_id, slot=body.slot, now=caller.now
        )  # fmt: skip
        return HoldOut.of(session, found, caller.now)

    return caller.answer_once(201, act)


@router.get("/slot-holds/current")
def get_hold(caller: SignedIn) -> HoldOut:
    """What is held for the caller now."""
    with caller.read() as session:
        found = holds.find_hold(session, caller.actor.person_id, now=caller.now)
        if found is None:
            raise HoldNotFound
        return HoldOut.of(session, found, caller.now)


@router.delete("/slot-holds/current", status_code=204)
def release_hold(caller: SignedIn) -> Response:
    """Give the held slot back."""
    caller.write(lambda session: holds.release_hold(session, caller.actor))
    return Response(status_code=204)
