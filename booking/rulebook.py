"""Every rule of booking against a slot: the one way of previews, requests, moves, approvals and what comes later.

All broken rules come at once, in the order in which one would mend them. What costs a statement is asked only where
the instrument says so: limits, where any counts for it; qualifications, where it needs one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import conflicts, entitlement, limits, queries
from booking.errors import RuleBroken
from booking.limits import Who
from core.slot import Slot
from equipment import qualifying
from equipment.limits import Limit
from members.models import Suspension


class Ruled(conflicts.Policy, limits.HasWeekLimits, Protocol):
    """What a rule must know of an instrument."""

    @property
    def id(self) -> int: ...
    @property
    def lab_id(self) -> int: ...
    @property
    def category(self) -> str: ...
    @property
    def zone(self) -> ZoneInfo: ...
    @property
    def needs_qualification(self) -> bool: ...
    @property
    def limits(self) -> Sequence[Limit]: ...
    def open_slots(self, window: Slot) -> list[Slot]: ...


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom a slot is asked."""

    organisation_id: int
    person_id: int
    #: The last one of the organisation, whether it holds still or not.
    suspension: Suspension | None = None


def find_broken_rules(
    session: Session,
    entry: Ruled,
    slot: Slot,
    asker: Asker,
    *,
    now: datetime,
    without: int | None = None,
    is_decided: bool = False,
) -> list[RuleBroken]:
    """All rules that a slot breaks for somebody.

    `without`: the id of a booking that does not count (it is moved, or decided on). `is_decided`: the slot was asked
    for in time, so lead time and horizon are over.
    """
    open_slots = entry.open_slots(slot.widened(1440, 1440))
    return [
        *conflicts.find_broken_rules(slot, entry, open_slots, zone=entry.zone, now=now, is_decided=is_decided),
        *_find_broken_limits(session, entry, slot, asker, without=without),
        *_find_broken_qualification(session, entry, slot, asker),
        *entitlement.find_broken_standing(asker.suspension, entry.zone, now=now),
    ]


def _find_broken_limits(
    session: Session, entry: Ruled, slot: Slot, asker: Asker, *, without: int | None
) -> Sequence[RuleBroken]:
    """One statement where any limit counts. Under a lock of the company the answer holds."""
    counting = limits.limits_of(entry, entry.limits)
    if not counting:
        return []
    who = Who(entry.id, entry.lab_id, asker.organisation_id, asker.person_id)
    window = limits.widest_window(counting, slot, entry.zone)
    had = queries.find_had(session, who, counting, window, without=without)
    return limits.find_broken_limits(slot, counting, had, who=who, zone=entry.zone)


def _find_broken_qualification(session: Session, entry: Ruled, slot: Slot, asker: Asker) -> list[RuleBroken]:
    if not entry.needs_qualification:
        return []
    held = qualifying.find_held(session, asker.person_id, entry.id, entry.category, entry.lab_id)
    return entitlement.find_broken_qualification(held, slot, entry.zone)
