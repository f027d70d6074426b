"""The demonstration's mailbox: every mail that was sent or waits, as its reader would see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_string, policy
from email.message import EmailMessage
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from icalendar import Calendar
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import NotFound
from core.http import Web
from core.i18n import N_, Lang, translate
from core.outbox import OutboxMessage
from core.slot import Slot
from members.access import Visitor

router = APIRouter(include_in_schema=False)
PAGE = 50

KIND_WORDS: dict[str, str] = {
    "booking_requested": N_("Request to the lab"),
    "request_received": N_("Request received"),
    "booking_approved": N_("Approval"),
    "booking_declined": N_("Refusal"),
    "booking_cancelled": N_("Cancellation"),
    "booking_moved": N_("Time changed"),
    "booking_expired": N_("Not decided"),
    "booking_completed": N_("Receipt"),
    "booking_no_show": N_("No-show"),
    "visit_overdue": N_("Not checked out"),
    "reminder_24h": N_("Reminder 24 hours before"),
    "reminder_1h": N_("Reminder 1 hour before"),
    "usage_report": N_("Usage report"),
}


#: Where a mail stands, and what the tab is called.
SHELVES: dict[str, str] = {"sent": N_("Sent"), "waiting": N_("Waiting to go out"), "dropped": N_("Not sent")}


class MailNotFound(NotFound):
    message = "There is no such mail, or its text was blanked after 90 days."


@dataclass(frozen=True)
class Invitation:
    """The calendar part of a mail, read back from the mail itself."""

    method: str
    summary: str
    location: str
    slot: Slot
    sequence: int
    status: str
    organizer: str
    attendee: str


@dataclass(frozen=True)
class Line:
    """One mail in the list."""

    public_id: UUID
    kind: str
    recipient: str
    subject: str
    at: datetime
    #: sent, waiting, later or dropped.
    state: str
    has_invitation: bool
    error: str


@router.get("/demo/mailbox")
def list_mail(
    web: Visitor,
    to: Annotated[str, Query(max_length=254)] = "",
    show: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """What was sent, newest first; what waits, next first; what was dropped and why."""
    shelf = show if show in SHELVES else "sent"
    with web.read() as session:
        rows = _find_rows(session, shelf, to, page)
        counts = {name: _count(session, name, to) for name in SHELVES}
        people = session.execute(
            select(OutboxMessage.recipient, func.count())
            .group_by(OutboxMessage.recipient)
            .order_by(OutboxMessage.recipient)
        ).all()
    options = [{"value": "", "text": translate(web.lang, N_("Everybody"))}]
    return web.render(
        "pages/demo/mailbox.html",
        lines=[_line(row, web) for row in rows[:PAGE]],
        to=to,
        leaves=bool(web.settings.smtp_url),
        shelf=shelf,
        tabs=[
            {
                "text": translate(web.lang, SHELVES[name]),
                "href": _url(name, to),
                "current": name == shelf,
                "count": counts[name],
            }
            for name in SHELVES
        ],
        people=options + [{"value": address, "text": f"{address} ({number})"} for address, number in people],
        previous_url=_url(shelf, to, page - 1) if page > 1 else "",
        next_url=_url(shelf, to, page + 1) if len(rows) > PAGE else "",
    )


@router.get("/demo/mailbox/{mail_id}.eml")
def download_mail(mail_id: UUID, web: Visitor) -> Response:
    """The whole message as it was handed over."""
    _row, message = _get_sent(web, mail_id)
    return Response(
        message.as_bytes(policy=policy.SMTP),
        media_type="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="{mail_id}.eml"'},
    )


@router.get("/demo/mailbox/{mail_id}.ics")
def download_invitation(mail_id: UUID, web: Visitor) -> Response:
    """The attached calendar object."""
    _row, message = _get_sent(web, mail_id)
    body = _calendar_part(message)
    if body is None:
        raise MailNotFound
    return Response(
        body,
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="invite.ics"'},
    )


@router.get("/demo/mailbox/{mail_id}")
def show_mail(mail_id: UUID, web: Visitor) -> Response:
    """One mail: its head, its words, its invitation; for one that waits, when it goes out."""
    with web.read() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.public_id == mail_id)).one_or_none()
    if row is None:
        raise MailNotFound
    message = _parse(row.body) if row.body else None
    body = _calendar_part(message) if message is not None else None
    return web.render(
        "pages/demo/mail.html",
        line=_line(row, web),
        headers=_headers(message) if message is not None else [],
        text=_text(message, "plain"),
        html_source=_text(message, "html"),
        invitation=read_invitation(body) if body else None,
        base_url=web.settings.base_url,
    )


def read_invitation(body: bytes) -> Invitation:
    """What, when and which change of it: as a calendar program would read it."""
    calendar = Calendar.from_ical(body)
    event = calendar.events[0]
    return Invitation(
        method=str(calendar.get("METHOD", "")),
        summary=str(event["SUMMARY"]),
        location=str(event.get("LOCATION", "")),
        slot=Slot(event.decoded("DTSTART"), event.decoded("DTEND")),
        sequence=int(event.get("SEQUENCE", 0)),
        status=str(event.get("STATUS", "")),
        organizer=str(event.get("ORGANIZER", "")).removeprefix("mailto:"),
        attendee=str(event.get("ATTENDEE", "")).removeprefix("mailto:"),
    )


def _find_rows(session: Session, shelf: str, to: str, page: int) -> Sequence[OutboxMessage]:
    """One page and one row more, which tells whether there is another."""
    order = {
        "sent": (OutboxMessage.sent_at.desc(), OutboxMessage.id.desc()),
        "waiting": (OutboxMessage.due_at, OutboxMessage.id),
        "dropped": (OutboxMessage.dropped_at.desc(), OutboxMessage.id.desc()),
    }[shelf]
    statement = select(OutboxMessage).where(*_conditions(shelf, to)).order_by(*order)
    return session.scalars(statement.offset((page - 1) * PAGE).limit(PAGE + 1)).all()


def _count(session: Session, shelf: str, to: str) -> int:
    return session.scalar(select(func.count()).select_from(OutboxMessage).where(*_conditions(shelf, to))) or 0


def _conditions(shelf: str, to: str) -> Sequence[ColumnElement[bool]]:
    row = OutboxMessage
    on_shelf: Sequence[ColumnElement[bool]] = {
        "sent": [row.sent_at.is_not(None)],
        "waiting": [row.sent_at.is_(None), row.dropped_at.is_(None)],
        "dropped": [row.dropped_at.is_not(None), row.sent_at.is_(None)],
    }[shelf]
    return [*on_shelf, row.recipient == to.strip().lower()] if to else on_shelf


def _url(shelf: str, to: str, page: int = 1) -> str:
    words = {"show": shelf, "to": to, "page": page if page > 1 else ""}
    return f"/demo/mailbox?{urlencode({name: word for name, word in words.items() if word})}"


def _line(row: OutboxMessage, web: Web) -> Line:
    message = _parse(row.body) if row.body else None
    kind = translate(web.lang, KIND_WORDS.get(row.kind, row.kind))
    state = "sent" if row.sent_at else "dropped" if row.dropped_at else "waiting" if row.due_at <= web.now else "later"
    return Line(
        public_id=row.public_id,
        kind=kind,
        recipient=row.recipient,
        subject=str(message["Subject"]) if message is not None else kind,
        at=row.sent_at or row.dropped_at or row.due_at,
        state=state,
        has_invitation=message is not None and _calendar_part(message) is not None,
        error=_why(row, web.lang),
    )


def _why(row: OutboxMessage, lang: Lang) -> str:
    """Why it was not sent."""
    if row.last_error == "obsolete":
        return translate(lang, N_("no longer true when it was due, so not sent"))
    return row.last_error


def _get_sent(web: Web, mail_id: UUID) -> tuple[OutboxMessage, EmailMessage]:
    with web.read() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.public_id == mail_id)).one_or_none()
    if row is None or not row.body:
        raise MailNotFound
    return row, _parse(row.body)


def _parse(body: str) -> EmailMessage:
    message = message_from_string(body, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _headers(message: EmailMessage) -> list[dict[str, str]]:
    names = ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language")
    envelope = [{"label": name, "value": str(message[name])} for name in names if message[name]]
    parts = ", ".join(part.get_content_type() for part in message.walk() if not part.is_multipart())
    return [*envelope, {"label": "MIME", "value": parts}]


def _text(message: EmailMessage | None, subtype: str) -> str:
    part = message.get_body((subtype,)) if message is not None else None
    return str(part.get_content()) if part is not None else ""


def _calendar_part(message: EmailMessage) -> bytes | None:
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            body = part.get_payload(decode=True)
            return body if isinstance(body, bytes) else None
    return None
