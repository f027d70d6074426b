"""A person's calendar to subscribe to: a secret address that a calendar program reads again and again.

One's own bookings; for those who run labs also what is booked there, without anybody's name. The address is the only
proof of who asks, so an unknown, revoked or expired one looks like nothing at all.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import queries
from booking.calendar import Entry, Status, make_feed
from booking.letters import Desk
from booking.mail import calendar_entry
from booking.models import Booking, BookingEvent, State
from booking.notices import language_of
from booking.queries import BookingFilter
from booking.states import LIVE
from core.errors import NotFound
from core.http import WebIn
from core.i18n import N_, Lang, translate
from core.rendering import localised
from equipment import queries as catalogue
from members import queries as members
from members.actor import Actor
from members.models import Role
from members.service import hash_token

router = APIRouter(include_in_schema=False)

BACK, AHEAD = timedelta(days=90), timedelta(days=366)
ENTRIES_MAX = 2000
STATUS_OF: dict[State, Status] = {
    State.REQUESTED: Status.TENTATIVE,
    State.APPROVED: Status.CONFIRMED,
    State.IN_USE: Status.CONFIRMED,
    State.COMPLETED: Status.CONFIRMED,
}


class FeedNotFound(NotFound):
    message = "There is no calendar at this address. Copy the address again from your settings."


@router.api_route("/feeds/{token}.ics", methods=["GET", "HEAD"])
def read_feed(token: str, web: WebIn, if_none_match: Annotated[str, Header()] = "") -> Response:
    """The calendar behind a secret address; 304 while nothing has changed."""
    desk = Desk(web.settings.base_url, web.site.renderer.zone.key)
    with web.read() as session:
        actor = members.get_actor_by_token(session, hash_token(token), purpose="feed", now=web.now)
        if actor is None:
            raise FeedNotFound
        body = make_person_feed(session, actor, desk, now=web.now)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, max-age=300",
        "X-Robots-Tag": "noindex",
        "Content-Disposition": 'inline; filename="yixiang.ics"',
    }
    if _is_known(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="text/calendar; charset=utf-8")


def make_person_feed(session: Session, actor: Actor, desk: Desk, *, now: datetime) -> bytes:
    """The feed of a person, from BACK before now to AHEAD after it."""
    lang = language_of(actor.locale)
    near = BookingFilter(
        states=frozenset(STATUS_OF), starts_before=now + AHEAD, ends_after=now - BACK, newest_first=True
    )
    own = _find(session, near, person_id=actor.person_id)
    runs_labs = actor.has(Role.LAB_MANAGER, Role.LAB_OPERATOR)
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id) if runs_labs else frozenset()
    known = {booking.id for booking in own}
    of_labs = [b for b in _find(session, near, lab_ids=lab_ids) if b.id not in known] if lab_ids else []
    stamps = _find_last_changes(session, [*own, *of_labs])
    entries = [_own_entry(booking, lang, desk, stamps) for booking in own]
    entries += [_lab_entry(booking, lang, desk, stamps) for booking in of_labs]
    entries.sort(key=lambda entry: (entry.slot, entry.uid))
    name = translate(lang, N_("Yixiang · labs and bookings") if lab_ids else N_("Yixiang · bookings"))
    return make_feed(entries, name=name)


def _find(
    session: Session, near: BookingFilter, *, person_id: int | None = None, lab_ids: frozenset[int] | None = None
) -> list[Booking]:
    """The latest ENTRIES_MAX: when a lab has more, its oldest are left out."""
    wanted = BookingFilter(**(vars(near) | {"person_id": person_id, "lab_ids": lab_ids}))
    return queries.find_bookings(session, wanted, limit=ENTRIES_MAX)


def _find_last_changes(session: Session, bookings: Iterable[Booking]) -> dict[int, datetime]:
    """Booking id -> its last event: a stamp that only moves when the entry does, so that the tag stays the same."""
    keys = [booking.id for booking in bookings]
    statement = (
        select(BookingEvent.booking_id, func.max(BookingEvent.at).label("at"))
        .where(BookingEvent.booking_id.in_(keys))
        .group_by(BookingEvent.booking_id)
    )
    return {row.booking_id: row.at for row in session.execute(statement)}


def _own_entry(booking: Booking, lang: Lang, desk: Desk, stamps: dict[int, datetime]) -> Entry:
    """What one's own calendar shows; a booking that is over cannot be changed, so nothing says how."""
    entry = calendar_entry(
        booking,
        STATUS_OF[State(booking.state)],
        lang=lang,
        desk=desk,
        stamped_at=stamps.get(booking.id, booking.requested_at),
    )
    return entry if State(booking.state) in LIVE else replace(entry, description="")


def _lab_entry(booking: Booking, lang: Lang, desk: Desk, stamps: dict[int, datetime]) -> Entry:
    """What a lab's calendar shows: the instrument and which organisation comes, no person and no contact."""
    entry = _own_entry(booking, lang, desk, stamps)
    organisation = localised(booking.organisation, lang)
    return replace(entry, summary=f"{entry.summary} · {organisation}", description="")


def _is_known(tag: str, if_none_match: str) -> bool:
    """RFC 9110, 13.1.2: any of the tags, weak or not, or a star."""
    tags = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return tag in tags or "*" in tags
