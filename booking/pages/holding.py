"""The slot that is held while somebody fills the form in, without scripts; and what the page says of it."""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from booking import holds
from booking.errors import HoldSpent
from booking.holds import SlotHold
from booking.pages.bookings import read_id, read_quantities, read_slot
from booking.pages.instrument import Asked, instrument_page
from core.errors import NotFound, Refusal
from core.forms import Form, FormIn
from core.http import status_of
from core.i18n import N_
from equipment import queries as catalogue
from members.access import Caller, SignedIn

router = APIRouter(include_in_schema=False)
#: What stays in the address: the slot and what it is priced by, never a token or words.
KEPT = ("starts_at", "ends_at", "voucher", "mode", "terms_version")


@router.post("/slot-holds")
def hold_slot(form: FormIn, caller: SignedIn) -> Response:
    """Back to the form; a script is told how many seconds are left."""
    equipment_id = read_id(form["equipment_id"])

    def hold(session: Session) -> SlotHold:
        slot = read_slot(form, catalogue.get_zone(session, equipment_id))
        return holds.hold_slot(session, caller.actor, equipment_id=equipment_id, slot=slot, now=caller.now)

    if "application/json" in caller.request.headers.get("accept", ""):
        return _answer_script(caller, hold)

    def act(session: Session) -> str:
        hold(session)
        return f"/equipment/{equipment_id}?{urlencode(_kept(form))}#ask"

    try:
        return caller.redirect_once(form, act, flash=N_("The slot is held for you for some minutes."))
    except NotFound:
        raise
    except Refusal as refusal:
        asked = Asked(
            form["starts_at"], form["ends_at"], read_quantities(form), form["voucher"] or "auto", form["purpose"],
            form["mode"], form["terms_version"],
        )  # fmt: skip
        return instrument_page(caller, equipment_id, asked, refusal=refusal)


@router.post("/slot-holds/release")
def release_hold(form: FormIn, caller: SignedIn) -> Response:
    equipment_id = read_id(form["equipment_id"])

    def act(session: Session) -> str:
        holds.release_hold(session, caller.actor)
        return f"/equipment/{equipment_id}"

    return caller.redirect_once(form, act, flash=N_("The slot is free again."))


def _answer_script(caller: Caller, hold: Callable[[Session], SlotHold]) -> Response:
    """Seconds, or nothing with words where only this says why; the quote says what stands in the way of a slot."""
    try:
        until = caller.write(lambda session: hold(session).expires_at)
    except Refusal as refusal:
        words = caller.explain(refusal) if isinstance(refusal, HoldSpent) else ""
        return JSONResponse({"seconds_left": 0, "words": words}, status_of(refusal))
    return JSONResponse({"seconds_left": int((until - caller.now).total_seconds()), "words": ""})


def _kept(form: Form) -> dict[str, str]:
    return {name: form[name] for name in form if form[name] and (name in KEPT or name.startswith("quantity_"))}
