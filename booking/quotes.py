"""What a slot would cost, who pays what, and what stands in its way. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import claims, overrides, pricing, rulebook
from booking.claims import Place
from booking.errors import ModeNotOffered, NotBookable, RuleBroken, RulesBroken, SlotOutOfRange
from booking.models import Booking
from booking.overrides import Override
from booking.permissions import Payer
from booking.pricing import Line, Use
from booking.rulebook import Asker
from core.errors import InvalidInput, NotFound, Refusal
from core.slot import Slot, local_date
from equipment import queries as catalogue
from equipment.bookable import Bookable, BookableTariff, BookableUnit
from equipment.models import ChargeUnit, ServiceMode
from equipment.tariffs import tariff_on
from vouchers import service as vouchers
from vouchers.models import PaidTo

#: Further away is a slip of the pen, not a plan.
REACH = timedelta(days=3 * 366)


class Rest(Protocol):
    @property
    def closed_on_holidays(self) -> bool: ...


class Rested(Protocol):
    """What has opening hours."""

    @property
    def hours(self) -> Sequence[Rest]: ...


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
class Assessment:
    """What is asked, weighed: the quote, and everything that refuses it, each kind in its own place."""

    #: None where a rule of quantities, price or mode is broken, or where the voucher is refused.
    quote: Quote | None
    broken: list[RuleBroken]
    place: Place
    #: Why the voucher that was chosen cannot pay.
    voucher_refusal: Refusal | None
    #: The nearest free slots; None where the time is not what stands in the way.
    alternatives: list[Slot] | None
    #: What may be set aside, and which broken rules were.
    override: Override = overrides.NONE
    passed: Sequence[str] = ()

    @property
    def reasons(self) -> list[Refusal]:
        """All that stands in the way, in the order in which one would mend it."""
        found = [*self.broken, self.place.find_refusal(), self.voucher_refusal]
        return [reason for reason in found if reason is not None]

    @property
    def can_request(self) -> bool:
        return not self.reasons


def quote_slot(
    session: Session,
    entry: Bookable,
    payer: Payer,
    slot: Slot,
    *,
    quantities: Mapping[str, Any],
    voucher: str | UUID,
    mode: ServiceMode | None = None,
    now: datetime,
) -> Quote:
    """Price a slot for a payer, whatever the rules of time say (use that is past).

    Raises NotBookable, SlotOutOfRange, RulesBroken (quantities, price, mode) and the refusals of vouchers.
    """
    require_quotable(entry, slot, now)
    quote, broken, refusal = _price(
        session, entry, payer, slot, quantities=quantities, voucher=voucher, mode=mode, now=now
    )
    if broken:
        raise RulesBroken(reasons=[*broken, *([refusal] if refusal else [])])
    if refusal:
        raise refusal
    assert quote is not None, "neither a quote nor a refusal"
    return quote


def assess_slot(
    session: Session,
    entry: Bookable,
    payer: Payer,
    slot: Slot,
    *,
    quantities: Mapping[str, Any],
    voucher: str | UUID,
    mode: ServiceMode | None = None,
    now: datetime,
    override: Override = overrides.NONE,
    moving: Booking | None = None,
) -> Assessment:
    """Weigh a slot whole: every rule of the book, quantities, price, mode, voucher, and whether it is taken.

    The one way of quotes, requests and moves; a write calls it with the units locked. `moving`: a booking whose claim,
    held money and place in limits do not count. Raises NotBookable and SlotOutOfRange.
    """
    require_quotable(entry, slot, now)
    moving_id = moving.id if moving else None
    asker = Asker(payer.organisation_id, payer.person_id, payer.suspension)
    found = rulebook.find_broken_rules(session, entry, slot, asker, now=now, without=moving_id)
    broken, passed = overrides.split(found, override)
    place = claims.find_place(session, entry, slot, now=now, moving=moving_id, person_id=payer.person_id)
    quote, more, refusal = _price(
        session, entry, payer, slot, quantities=quantities, voucher=voucher, mode=mode, now=now,
        returning=moving.reference if moving else None,
    )  # fmt: skip
    in_the_way = place.unit is None or any(rule.field in ("starts_at", "ends_at") for rule in broken)
    near = None
    if in_the_way:
        near = claims.find_alternatives(
            session, entry, slot, now=now, moving=moving_id, person_id=payer.person_id
        )  # fmt: skip
    return Assessment(quote, broken + more, place, refusal, near, override, passed)


def require_granted(found: Assessment) -> tuple[Quote, BookableUnit]:
    """The quote and the free unit of a slot that nothing refuses.

    Raises RulesBroken with every reason once a rule is broken; else SlotTaken or UnitBlocked; else the voucher's
    refusal. The first two bring the nearest free slots.
    """
    if found.broken:
        near = {} if found.alternatives is None else {"alternatives": claims.as_details(found.alternatives)}
        raise RulesBroken(reasons=found.reasons, details=near | overrides.offered(found.broken, found.override))
    if refusal := found.place.find_refusal(found.alternatives) or found.voucher_refusal:
        raise refusal
    assert found.quote is not None and found.place.unit is not None, "nothing refuses, yet there is no quote"
    return found.quote, found.place.unit


def read_entry(session: Session, key: UUID | int, slot: Slot, now: datetime) -> Bookable:
    """An instrument with the calendar around a slot, as far as other slots are looked for. One statement.

    Raises EquipmentNotFound, SlotOutOfRange.
    """
    require_within_reach(slot, now)
    around = Slot(slot.starts_at - claims.ALTERNATIVES_WITHIN, slot.ends_at + claims.ALTERNATIVES_WITHIN)
    return catalogue.get_bookable(session, key, around.widened(1440, 1440))


def is_provisional(session: Session, entry: Rested, slot: Slot, zone: ZoneInfo) -> bool:
    """Whether the slot lies in a year whose holidays are not announced, on an instrument that rests on holidays."""
    if not any(part.closed_on_holidays for part in entry.hours):
        return False
    years = {local_date(slot.starts_at, zone).year, local_date(slot.ends_at, zone).year}
    return not years <= catalogue.find_official_years(session, years)


def require_quotable(entry: Bookable, slot: Slot, now: datetime) -> None:
    """Raises SlotOutOfRange and NotBookable."""
    require_within_reach(slot, now)
    if not entry.is_bookable or entry.retired_at is not None:
        raise NotBookable


def require_within_reach(slot: Slot, now: datetime) -> None:
    """Raises SlotOutOfRange at the end that lies too far away."""
    if not now - REACH < slot.starts_at < now + REACH:
        raise SlotOutOfRange(field="starts_at")
    if slot.ends_at >= now + REACH:
        raise SlotOutOfRange(field="ends_at")


def _price(
    session: Session,
    entry: Bookable,
    payer: Payer,
    slot: Slot,
    *,
    quantities: Mapping[str, Any],
    voucher: str | UUID,
    mode: ServiceMode | None,
    now: datetime,
    returning: str | None = None,
) -> tuple[Quote | None, list[RuleBroken], Refusal | None]:
    """The quote, or what is wrong with quantities, price and mode, and why the voucher cannot pay. `mode` None: the
    instrument's first. `returning` names a booking whose held money counts as free again (a move)."""
    zone = entry.zone
    tariff = tariff_on(entry.tariffs, local_date(slot.starts_at, zone))
    mode = mode or entry.service_modes[0]
    rush = tariff is not None and pricing.is_rush(tariff, slot.starts_at, now)
    use = Use(slot.starts_at, slot.ends_at, zone, {}, mode, rush)
    lines, amounts, broken = pricing.price_use(tariff, payer.tier, use, quantities)
    if mode not in entry.service_modes:
        broken.append(ModeNotOffered(field="mode"))
    price_fen = pricing.total_fen(lines)
    eligible = payer.may_use_vouchers and entry.voucher_eligible and not broken
    try:
        plan = vouchers.plan_share(
            session, organisation_id=payer.organisation_id, eligible_fen=price_fen if eligible else 0,
            ends_on=local_date(slot.ends_at - timedelta(microseconds=1), zone), choice=voucher, now=now,
            returning=returning,
        )  # fmt: skip
    except (NotFound, InvalidInput) as refusal:
        return None, broken, refusal
    if broken:
        return None, broken, None
    assert tariff is not None, "a price without a tariff"
    return _quote_of(lines, amounts, payer, plan, tariff, mode, rush=rush), [], None


def _quote_of(
    lines: list[Line],
    amounts: Mapping[ChargeUnit, Any],
    payer: Payer,
    plan: vouchers.SharePlan,
    tariff: BookableTariff,
    mode: ServiceMode,
    *,
    rush: bool,
) -> Quote:
    price_fen = pricing.total_fen(lines)
    return Quote(
        lines=lines,
        quantities={unit.value: str(amount) for unit, amount in amounts.items()},
        price_fen=price_fen,
        voucher_fen=plan.share_fen,
        own_fen=price_fen - (plan.share_fen if plan.paid_to is PaidTo.INSTITUTION else 0),
        tier=payer.tier.value,
        plan=plan,
        tariff_id=tariff.id,
        mode=mode,
        is_rush=rush,
    )
