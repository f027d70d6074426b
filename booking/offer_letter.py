"""The letter to one who waits: a slot is kept for you, until when, and where to answer."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking.letters import Desk, Fact, Letter
from booking.wishes import Answer, Offer, Wish
from core.formats import format_instant, format_slot
from core.i18n import N_, Lang, translate
from core.rendering import localised
from core.shapes import read_uuid
from equipment.models import Equipment

OFFERED = "slot_offered"


def write_offer_letter(session: Session, public_id: str, lang: Lang, desk: Desk, now: datetime) -> Letter | None:
    """None once the offer is answered or over."""
    offer = session.scalars(
        select(Offer)
        .where(Offer.public_id == read_uuid(public_id))
        .options(joinedload(Offer.wish).joinedload(Wish.equipment).joinedload(Equipment.lab))
    ).one_or_none()
    if offer is None or offer.answer is not Answer.OPEN or offer.expires_at <= now:
        return None
    entry = offer.wish.equipment
    zone = ZoneInfo(entry.lab.zone)
    fields = {
        "equipment": localised(entry, lang),
        "slot": format_slot(offer.slot, lang, zone, year=True),
        "until": format_instant(offer.expires_at, lang, zone),
    }

    def say(text: str) -> str:
        return translate(lang, text, **fields)

    return Letter(
        subject=say(N_("Free for you: %(equipment)s, %(slot)s")),
        heading=say(N_("A slot that you wait for is free")),
        paragraphs=(say(N_("It is kept for you until %(until)s. Then it is offered to the next who waits.")),),
        facts=(
            Fact(say(N_("Instrument")), fields["equipment"]),
            Fact(say(N_("Lab")), localised(entry.lab, lang)),
            Fact(say(N_("Booked time")), fields["slot"]),
        ),
        action_text=say(N_("Take it or leave it")),
        action_url=f"{desk.base_url.rstrip('/')}/waiting",
        why=say(N_("You get this mail because you are on the waiting list of this instrument.")),
    )
