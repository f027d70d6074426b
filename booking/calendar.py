"""Calendar objects of bookings (RFC 5545, 5546, 7986). Pure: facts in, bytes out.

Times are written in UTC, so that no reader needs a zone's rules. Lines are folded at 75 octets, never inside a
character, by icalendar.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from icalendar import Calendar, Event, vCalAddress, vText

from core.slot import Slot

PRODID = "-//Yixiang//Booking 1//ZH"
REFRESH_EVERY = timedelta(minutes=30)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Method(StrEnum):
    REQUEST = "REQUEST"
    """A new or changed invitation: same UID for life, a higher SEQUENCE replaces the earlier one (RFC 5546, 3.2.2)."""
    CANCEL = "CANCEL"
    """Takes it out of the calendar again (RFC 5546, 3.2.5)."""


class Status(StrEnum):
    TENTATIVE = "TENTATIVE"
    """Requested, not decided."""
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class Mailbox:
    """A name and an address."""

    name: str
    address: str


@dataclass(frozen=True)
class Entry:
    """What a calendar shows of a booking. Holds nobody's personal data."""

    #: Random, without host or person (RFC 7986, 5.3); the same for life.
    uid: str
    #: Raised by one with each move and with the cancellation.
    sequence: int
    slot: Slot
    status: Status
    summary: str
    location: str
    description: str
    url: str
    #: When this state of the entry came to be.
    stamped_at: datetime


def make_invitation(entry: Entry, method: Method, *, organizer: Mailbox, attendee: Mailbox) -> bytes:
    """One iTIP message for one person. The person booked, so they have accepted and nobody waits for a reply."""
    assert (method == Method.CANCEL) == (entry.status == Status.CANCELLED), "a cancellation says so in both places"
    calendar = _calendar()
    calendar.add("method", method.value)
    event = _event(entry)
    event.add("organizer", _person(organizer), encode=False)
    guest = _person(attendee)
    guest.params["ROLE"] = vText("REQ-PARTICIPANT")
    guest.params["PARTSTAT"] = vText("ACCEPTED")
    guest.params["RSVP"] = vText("FALSE")
    event.add("attendee", guest, encode=False)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def make_feed(entries: Iterable[Entry], *, name: str) -> bytes:
    """A calendar to subscribe to: no METHOD, a name for new clients and for old ones, and how often to look."""
    calendar = _calendar()
    calendar.add("name", _clean(name))
    calendar.add("x-wr-calname", _clean(name))
    calendar.add("refresh-interval", REFRESH_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", REFRESH_EVERY)
    for entry in entries:
        calendar.add_component(_event(entry))
    return bytes(calendar.to_ical())


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    return calendar


def _event(entry: Entry) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.stamped_at.replace(microsecond=0))
    event.add("last-modified", entry.stamped_at.replace(microsecond=0))
    event.add("dtstart", entry.slot.starts_at)
    event.add("dtend", entry.slot.ends_at)
    event.add("summary", _clean(entry.summary))
    if entry.location:
        event.add("location", _clean(entry.location))
    if entry.description:
        event.add("description", _clean(entry.description))
    event.add("url", entry.url)
    event.add("status", entry.status.value)
    event.add("transp", "TRANSPARENT" if entry.status == Status.CANCELLED else "OPAQUE")
    event.add("class", "PRIVATE")
    return event


def _person(mailbox: Mailbox) -> vCalAddress:
    person = vCalAddress(f"mailto:{mailbox.address}")
    if mailbox.name:
        # A parameter cannot hold a double quote, not even an escaped one (RFC 5545, 3.2).
        person.params["CN"] = vText(_clean(mailbox.name).replace("\n", " ").replace('"', "'"))
    return person


def _clean(text: str) -> str:
    """A text without the control characters that RFC 5545 (3.1) forbids in content lines."""
    return _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
