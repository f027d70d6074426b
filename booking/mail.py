"""Turns an outbox row into a whole message (RFC 5322, MIME), with the invitation where there is one (RFC 6047).

The tree is multipart/mixed[ alternative[ text, html, text/calendar; method=... ], application/ics ]: the calendar part
for clients that show buttons, the attachment for all others. Exactly one calendar object per message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import months, notices, queries, reports
from booking.calendar import Entry, Mailbox, Method, Status, make_invitation
from booking.letters import Audience, Desk, Letter, equipment_name, place_name, write_letter
from booking.models import Booking, State
from booking.offer_letter import OFFERED, write_offer_letter
from booking.papers import letters as paper_letters
from booking.report_letter import write_usage_letter
from core.i18n import N_, Lang, translate
from core.mail import WIRE, check_address, plain_header
from core.outbox import OutboxMessage
from core.rendering import Renderer
from core.slot import Slot
from equipment.models import Lab
from members.models import Person

SENDER_NAME = N_("Yixiang")


@dataclass(frozen=True)
class Office:
    """What every message is made with."""

    renderer: Renderer
    base_url: str
    #: An address, or `Name <address>`; also the organiser of every invitation.
    mail_from: str

    @property
    def desk(self) -> Desk:
        return Desk(self.base_url, self.renderer.zone.key)

    def sender(self, lang: Lang) -> Mailbox:
        name, address = parseaddr(self.mail_from)
        return Mailbox(plain_header(name) or translate(lang, SENDER_NAME), check_address(address))


@dataclass(frozen=True)
class Invitation:
    method: Method
    body: bytes


def compose(session: Session, row: OutboxMessage, office: Office, *, now: datetime) -> EmailMessage | None:
    """The message of a row, or None when it is no longer true or its reader has left. Reads only.

    Raises core.mail.MailRefused for an address that cannot be written to.
    """
    person = session.get(Person, row.person_id) if row.person_id is not None else None
    if person is None or person.disabled_at is not None:
        return None
    lang = notices.language_of(row.locale)
    if row.kind == notices.USAGE_REPORT:
        return build_message(row, person.name, _usage_letter(session, row, lang, office, now), None, office, now=now)
    if row.kind in paper_letters.KINDS:
        paper = paper_letters.write_letter(session, row, lang, office.desk)
        return build_message(row, person.name, paper, None, office, now=now) if paper else None
    if row.kind == OFFERED:
        offered = write_offer_letter(session, row.data["offer"], lang, office.desk, now)
        return build_message(row, person.name, offered, None, office, now=now) if offered else None
    booking = queries.get_booking(session, UUID(row.data["booking"]))
    if not notices.is_still_true(row.kind, row.data, booking, now):
        return None
    letter = write_letter(
        row.kind,
        Audience(row.data["audience"]),
        booking,
        lang=lang,
        desk=office.desk,
        now=now,
        data=row.data | _times(row.data),
        note=_words(session, row, booking),
    )
    invitation = _invitation(session, row, booking, person, lang, office)
    return build_message(row, person.name, letter, invitation, office, now=now)


def build_message(
    row: OutboxMessage,
    name: str,
    letter: Letter,
    invitation: Invitation | None,
    office: Office,
    *,
    now: datetime,
) -> EmailMessage:
    """Envelope and parts. The Message-ID is the row's, so that a message sent twice is known for the same."""
    lang = notices.language_of(row.locale)
    sender = office.sender(lang)
    message = EmailMessage(policy=WIRE)
    message["From"] = Address(sender.name, addr_spec=sender.address)
    message["To"] = Address(plain_header(name), addr_spec=check_address(row.recipient))
    message["Subject"] = plain_header(letter.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(row, sender.address)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    context = {"letter": letter, "base_url": office.base_url}
    message.set_content(office.renderer.render(lang, "emails/letter.txt", context), cte="base64")
    message.add_alternative(office.renderer.render(lang, "emails/letter.html", context), subtype="html", cte="base64")
    if invitation is not None:
        text = invitation.body.decode("utf-8")
        params = {"method": invitation.method.value}
        message.add_alternative(text, subtype="calendar", cte="base64", params=params)
        message.make_mixed()
        message.add_attachment(invitation.body, maintype="application", subtype="ics", filename="invite.ics")
    # Only now: a body that is put into a container takes all Content-* headers with it.
    message["Content-Language"] = lang
    _name_boundaries(message, row)
    return message


def message_id(row: OutboxMessage, sender_address: str) -> str:
    return f"<{row.public_id}@{sender_address.rpartition('@')[2]}>"


def _invitation(
    session: Session, row: OutboxMessage, booking: Booking, person: Person, lang: Lang, office: Office
) -> Invitation | None:
    """To who booked alone: an invitation when approved or moved, its cancellation when it ends unused."""
    if row.data["audience"] != Audience.HOLDER or row.kind not in _SEQUENCE_STEP:
        return None
    if row.kind == "booking_approved" or (row.kind == "booking_moved" and booking.state != State.REQUESTED):
        method, status = Method.REQUEST, Status.CONFIRMED
    elif not _was_invited(session, row, booking):
        return None
    elif row.kind == "booking_moved":
        method, status = Method.REQUEST, Status.TENTATIVE
    else:
        method, status = Method.CANCEL, Status.CANCELLED
    entry = calendar_entry(
        booking, status, lang=lang, desk=office.desk, stamped_at=row.queued_at, step=_SEQUENCE_STEP[row.kind]
    )
    attendee = Mailbox(person.name, check_address(row.recipient))
    return Invitation(method, make_invitation(entry, method, organizer=office.sender(lang), attendee=attendee))


#: Kinds that may carry an invitation, and what each adds to the booking's sequence: a move and a cancellation have
#: raised it themselves; a refusal or expiry of a moved booking has not, and its cancellation must (RFC 5546, 2.1.4).
_SEQUENCE_STEP: dict[str, int] = {
    "booking_approved": 0,
    "booking_moved": 0,
    "booking_cancelled": 0,
    "booking_declined": 1,
    "booking_expired": 1,
    "owner_expired": 1,
}


def calendar_entry(
    booking: Booking, status: Status, *, lang: Lang, desk: Desk, stamped_at: datetime, step: int = 0
) -> Entry:
    """A booking as its holder's calendar shows it."""
    url = f"{desk.base_url.rstrip('/')}/bookings/{booking.public_id}"
    lab = booking.equipment.lab
    return Entry(
        uid=booking.calendar_uid,
        sequence=booking.calendar_sequence + step,
        slot=booking.slot,
        status=status,
        summary=equipment_name(booking, lang),
        location=", ".join(part for part in (place_name(booking, lang), lab.address) if part),
        description=translate(lang, N_("Change or cancel it on Yixiang: %(url)s"), url=url),
        url=url,
        stamped_at=stamped_at,
    )


def _was_invited(session: Session, row: OutboxMessage, booking: Booking) -> bool:
    """Whether an approval went to the same person before; a dropped one never did."""
    statement = select(OutboxMessage.id).where(
        OutboxMessage.subject.startswith(f"{booking.reference}:", autoescape=True),
        OutboxMessage.kind == "booking_approved",
        OutboxMessage.recipient == row.recipient,
        OutboxMessage.dropped_at.is_(None),
        OutboxMessage.id < row.id,
    )
    return session.scalars(statement.limit(1)).first() is not None


def _usage_letter(session: Session, row: OutboxMessage, lang: Lang, office: Office, now: datetime) -> Letter:
    lab = session.scalars(
        select(Lab).where(Lab.public_id == UUID(row.data["lab"])).options(*reports.WITH_ORGANISATION)
    ).one()
    month = date.fromisoformat(row.data["month"])
    window = months.month_slot(month, ZoneInfo(lab.zone))
    report = reports.usage_report(session, window, by=reports.By.EQUIPMENT, lab_ids=frozenset({lab.id}), now=now)
    return write_usage_letter(report, lab, month, lang=lang, base_url=office.base_url)


def _words(session: Session, row: OutboxMessage, booking: Booking) -> str:
    """The reason given, or the purpose for those who decide. Read when sent, so that an erased note stays erased."""
    asks = row.kind in ("booking_requested", "owner_asked")
    note_id = booking.purpose_note_id if asks else row.data.get("note")
    return queries.find_notes(session, [note_id]).get(note_id, "") if note_id is not None else ""


def _times(data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "before" in data:
        found["before"] = _slot(data["before"])
    if "proposed" in data:
        found["proposed"] = [_slot(pair) for pair in data["proposed"]]
    return found


def _slot(pair: list[str]) -> Slot:
    return Slot(datetime.fromisoformat(pair[0]), datetime.fromisoformat(pair[1]))


def _name_boundaries(message: EmailMessage, row: OutboxMessage) -> None:
    """Boundaries from the row's id: the same row gives the same bytes. Base64 parts cannot hold them."""
    containers = [part for part in message.walk() if part.is_multipart()]
    for number, part in enumerate(containers):
        part.set_boundary(f"=_{row.public_id.hex}_{number}")
