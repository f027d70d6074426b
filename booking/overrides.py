"""Rules that a lab sets aside for once, with a reason that is kept. Pure but for writing the event.

What is past, taken, out of service, without a price or refused by a voucher is never set aside; a suspended
organisation only by the zone's office.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from booking.errors import ReasonMissing, RuleBroken
from booking.events import record_event
from booking.models import Booking
from booking.rule_errors import BOOKINGS_USED_UP, TIME_USED_UP, MayNotOverride, OverrideUnknown
from core.i18n import N_
from members import notes
from members.actor import Actor
from members.models import Role

#: Codes that a lab may set aside, and what they are called in a booking's story.
WORDS: dict[str, str] = {
    "too_soon": N_("lead time"),
    "too_far_ahead": N_("how far ahead"),
    "too_short": N_("shortest slot"),
    "too_long": N_("longest slot"),
    "off_step": N_("slot step"),
    "outside_opening_hours": N_("opening hours"),
    "day_bookings_used_up": N_("bookings in a day"),
    "week_bookings_used_up": N_("bookings in a week"),
    "month_bookings_used_up": N_("bookings in a month"),
    "day_time_used_up": N_("time in a day"),
    "week_time_used_up": N_("time in a week"),
    "month_time_used_up": N_("time in a month"),
    "qualification_missing": N_("qualification"),
    "qualification_expired": N_("qualification"),
    "organisation_suspended": N_("suspension"),
}
OF_THE_ZONE = frozenset({"organisation_suspended"})
OF_THE_LAB = frozenset(WORDS) - OF_THE_ZONE
assert {kind.code for kind in (*BOOKINGS_USED_UP.values(), *TIME_USED_UP.values())} <= OF_THE_LAB


@dataclass(frozen=True, slots=True)
class Override:
    """Codes of rules to set aside, and why."""

    codes: frozenset[str] = frozenset()
    reason: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.codes


NONE = Override()


def overridable_by(actor: Actor, *, manages: bool) -> frozenset[str]:
    """What somebody may set aside: managers of the lab, and there the zone's office also a suspension."""
    if not manages:
        return frozenset()
    return OF_THE_LAB | OF_THE_ZONE if actor.has(Role.ZONE_ADMIN) else OF_THE_LAB


def require_allowed(override: Override, allowed: frozenset[str]) -> None:
    """Raises OverrideUnknown for what is no such rule, MayNotOverride, and ReasonMissing."""
    if override.is_empty:
        return
    if unknown := override.codes - WORDS.keys():
        raise OverrideUnknown(field="override", rule=", ".join(sorted(unknown)))
    if not override.codes <= allowed:
        raise MayNotOverride(field="override")
    if not override.reason.strip():
        raise ReasonMissing(field="reason")


def split(broken: Iterable[RuleBroken], override: Override) -> tuple[list[RuleBroken], list[str]]:
    """The rules that still refuse, and the codes that were set aside, each once and in order."""
    left: list[RuleBroken] = []
    passed: list[str] = []
    for rule in broken:
        if rule.code not in override.codes:
            left.append(rule)
        elif rule.code not in passed:
            passed.append(rule.code)
    return left, passed


def offered(reasons: Iterable[RuleBroken], allowed: frozenset[str]) -> list[str]:
    """Which of some refusals somebody may set aside, each once and in order."""
    return list(dict.fromkeys(rule.code for rule in reasons if rule.code in allowed))


def record(
    session: Session, booking: Booking, override: Override, passed: Sequence[str], *, verb: str, actor: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """One event with the codes that were set aside and for what; the reason is an erasable note."""
    if not passed:
        return
    note = notes.write(session, override.reason, person_id=actor.person_id, now=now, field="reason")
    record_event(
        session, booking, "overridden", booking.state, actor=actor, now=now, note=note,
        data={"override": list(passed), "for": verb},
    )  # fmt: skip
