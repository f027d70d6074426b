"""Forms and pages of service orders, files and messages of a booking."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from booking import acceptance
from booking.models import Booking
from booking.pages import views
from booking.pages.bookings import answer_or_show
from booking.papers import files, messages, orders
from booking.papers.errors import FileMissing
from booking.papers.orders import Issued
from booking.papers.views import as_download
from booking.queries import find_notes
from core.forms import FormIn, UploadIn
from core.i18n import N_, gettext
from core.money import write_amount
from core.slot import Slot
from equipment.models import ChargeUnit
from equipment.words import MODE_NAMES, UNIT_NAMES
from members.access import Caller, SignedIn

router = APIRouter(include_in_schema=False)


@router.post("/bookings/{booking_id}/messages")
def post_message(booking_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    return answer_or_show(
        caller, form, booking_id,
        lambda session: messages.post_message(session, caller.actor, booking_id, form["words"], now=caller.now),
        N_("Sent."), part="#messages",
    )  # fmt: skip


@router.post("/bookings/{booking_id}/files")
def add_file(booking_id: UUID, form: UploadIn, caller: SignedIn) -> Response:
    upload = form.files.get("file")

    def act(session: Any) -> None:
        if upload is None:
            raise FileMissing(field="file")
        files.add_file(session, caller.actor, booking_id, upload.content, upload.name, now=caller.now)

    return answer_or_show(caller, form, booking_id, act, N_("The file is there for both sides."), part="#files")


@router.get("/bookings/{booking_id}/files/{file_id}")
def send_file(booking_id: UUID, file_id: UUID, caller: SignedIn) -> Response:
    with caller.read() as session:
        return as_download(files.get_file(session, caller.actor, booking_id, file_id))


@router.post("/bookings/{booking_id}/files/{file_id}/removal")
def remove_file(booking_id: UUID, file_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    return answer_or_show(
        caller, form, booking_id,
        lambda session: files.remove_file(session, caller.actor, booking_id, file_id, now=caller.now),
        N_("The file is gone."), part="#files",
    )  # fmt: skip


@router.post("/bookings/{booking_id}/order")
def issue_order(booking_id: UUID, form: FormIn, caller: SignedIn) -> Response:
    """Give the number, then show the sheet."""
    return answer_or_show(
        caller, form, booking_id,
        lambda session: orders.issue_order(session, caller.actor, booking_id, now=caller.now),
        part="/order",
    )  # fmt: skip


@router.get("/bookings/{booking_id}/order")
def show_order(booking_id: UUID, caller: SignedIn) -> Response:
    """The sheet to print and sign."""
    with caller.read() as session:
        issued, booking = orders.get_order(session, caller.actor, booking_id)
        purpose = find_notes(session, [booking.purpose_note_id]).get(booking.purpose_note_id or 0, "")
        agreed = acceptance.find_agreed(session, booking)
    card = views.card_of(booking, lang=caller.lang, now=caller.now)
    is_settled = booking.visit is not None and booking.visit.price_fen is not None
    lines = booking.visit.lines if booking.visit and is_settled else booking.lines
    return caller.render(
        "pages/booking/order.html",
        issued=issued,
        booking=booking,
        card=card,
        slot=Slot(booking.starts_at, booking.ends_at),
        lines=views.price_rows(lines, voucher_fen=card.voucher_fen, paid_to=booking.paid_to, lang=caller.lang),
        settled=is_settled,
        in_words=write_amount(card.price_fen),
        purpose=purpose,
        agreed=agreed,
        zone=ZoneInfo(booking.equipment.lab.zone).key,
        mode=gettext(caller.lang, MODE_NAMES[booking.service_mode]) if booking.service_mode else "",
        quantities=_quantities(booking, caller),
        changed=_is_changed(issued, booking),
    )


def _quantities(booking: Booking, caller: Caller) -> list[str]:
    return [
        f"{gettext(caller.lang, UNIT_NAMES[ChargeUnit(unit)])}: {amount}" for unit, amount in booking.quantities.items()
    ]


def _is_changed(issued: Issued, booking: Booking) -> bool:
    """Whether the booking is not any more what it was when the number was given."""
    order = issued.order
    was = (order.starts_at, order.ends_at, order.price_fen, order.voucher_fen)
    return was != (booking.starts_at, booking.ends_at, booking.price_fen, booking.voucher_fen)
