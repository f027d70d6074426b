"""The waiting list: what one waits for and is offered, and the form to wait."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import waitlist
from booking.pages.bookings import read_id, read_quantities, read_slot, read_voucher
from booking.pages.week import picked
from booking.wishes import Offer, Wish
from core.errors import Refusal
from core.formats import format_length, format_slot
from core.forms import Form, FormIn
from core.http import status_of
from core.i18n import N_
from core.rendering import localised
from core.shapes import read_uuid
from core.slot import Slot
from equipment import queries as catalogue
from members.access import Caller, SignedIn

router = APIRouter(include_in_schema=False)


def wish_rows(rows: list[tuple[Wish, Offer | None]], caller: Caller, *, who: bool = False) -> list[dict[str, Any]]:
    """Words and addresses of wishes for the lists; `who` says for whom."""
    zone = caller.site.renderer.zone
    return [
        {
            "name": localised(wish.equipment, caller.lang),
            "model": wish.equipment.model,
            "who": f"{localised(wish.organisation, caller.lang)} · {wish.person.name}" if who else "",
            "length": format_length(wish.minutes, caller.lang),
            "window": format_slot(wish.window, caller.lang, zone),
            "href": f"/waiting/{wish.public_id}",
            "equipment_href": f"/equipment/{wish.equipment.public_id}",
            "offer": offer,
            "offer_href": f"/offers/{offer.public_id}" if offer else "",
        }
        for wish, offer in rows
    ]


@router.get("/waiting")
def show_waiting(caller: SignedIn, equipment: str = "", starts_at: str = "", ends_at: str = "") -> Response:
    """What one waits for; with an instrument in the address, the form to wait for it."""
    return _page(caller, equipment, Form([("starts_at", starts_at[:20]), ("ends_at", ends_at[:20])]))


@router.post("/waiting")
def join(form: FormIn, caller: SignedIn) -> Response:
    equipment_id = read_id(form["equipment"])

    def act(session: Session) -> str:
        entry = catalogue.get_equipment(session, equipment_id)
        first, last = (int(form[name]) if form[name].isdecimal() else default for name, default in _HOURS)
        days = sum(1 << day for day in range(7) if form[f"day_{day}"]) or waitlist.ALL_DAYS
        waitlist.join(
            session, caller.actor, equipment_id=equipment_id, window=read_slot(form, ZoneInfo(entry.lab.zone)),
            minutes=int(form["minutes"]) if form["minutes"].isdecimal() else 0, day_from=first * 60,
            day_to=last * 60, weekdays=days, now=caller.now,
        )  # fmt: skip
        return "/waiting"

    try:
        return caller.redirect_once(form, act, flash=N_("You wait now. What becomes free is offered to you by mail."))
    except Refusal as refusal:
        return _page(caller, form["equipment"], form, refusal)


_HOURS = (("hour_from", 0), ("hour_to", 24))


@router.post("/waiting/{wish_id}/withdrawal")
def withdraw(wish_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        waitlist.withdraw(session, caller.actor, wish_id, now=caller.now)
        return "/waiting"

    return caller.redirect_once(form, act, flash=N_("You wait no longer."))


@router.post("/waiting/{wish_id}/offer")
def offer_by_hand(wish_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        waitlist.offer_by_hand(session, caller.actor, wish_id, now=caller.now)
        return form["next"] if form["next"].partition("?")[0] in ("/lab", "/lab/week") else "/lab"

    return caller.redirect_once(form, act, flash=N_("Offered. The slot is kept until it is answered."))


@router.post("/offers/{offer_id}/acceptance")
def accept(offer_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        booking = waitlist.accept(
            session, caller.actor, offer_id, quantities=read_quantities(form), voucher=read_voucher(form),
            terms_version=read_uuid(form["terms_version"]), now=caller.now,
        )  # fmt: skip
        return f"/bookings/{booking.public_id}"

    try:
        return caller.redirect_once(form, act, flash=N_("Requested. You will be told as soon as it is decided."))
    except Refusal as refusal:
        return _page(caller, "", Form([]), refusal)


@router.post("/offers/{offer_id}/refusal")
def decline(offer_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    def act(session: Session) -> str:
        waitlist.decline(session, caller.actor, offer_id, now=caller.now)
        return "/waiting"

    return caller.redirect_once(form, act, flash=N_("Left to the next. You still wait for another slot."))


def _page(caller: Caller, equipment: str, typed: Form, refusal: Refusal | None = None) -> Response:
    equipment_id = read_uuid(equipment)
    with caller.read() as session:
        rows = waitlist.find_own(session, caller.actor.person_id)
        entry = catalogue.get_equipment(session, equipment_id) if equipment_id else None
    hour = caller.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    window = Slot(hour, hour + timedelta(days=14))
    zone = ZoneInfo(entry.lab.zone) if entry else caller.site.renderer.zone
    default = picked(window, zone)
    return caller.render(
        "pages/booking/waiting.html",
        status=status_of(refusal) if refusal else 200,
        wishes=wish_rows(rows, caller),
        entry=entry,
        name=localised(entry, caller.lang) if entry else "",
        typed=typed,
        start=default["starts_at"],
        end=typed["ends_at"] if refusal else default["ends_at"],
        minutes=typed["minutes"] or (entry.length_minutes_min if entry else 60),
        errors=[{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else [],
    )


def wait_href(equipment_id: UUID, **slot: str) -> str:
    """The address of the form that waits for an instrument."""
    return f"/waiting?{urlencode({'equipment': equipment_id, **slot})}#wait"
