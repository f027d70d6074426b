"""How long whoever decides may take, and when they are reminded. Pure: no session, no clock.

One time holds for a whole request: what the instrument allows, at most until the slot begins. Where the startup's
owner decides first, the first half of it is the owner's; what the owner leaves of it is the lab's.
"""

from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from booking.models import Awaiting
from core.slot import Slot

#: Nobody is reminded at night: from 8 to 20 o'clock by the lab's clock.
DAY_FROM, DAY_TILL = 8, 20
ALL_BP = 10_000
MINUTE = timedelta(minutes=1)


class Patience(Protocol):
    """What an instrument says about deciding."""

    @property
    def decide_minutes(self) -> int: ...
    @property
    def escalate_bp(self) -> int: ...


def first_wait(
    entry: Patience, slot: Slot, zone: ZoneInfo, *, awaited: Awaiting, lab_follows: bool, now: datetime
) -> dict[str, Any]:
    """The columns of a booking that begins to wait."""
    until = min(now + timedelta(minutes=entry.decide_minutes), slot.starts_at)
    if awaited is Awaiting.OWNER and lab_follows:
        half = (until - now) / 2
        until = now + (half - half % MINUTE or half)
    return _wait(entry, zone, awaited=awaited, since=now, until=until)


def wait_for_lab(
    entry: Patience, zone: ZoneInfo, *, since: datetime, owner_by: datetime, now: datetime
) -> dict[str, Any]:
    """The columns of a booking on which the owner has agreed: the lab has what is left of the whole time."""
    return _wait(entry, zone, awaited=Awaiting.LAB, since=now, until=lab_by(since, owner_by))


def lab_by(since: datetime, owner_by: datetime) -> datetime:
    """Until when the lab decides on a request that waits for the owner."""
    return owner_by + (owner_by - since)


def no_wait() -> dict[str, Any]:
    """The columns of a booking that waits for nobody."""
    return {"awaiting": None, "awaiting_since": None, "decide_by": None, "nudge_at": None}


def remind_at(since: datetime, until: datetime, zone: ZoneInfo) -> datetime:
    """When half of the time is left; by night at the next 8 o'clock, or the last 20 o'clock where that is too late."""
    middle = since + (until - since) / 2
    local = middle.astimezone(zone)
    if DAY_FROM <= local.hour < DAY_TILL:
        return middle
    eight = local.replace(hour=DAY_FROM, minute=0, second=0, microsecond=0)
    morning = eight if local.hour < DAY_FROM else eight + timedelta(days=1)
    evening = (morning - timedelta(days=1)).replace(hour=DAY_TILL)
    latest = since + (until - since) * 3 / 4
    for other in (morning, evening):
        if since < other.astimezone(since.tzinfo) <= latest:
            return other.astimezone(since.tzinfo)
    return middle


def escalate_at(entry: Patience, awaited: Awaiting | None, since: datetime, until: datetime) -> datetime | None:
    """When somebody above is told; None: never. Above a startup's owner there is nobody."""
    if awaited is not Awaiting.LAB or entry.escalate_bp >= ALL_BP:
        return None
    return since + (until - since) * entry.escalate_bp / ALL_BP


def _wait(entry: Patience, zone: ZoneInfo, *, awaited: Awaiting, since: datetime, until: datetime) -> dict[str, Any]:
    return {
        "awaiting": awaited,
        "awaiting_since": since,
        "decide_by": until,
        "nudge_at": remind_at(since, until, zone),
    }
