"""What the page of a booking says to who decides, and the other times that a refusal proposes."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import claims, permissions, queries, quotes, weighing
from booking.models import Awaiting, Booking, State
from booking.pages import views
from booking.pages.week import picked
from core.forms import Form
from core.shapes import read_instant
from core.slot import Slot
from members.access import Caller


def weigh_for(session: Session, caller: Caller, booking: Booking) -> dict[str, Any]:
    """For who decides: what it decides beside the request, and the nearest other times that could be proposed."""
    found = weighing.weigh(session, [booking], now=caller.now)[booking.id]
    entry = quotes.read_entry(session, booking.equipment_id, booking.slot, caller.now)
    near = claims.find_alternatives(session, entry, booking.slot, now=caller.now, moving=booking.id)
    others = [slot for slot in near if not slot.overlaps(booking.slot)]
    return {
        "weights": views.weight_rows(booking, found, lang=caller.lang, zone=caller.site.renderer.zone),
        "proposals": [
            {"slot": slot, "value": f"{slot.starts_at.isoformat()}/{slot.ends_at.isoformat()}"} for slot in others
        ],
    }


def declines_early(caller: Caller, booking: Booking, lab_ids: frozenset[int]) -> bool:
    """The lab may say no before the startup's owner has spoken."""
    waits = booking.state is State.REQUESTED and booking.awaiting is Awaiting.OWNER
    return waits and permissions.manages(caller.actor, lab_ids, booking.equipment.lab_id)


def proposals_of(story: list[queries.Story], booking: Booking) -> list[dict[str, Any]]:
    """The other times that whoever declined proposed, each a link that asks for it."""
    pairs: list[list[str]] = next(
        (row.event.data.get("proposed", []) for row in story if row.event.verb == "declined"), []
    )
    slots = [Slot(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in pairs]
    lab_zone = ZoneInfo(booking.equipment.lab.zone)
    href = f"/equipment/{booking.equipment.public_id}"
    return [{"slot": slot, "href": f"{href}?{urlencode(picked(slot, lab_zone))}#ask"} for slot in slots]


def read_proposed(form: Form) -> list[Slot]:
    """Other times that were ticked: two instants each, as the form wrote them; what is none is left out."""
    found = []
    for text in form.getlist("proposed"):
        start, _, end = text.partition("/")
        try:
            found.append(Slot(read_instant(start), read_instant(end)))
        except (ValueError, AssertionError):
            continue
    return found
