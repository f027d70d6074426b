"""Rules that a lab sets aside for once, with a reason that is kept. Pure but for writing the event.

What is past, taken, out of service, without a price or refused by a voucher is never set aside; a suspended
organisation only by the zone's office.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from sqlalchemy.orm import Session

from booking.errors import ReasonMissing, RuleBroken
from booking.events import record_event
from booking.models import Booking
from booking.rule_errors import BOOKINGS_USED_UP, TIME_USED_UP, MayNotOverride, OverrideUnknown
from core.errors import Refusal
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
    """Codes of rules to set aside for once, and why; `allowed`: what whoever asks may set aside at all."""

    codes: frozenset[str] = frozenset()
    reason: str = ""
    allowed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, codes: Iterable[str], reason: str) -> Self:
        """As it was asked; `allow` says whether it may be."""
        return cls(frozenset(codes), reason)


NONE = Override()


def allow(wanted: Override, actor: Actor, *, manages: bool) -> Override:
    """What is asked, with what the actor may: managers of the lab, and of them the zone's office also a suspension.

    Raises OverrideUnknown for what is no such rule, MayNotOverride, and ReasonMissing.
    """
    allowed = _allowed_to(actor) if manages else frozenset()
    if unknown := wanted.codes - WORDS.keys():
        raise OverrideUnknown(field="override", rule=", ".join(sorted(unknown)))
    if not wanted.codes <= allowed:
        raise MayNotOverride(field="override")
    if wanted.codes and not wanted.reason.strip():
        raise ReasonMissing(field="reason")
    return replace(wanted, allowed=allowed)


def _allowed_to(actor: Actor) -> frozenset[str]:
    return OF_THE_LAB | OF_THE_ZONE if actor.has(Role.ZONE_ADMIN) else OF_THE_LAB


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


def offered(reasons: Iterable[Refusal], override: Override) -> dict[str, list[str]]:
    """As details of a refusal: which of its reasons whoever asks may set aside, each once and in order."""
    codes = list(dict.fromkeys(rule.code for rule in reasons if rule.code in override.allowed))
    return {"overridable": codes} if codes else {}


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
