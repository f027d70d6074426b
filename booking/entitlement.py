"""Whether somebody may book an instrument at all: qualification of the person, standing of the organisation. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from booking.errors import RuleBroken
from booking.rule_errors import OrganisationSuspended, QualificationExpired, QualificationMissing, SuspendedUntil
from core.i18n import Term
from core.slot import Slot, local_date
from members.models import Suspension
from members.words import SUSPENSION_WORDS

A_MICROSECOND = timedelta(microseconds=1)


class Held(Protocol):
    """A qualification that was granted for the instrument and not ended."""

    @property
    def expires_on(self) -> date | None: ...


def find_broken_qualification(held: Sequence[Held], slot: Slot, zone: ZoneInfo) -> list[RuleBroken]:
    """A qualification must hold on the last day of the slot, by the lab's clock."""
    last_on = local_date(slot.ends_at - A_MICROSECOND, zone)
    ends = [one.expires_on for one in held]
    if any(on is None or on >= last_on for on in ends):
        return []
    latest = max((on for on in ends if on is not None), default=None)
    return [QualificationExpired(expires_on=latest)] if latest else [QualificationMissing()]


def find_broken_standing(suspension: Suspension | None, zone: ZoneInfo, *, now: datetime) -> list[RuleBroken]:
    """Nobody books for an organisation that is suspended now, whenever the slot lies."""
    if suspension is None or not suspension.holds(now):
        return []
    reason = Term(SUSPENSION_WORDS[suspension.code])
    if suspension.until is None:
        return [OrganisationSuspended(reason=reason)]
    return [SuspendedUntil(reason=reason, last_on=local_date(suspension.until - A_MICROSECOND, zone))]
