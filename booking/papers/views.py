"""What the booking's page shows of its papers, as ready words and values."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.responses import Response

from booking.models import Booking
from booking.pages.views import card_of
from booking.papers import files, messages, orders, sides
from booking.papers.models import BookingFile
from booking.papers.sides import Side
from booking.queries import whole_booking
from core.i18n import gettext
from equipment import papers
from members import notes
from members.access import Caller

#: Messages on the page; the rest behind a link.
SHOWN = 50
#: Bookings with new messages on the lab's desk.
WRITTEN_SHOWN = 10


@dataclass(frozen=True)
class Papers:
    """Order, files and thread of one booking for one reader."""

    context: dict[str, Any]
    #: The last message, where it is new to this reader.
    unread_to: int | None


def read_papers(
    session: Session, caller: Caller, booking: Booking, lab_ids: frozenset[int], *, all_messages: bool
) -> Papers:
    """Five statements, whatever there is."""
    side = sides.side_of(caller.actor, booking, lab_ids)
    rows = files.find_files(session, booking.id)
    total = messages.count_messages(session, booking.id)
    thread = messages.find_messages(session, booking.id, limit=messages.MESSAGES_MOST if all_messages else SHOWN)
    new = messages.count_unread(session, [booking.id], side, caller.actor.person_id) if side and thread else {}
    order = orders.find_order(session, booking)
    is_lab = side is Side.LAB
    writes = side is not None and not caller.actor.only_reads
    context = {
        "order": order,
        "can_issue": order is None and booking.state in orders.ISSUABLE and not caller.actor.only_reads,
        "files": [
            {"file": row.file, "who": row.person_name, "side": _side_word(caller, by_lab=row.file.by_lab),
             "can_remove": writes and (is_lab or row.file.person_id == caller.actor.person_id)}
            for row in rows
        ],
        "files_most": files.FILES_MOST,
        "file_megabytes": papers.MEGABYTES_MAX,
        "file_kinds": ",".join(f".{kind}" for kind in papers.RESULT_KINDS),
        "messages": [
            {"message": row.message, "who": row.person_name, "words": row.words,
             "side": _side_word(caller, by_lab=row.message.by_lab),
             "is_mine": side is not None and row.message.by_lab == is_lab,
             "is_new": side is not None and row.message.by_lab != is_lab and bool(new)
             and place >= len(thread) - _new_from(thread, new.get(booking.id, 0), is_lab)}
            for place, row in enumerate(thread)
        ],
        "earlier": total - len(thread),
        "message_longest": notes.LONGEST,
        "can_write": writes,
        "writes_to": gettext(caller.lang, "to the startup") if is_lab else gettext(caller.lang, "to the lab"),
    }  # fmt: skip
    return Papers(context, thread[-1].message.id if new else None)


def read_written(session: Session, caller: Caller, lab_ids: frozenset[int]) -> list[dict[str, Any]]:
    """Bookings of labs in which startups wrote something new, the newest first. Two statements at most."""
    counts = messages.find_unread_of_labs(session, lab_ids, caller.actor.person_id, now=caller.now, limit=WRITTEN_SHOWN)
    if not counts:
        return []
    found = {row.id: row for row in session.scalars(whole_booking().where(Booking.id.in_(counts)))}
    return [
        {"card": card_of(found[key], lang=caller.lang, now=caller.now), "count": number}
        for key, number in counts.items()
    ]


def _new_from(thread: list[messages.MessageRow], number: int, is_lab: bool) -> int:
    """How many rows from the end hold the last `number` messages of the other side."""
    for back, row in enumerate(reversed(thread), 1):
        number -= row.message.by_lab != is_lab
        if number <= 0:
            return back
    return len(thread)


def _side_word(caller: Caller, *, by_lab: bool) -> str:
    return gettext(caller.lang, "lab") if by_lab else gettext(caller.lang, "startup")


def as_download(file: BookingFile) -> Response:
    """Nothing that was uploaded is shown as a page of ours, whatever it claims to be."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.file_name)}",
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(file.content, media_type=file.media_type, headers=headers)
