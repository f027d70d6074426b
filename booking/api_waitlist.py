"""JSON under `/api/v1`: the waiting list and its offers."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import waitlist
from booking.schemas import BookingOut, Quantities, SlotIn, VoucherChoice
from booking.wishes import Answer, Offer, Wish, WishState
from core.middleware import SafeRoute
from core.shapes import In, Out
from members.access import Caller, SignedIn

router = APIRouter(prefix="/api/v1", tags=["waiting list"], route_class=SafeRoute)
Minute = Annotated[int, Field(ge=0, le=1440, strict=True)]


class WishIn(SlotIn):
    """`starts_at` and `ends_at` are the window; the slot lies between `day_from` and `day_to`, minutes of the lab's
    day, on a weekday of `weekdays`, 0 = Monday; none: every day."""

    equipment_id: UUID
    minutes: Annotated[int, Field(ge=1, le=62 * 1440, strict=True)]
    day_from: Minute = 0
    day_to: Minute = 1440
    weekdays: Annotated[list[Annotated[int, Field(ge=0, le=6, strict=True)]], Field(max_length=7)] = []


class OfferOut(Out):
    id: UUID
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    answer: Answer

    @classmethod
    def of(cls, offer: Offer) -> Self:
        return cls(
            id=offer.public_id, starts_at=offer.starts_at, ends_at=offer.ends_at, expires_at=offer.expires_at,
            answer=offer.answer,
        )  # fmt: skip


class WishOut(Out):
    id: UUID
    state: WishState
    starts_at: datetime
    ends_at: datetime
    minutes: int
    asked_at: datetime
    offer: OfferOut | None

    @classmethod
    def of(cls, wish: Wish, offer: Offer | None = None) -> Self:
        return cls(
            id=wish.public_id, state=wish.state, starts_at=wish.starts_at, ends_at=wish.ends_at,
            minutes=wish.minutes, asked_at=wish.asked_at, offer=OfferOut.of(offer) if offer else None,
        )  # fmt: skip


class WishPage(Out):
    items: list[WishOut]


class AcceptIn(In):
    quantities: Quantities = {}
    voucher: VoucherChoice = "auto"
    terms_version: UUID | None = None


@router.post("/wishes", status_code=201, response_model=WishOut)
def join(body: WishIn, caller: SignedIn) -> Response:
    """Wait for a slot on an instrument; what becomes free is offered in order of asking."""
    weekdays = sum({1 << day for day in body.weekdays}) or waitlist.ALL_DAYS

    def act(session: Session) -> WishOut:
        return WishOut.of(
            waitlist.join(
                session, caller.actor, equipment_id=body.equipment_id, window=body.slot, minutes=body.minutes,
                day_from=body.day_from, day_to=body.day_to, weekdays=weekdays, now=caller.now,
            )
        )  # fmt: skip

    return caller.answer_once(201, act)


@router.get("/wishes")
def list_wishes(caller: SignedIn) -> WishPage:
    """What the caller waits for, with the open offer where there is one."""
    with caller.read() as session:
        return WishPage(items=[WishOut.of(*row) for row in waitlist.find_own(session, caller.actor.person_id)])


@router.delete("/wishes/{wish_id}", response_model=WishOut)
def withdraw(wish_id: UUID, caller: SignedIn) -> Response:
    return caller.answer_once(
        200, lambda session: WishOut.of(waitlist.withdraw(session, caller.actor, wish_id, now=caller.now))
    )


@router.post("/wishes/{wish_id}/offer", status_code=201, response_model=OfferOut)
def offer_by_hand(wish_id: UUID, caller: SignedIn) -> Response:
    """The lab offers one who waits the first slot that fits."""
    return caller.answer_once(
        201, lambda session: OfferOut.of(waitlist.offer_by_hand(session, caller.actor, wish_id, now=caller.now))
    )


@router.post("/offers/{offer_id}/acceptance", status_code=201, response_model=BookingOut)
def accept(offer_id: UUID, caller: SignedIn, body: AcceptIn | None = None) -> Response:
    """Turn the offer into a request, by the same rules as every other."""
    return caller.answer_once(201, lambda session: BookingOut.of(_accept(session, caller, offer_id, body or AcceptIn()),
                                                                 caller.lang, ""))  # fmt: skip


def _accept(session: Session, caller: Caller, offer_id: UUID, body: AcceptIn):  # type: ignore[no-untyped-def]
    return waitlist.accept(
        session, caller.actor, offer_id, quantities=body.quantities, voucher=body.voucher,
        terms_version=body.terms_version, now=caller.now,
    )  # fmt: skip


@router.post("/offers/{offer_id}/refusal", response_model=OfferOut)
def decline(offer_id: UUID, caller: SignedIn) -> Response:
    def act(session: Session) -> OfferOut:
        offer = waitlist.decline(session, caller.actor, offer_id, now=caller.now)
        session.refresh(offer)
        return OfferOut.of(offer)

    return caller.answer_once(200, act)
