"""What a slot would cost, who pays what, and what stands in its way. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import claims, conflicts, pricing, queries
from booking.errors import ModeNotOffered, NotBookable, RuleBroken, RulesBroken, SlotOutOfRange
from booking.permissions import Payer
from booking.pricing import Line, Use
from core.slot import Slot, local_date
from equipment import queries as catalogue
from equipment.models import ChargeUnit, Equipment, ServiceMode
from equipment.tariffs import tariff_on
from vouchers import service as vouchers
from vouchers.models import PaidTo

#: Further away is a slip of the pen, not a plan.
REACH = timedelta(days=3 * 366)


@dataclass(frozen=True)
class Quote:
    """A price and its parts. `own_fen` is what the payer pays now: all of it where a programme refunds afterwards."""

    lines: list[Line]
    quantities: dict[str, str]
    price_fen: int
    voucher_fen: int
    own_fen: int
    tier: str
    plan: vouchers.SharePlan
    #: The version of prices that was used, how the instrument is used, and whether the rush price counts.
    tariff_id: int
    mode: ServiceMode
    is_rush: bool


@dataclass(frozen=True)
class Preview:
    """A quote together with whatever would refuse the request now."""

    quote: Quote | None
    broken: list[RuleBroken]
    taken: list[Slot]
    alternatives: list[Slot]
    #: The holidays of the slot's year are not announced yet.
    is_provisional: bool = False

    @property
    def can_request(self) -> bool:
        return self.quote is not None and not self.broken and not self.taken


def quote_slot(
    session: Session,
    entry: Equipment,
    payer: Payer,
    slot: Slot,
    *,
    quantities: Mapping[str, Any],
    voucher: str | UUID,
    mode: ServiceMode | None = None,
    now: datetime,
    returning: str | None = None,
) -> Quote:
    """Price a slot for a payer. `mode` None: the instrument's first. `returning` names a booking whose held money
    counts as free again (a move).

    Raises NotBookable, SlotOutOfRange, RulesBroken (quantities, price) and the refusals of vouchers.
    """
    require_within_reach(slot, now)
    if not entry.is_bookable or entry.retired_at is not None:
        raise NotBookable
    zone = ZoneInfo(entry.lab.zone)
    tariff = tariff_on(entry.tariffs, local_date(slot.starts_at, zone))
    mode = mode or entry.service_modes[0]
    rush = tariff is not None and pricing.is_rush(tariff, slot.starts_at, now)
    use = Use(slot.starts_at, slot.ends_at, zone, {}, mode, rush)
    lines, amounts, broken = pricing.price_use(tariff, payer.tier, use, quantities)
    if mode not in entry.service_modes:
        broken.append(ModeNotOffered(field="mode"))
    if broken:
        raise RulesBroken(reasons=broken)
    assert tariff is not None, "a price without a tariff"
    price_fen = pricing.total_fen(lines)
    eligible = payer.may_use_vouchers and entry.voucher_eligible
    plan = vouchers.plan_share(
        session,
        organisation_id=payer.organisation_id,
        eligible_fen=price_fen if eligible else 0,
        ends_on=local_date(slot.ends_at - timedelta(microseconds=1), zone),
        choice=voucher if eligible else "none",
        now=now,
        returning=returning,
    )
    return Quote(
        lines=lines,
        quantities=_as_text(amounts),
        price_fen=price_fen,
        voucher_fen=plan.share_fen,
        own_fen=price_fen - (plan.share_fen if plan.paid_to is PaidTo.INSTITUTION else 0),
        tier=payer.tier.value,
        plan=plan,
        tariff_id=tariff.id,
        mode=mode,
        is_rush=rush,
    )


def preview_slot(
    session: Session,
    entry: Equipment,
    payer: Payer,
    slot: Slot,
    *,
    quantities: Mapping[str, Any],
    voucher: str | UUID,
    mode: ServiceMode | None = None,
    now: datetime,
) -> Preview:
    """The quote and everything that stands in its way, with the nearest free slots if something does."""
    quote: Quote | None = None
    broken: list[RuleBroken] = []
    try:
        quote = quote_slot(session, entry, payer, slot, quantities=quantities, voucher=voucher, mode=mode, now=now)
    except RulesBroken as refusal:
        broken += [reason for reason in refusal.reasons if isinstance(reason, RuleBroken)]
    broken = find_broken_rules(session, entry, slot, now=now, payer=payer) + broken
    taken = find_taken(session, entry, slot)
    in_the_way = taken or any(rule.field in ("starts_at", "ends_at") for rule in broken)
    alternatives = claims.find_alternatives(session, entry, slot, now=now) if in_the_way else []
    return Preview(quote, broken, taken, alternatives, is_provisional=is_provisional(session, entry, slot))


def find_broken_rules(
    session: Session,
    entry: Equipment,
    slot: Slot,
    *,
    now: datetime,
    payer: Payer | None = None,
    by_lab: bool = False,
    moving: int | None = None,
) -> list[RuleBroken]:
    """The entry's rules against a slot, with opening hours read for the slot's days; and, for a payer, its limits of
    a week. `moving` is the id of a booking that does not count."""
    open_slots = claims.open_slots_of(session, entry, slot.widened(1440, 1440))
    zone = ZoneInfo(entry.lab.zone)
    broken = conflicts.find_broken_rules(slot, entry, open_slots, zone=zone, now=now, by_lab=by_lab)
    if payer and not by_lab and (entry.company_week_bookings_max or entry.company_week_minutes_max):
        week = conflicts.week_of(slot, zone)
        others = queries.find_slots_of_company(session, entry.id, payer.organisation_id, week, moving=moving)
        broken += conflicts.find_broken_limits(slot, entry, others)
    return broken


def is_provisional(session: Session, entry: Equipment, slot: Slot) -> bool:
    """Whether the slot lies in a year whose holidays are not announced, on an instrument that rests on holidays."""
    if not any(part.closed_on_holidays for part in entry.hours):
        return False
    zone = ZoneInfo(entry.lab.zone)
    years = {local_date(slot.starts_at, zone).year, local_date(slot.ends_at, zone).year}
    return not years <= catalogue.find_official_years(session, years)


def find_taken(session: Session, entry: Equipment, slot: Slot) -> list[Slot]:
    """What is in the way when no unit is free; empty when one is."""
    units = [unit.id for unit in entry.units if unit.retired_at is None]
    busy = queries.find_busy(session, units, conflicts.claim_of(slot, entry))
    return [part.slot for part in busy[:3]] if {part.unit_id for part in busy} >= set(units) else []


def require_within_reach(slot: Slot, now: datetime) -> None:
    if not now - REACH < slot.starts_at < slot.ends_at < now + REACH:
        raise SlotOutOfRange(field="starts_at")


def _as_text(amounts: Mapping[ChargeUnit, Any]) -> dict[str, str]:
    return {unit.value: str(amount) for unit, amount in amounts.items()}
