"""Before a booking moves: old and new time, what changes in the price, and what stands in the way."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from booking import permissions, queries, service
from booking.errors import StateChanged, VersionStale
from booking.models import Booking, State
from booking.pages import views
from booking.pages.bookings import read_slot
from booking.pages.exceptions import choices_from
from booking.pages.week import picked
from booking.quotes import Assessment
from booking.states import may_follow
from booking.words import STATE_WORDS
from core.errors import Refusal
from core.formats import format_money
from core.forms import Form
from core.http import status_of
from core.i18n import N_, Lang, gettext, translate
from core.slot import Slot
from equipment import queries as catalogue
from equipment.models import ApprovalMode
from members.access import Caller, SignedIn

router = APIRouter(include_in_schema=False)


@router.get("/bookings/{booking_id}/move")
def show_move(
    booking_id: UUID, caller: SignedIn, starts_at: str = "", ends_at: str = "", version: str = "", next: str = ""
) -> Response:
    """What a move would mean; nothing is written. The form on it does it."""
    with caller.read() as session:
        booking = queries.get_booking(session, booking_id)
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        permissions.require_seen(caller.actor, booking, lab_ids)
        permissions.require(permissions.may_change(caller.actor, booking, lab_ids))
        zone = ZoneInfo(booking.equipment.lab.zone)
        by_lab = permissions.manages(caller.actor, lab_ids, booking.equipment.lab_id)
        slot, found, refusal = None, None, None
        try:
            slot = read_slot(Form([("starts_at", starts_at[:20]), ("ends_at", ends_at[:20])]), zone)
            _require_unchanged(booking, version)
            found = service.preview_move(session, booking, slot, now=caller.now)
        except Refusal as error:
            refusal = error
    reasons: list[Refusal] = list(found.reasons) if found else [refusal] if refusal else []
    href = f"/bookings/{booking_id}/move"
    kept = {"version": booking.version, "next": next[:200]}
    return caller.render(
        "pages/booking/move.html",
        status=status_of(refusal) if refusal else 200,
        card=views.card_of(booking, lang=caller.lang, now=caller.now),
        booking=booking,
        slot=slot,
        problems=[caller.explain(reason) for reason in reasons],
        alternatives=[
            {"slot": other, "href": f"{href}?{urlencode(picked(other, zone) | kept)}"}
            for other in ((found.alternatives or []) if found else [])
        ],
        rows=_rows(booking, found, caller.lang),
        note=_note(booking, slot, found, caller, by_lab=by_lab),
        typed=picked(slot, zone) if slot else {"starts_at": starts_at[:20], "ends_at": ends_at[:20]},
        next=next[:200],
        can_move=not reasons,
        exceptions=_exceptions(found, caller) if by_lab else [],
        set_aside=[],
        why="",
    )


def _exceptions(found: Assessment | None, caller: Caller) -> list[dict[str, str]]:
    """The rules that a lab may set aside, where nothing else stands in the way."""
    if found is None or len(found.reasons) > len(found.broken):
        return []
    choices = choices_from(found.broken, caller)
    return choices if {choice["value"] for choice in choices} >= {rule.code for rule in found.broken} else []


def _require_unchanged(booking: Booking, version: str) -> None:
    """Raises StateChanged, and VersionStale for a version that is named and not this one."""
    if not may_follow("moved", booking.state):
        raise StateChanged(state=STATE_WORDS[booking.state])
    if version and version != str(booking.version):
        raise VersionStale


def _rows(booking: Booking, found: Assessment | None, lang: Lang) -> list[dict[str, Any]]:
    """Price, voucher and own share before and after."""
    quote = found.quote if found else None
    if quote is None:
        return []
    pairs = (
        (N_("Price"), booking.price_fen, quote.price_fen),
        (N_("Paid by the voucher"), booking.voucher_fen, quote.voucher_fen),
        (N_("You pay"), booking.own_fen, quote.own_fen),
    )
    return [
        {"label": gettext(lang, label), "before": format_money(before), "after": format_money(after),
         "change": "" if before == after else f"{'+' if after > before else ''}{format_money(after - before)}"}
        for label, before, after in pairs
        if before or after
    ]  # fmt: skip


def _note(booking: Booking, slot: Slot | None, found: Assessment | None, caller: Caller, *, by_lab: bool) -> str:
    """Who is told, and whether the lab has to say yes again."""
    if slot is None or found is None or found.reasons:
        return ""
    if by_lab and booking.person_id != caller.actor.person_id:
        return translate(caller.lang, "%(who)s is told by mail.", who=booking.person.name)
    if booking.equipment.approval_mode is ApprovalMode.AUTOMATIC or by_lab:
        return gettext(caller.lang, N_("The lab is told by mail; your calendar follows."))
    if booking.state is State.APPROVED:
        return gettext(caller.lang, N_("The lab has to approve the new time: until then your booking waits again."))
    return gettext(caller.lang, N_("The lab decides on the new time."))
