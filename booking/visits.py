"""The day itself: check in, check out, no-show, and use that is past."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import claims, notices, permissions, pricing, queries, quotes
from booking.errors import (
    CheckInTooEarly,
    OnlyLabShortensVisit,
    PastUseInFuture,
    PastUseTooLong,
    ReasonMissing,
    RulesBroken,
    SlotTaken,
    VisitEndInvalid,
    VisitEndMissing,
)
from booking.events import change_state, record_event, require_state
from booking.models import Booking, Source, State, Visit
from booking.pricing import Use
from booking.service import add_booking, agreed, end_booking, lock_booking, require_manager_of
from core.money import share_fen
from core.slot import Slot
from equipment import queries as catalogue
from equipment.bookable import Bookable, BookableUnit
from equipment.models import ChargeUnit, ServiceMode, Tariff, Tier
from members import notes
from members import queries as members
from members.actor import Actor
from vouchers import service as vouchers
from vouchers.models import PaidTo

CHECK_IN_EARLIEST = timedelta(minutes=30)
#: So long after the slot's end a check-out must say when the use ended.
END_SURE = timedelta(hours=2)
#: So long after the slot's end a visit that goes on is shown and told as overdue.
OVERDUE_AFTER = timedelta(hours=1)
#: Past use of instruments whose longest slot is shorter may still fill a day.
PAST_USE_MIN_MAX = 24 * 60


def check_in(session: Session, actor: Actor, booking_id: UUID, *, now: datetime) -> Booking:
    """Begin the visit, from 30 minutes before the start.

    Raises BookingNotFound, Forbidden, StateChanged, CheckInTooEarly.
    """
    booking = _locked_visit(session, actor, booking_id)
    require_state(booking, "checked_in")
    if now < booking.starts_at - CHECK_IN_EARLIEST:
        raise CheckInTooEarly
    session.add(Visit(booking_id=booking.id, checked_in_at=now))
    change_state(session, booking, "checked_in", actor=actor, now=now)
    return queries.get_booking_by_id(session, booking.id)


def check_out(
    session: Session,
    actor: Actor,
    booking_id: UUID,
    *,
    ended_at: datetime | None = None,
    quantities: Mapping[str, Any] | None = None,
    note: str = "",
    now: datetime,
) -> Booking:
    """End the visit: price the actual use, capture the hold up to it, release the rest, charge the own share.

    Quantities that are not given stay as booked, an end that is not given is now. Raises as check in, VisitEndMissing,
    VisitEndInvalid, OnlyLabShortensVisit, and RulesBroken for quantities.
    """
    booking = _locked_visit(session, actor, booking_id)
    require_state(booking, "checked_out")
    visit = booking.visit
    assert visit is not None, "in use without a visit"
    asked = booking.quantities | {name: raw for name, raw in (quantities or {}).items() if str(raw).strip()}
    tariff = catalogue.get_tariff(session, booking.tariff_id)
    amounts, broken = pricing.read_quantities(asked, pricing.rates_for(tariff, Tier(booking.tier)))
    if broken:
        raise RulesBroken(reasons=broken)
    by_lab = permissions.may_shorten_visit(actor, booking, catalogue.find_lab_ids_run_by(session, actor.person_id))
    if not by_lab and _is_less(amounts, booking):
        raise OnlyLabShortensVisit
    visit.checked_out_at = _end_of_use(booking, visit, ended_at, by_lab=by_lab, now=now)
    visit.quantities = {unit.value: str(amount) for unit, amount in amounts.items()}
    words = notes.write(session, note, person_id=actor.person_id, now=now) if note.strip() else None
    visit.note_id = words.id if words else None
    _settle(session, booking, visit, tariff, amounts, now=now)
    claims.drop_claim(session, booking)
    money = {"price_fen": visit.price_fen, "voucher_fen": visit.voucher_fen, "own_fen": visit.own_fen}
    change_state(session, booking, "checked_out", actor=actor, now=now, data=money, note=words)
    notices.completed(session, booking, now=now)
    return booking


def enter_past_use(
    session: Session,
    actor: Actor,
    *,
    equipment_id: UUID,
    email: str,
    slot: Slot,
    quantities: Mapping[str, Any],
    voucher: str | UUID = "auto",
    mode: ServiceMode | None = None,
    reason: str,
    now: datetime,
) -> Booking:
    """The lab enters use that has happened without a booking, and why. Charged at once.

    At most a day or the instrument's longest slot, whichever is more, so that a wrong date is not charged.
    Raises MayNotRunLab, PastUseInFuture, PastUseTooLong, ReasonMissing, SlotTaken, and the refusals of a quote.
    """
    entry = quotes.read_entry(session, equipment_id, slot, now)
    require_manager_of(session, actor, entry)
    if slot.ends_at > now:
        raise PastUseInFuture(field="ends_at")
    longest = max(PAST_USE_MIN_MAX, entry.length_minutes_max)
    if slot.length > timedelta(minutes=longest):
        raise PastUseTooLong(field="ends_at", longest_minutes=longest)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    person, grant = members.get_booker_by_email(session, email)
    payer = permissions.payer_of(grant, entry, person.id)
    claims.lock_for(session, payer.organisation_id, entry)
    unit = _unit_free_in_past(session, entry, slot)
    quote = quotes.quote_slot(session, entry, payer, slot, quantities=quantities, voucher=voucher, mode=mode, now=now)
    note = notes.write(session, reason, person_id=actor.person_id, now=now)
    placed = add_booking(
        session, equipment_id=entry.id, unit_id=unit.id, organisation_id=payer.organisation_id, person_id=person.id,
        state=State.COMPLETED, source=Source.LAB, starts_at=slot.starts_at, ends_at=slot.ends_at, requested_at=now,
        payee_id=entry.payee_id, voucher_choice=str(voucher), **agreed(quote),
    )  # fmt: skip
    booking = queries.get_booking_by_id(session, placed.id)
    vouchers.place_holds(session, quote.plan, reference=booking.reference, now=now)
    visit = Visit(
        booking_id=booking.id, checked_in_at=slot.starts_at, checked_out_at=slot.ends_at, quantities=quote.quantities
    )
    session.add(visit)
    amounts = {ChargeUnit(name): Decimal(amount) for name, amount in quote.quantities.items()}
    tariff = catalogue.get_tariff(session, quote.tariff_id)
    _settle(session, booking, visit, tariff, amounts, now=now)
    record_event(session, booking, "checked_out", None, actor=actor, now=now, note=note)
    booking = queries.get_booking_by_id(session, booking.id)
    notices.completed(session, booking, now=now)
    return booking


def mark_no_shows(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find approved bookings that began; 2. leave those whose patience is not over; 3. under each one's lock,
    look again; 4. mark the no-show: slot and money are free; 5. tell who booked and the lab."""
    missed = 0
    for booking_id, starts_at, patience in queries.find_possible_no_shows(session, now=now):
        if missed >= limit:
            break
        if now < starts_at + timedelta(minutes=patience):
            continue
        booking = lock_booking(session, booking_id)
        if booking.state is State.APPROVED and booking.starts_at + timedelta(minutes=patience) <= now:
            fee_fen = share_fen(booking.price_fen, booking.equipment.no_show_fee_bp)
            end_booking(session, booking, "no_show", actor=None, now=now, fee_fen=fee_fen)
            notices.no_show(session, booking, now=now)
            missed += 1
    return missed


def suggested_end(booking: Booking, now: datetime) -> datetime:
    """What a check-out form proposes: now, or the slot's end when that is long past, never before the check-in."""
    if booking.visit is None or not is_end_doubtful(booking, now):
        return now
    return max(booking.ends_at, booking.visit.checked_in_at)


def is_overdue(booking: Booking, now: datetime) -> bool:
    """Whether a visit should long have been checked out."""
    return booking.state is State.IN_USE and now > _last_sure_end(booking) + OVERDUE_AFTER


def is_end_doubtful(booking: Booking, now: datetime) -> bool:
    """Whether so much time has passed since the slot that now is hardly the end of the use."""
    return now > _last_sure_end(booking) + END_SURE


def _last_sure_end(booking: Booking) -> datetime:
    """The slot's end, or the check-in that came even later."""
    return max(booking.ends_at, booking.visit.checked_in_at) if booking.visit else booking.ends_at


def _end_of_use(booking: Booking, visit: Visit, ended_at: datetime | None, *, by_lab: bool, now: datetime) -> datetime:
    """The end that was said, or now. Raises VisitEndMissing, VisitEndInvalid, OnlyLabShortensVisit."""
    if ended_at is None:
        if is_end_doubtful(booking, now):
            raise VisitEndMissing(field="ended_at") if by_lab else OnlyLabShortensVisit
        return max(now, visit.checked_in_at)
    # A form's time has no seconds: the minute of the check-in is not before it.
    if not visit.checked_in_at.replace(second=0, microsecond=0) <= ended_at <= now:
        raise VisitEndInvalid(field="ended_at")
    if not by_lab and ended_at != now:
        raise OnlyLabShortensVisit(field="ended_at")
    return max(ended_at, visit.checked_in_at)


def _is_less(amounts: Mapping[ChargeUnit, Decimal], booking: Booking) -> bool:
    return any(amount < Decimal(booking.quantities.get(unit.value, "0")) for unit, amount in amounts.items())


def _settle(
    session: Session,
    booking: Booking,
    visit: Visit,
    tariff: Tariff,
    amounts: Mapping[ChargeUnit, Decimal],
    *,
    now: datetime,
) -> None:
    """Price the visit by the version that was agreed, capture min(held, share of the actual price), charge what the
    payer owes."""
    assert visit.checked_out_at is not None
    use = Use(
        visit.checked_in_at, visit.checked_out_at, ZoneInfo(booking.equipment.lab.zone), amounts, booking.service_mode,
        booking.is_rush,
    )  # fmt: skip
    lines = pricing.price_lines(tariff, Tier(booking.tier), use)
    price = pricing.total_fen(lines)
    refunded_later = booking.paid_to == PaidTo.COMPANY
    captured = vouchers.capture_holds(
        session,
        reference=booking.reference,
        amount_fen=share_fen(price, booking.share_bp),
        payee_id=booking.organisation_id if refunded_later else booking.payee_id,
        now=now,
    )
    own = price if refunded_later else price - captured
    vouchers.charge_own_share(
        session,
        organisation_id=booking.organisation_id,
        payee_id=booking.payee_id,
        amount_fen=own,
        cause=f"own:{booking.reference}",
        reference=booking.reference,
        now=now,
    )
    visit.lines = [line.as_json() for line in lines]
    visit.price_fen, visit.voucher_fen, visit.own_fen = price, captured, own


def _locked_visit(session: Session, actor: Actor, booking_id: UUID) -> Booking:
    booking = lock_booking(session, booking_id)
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    permissions.require_seen(actor, booking, lab_ids)
    permissions.require(permissions.may_check_in(actor, booking, lab_ids))
    return booking


def _unit_free_in_past(session: Session, entry: Bookable, slot: Slot) -> BookableUnit:
    """A unit on which nothing was recorded in that time. Raises SlotTaken."""
    keys = [unit.id for unit in entry.units]
    taken = queries.find_busy(session, keys, slot) + queries.find_past_use(session, keys, slot)
    used = {part.unit_id for part in taken}
    for unit in entry.units:
        if unit.id not in used:
            return unit
    raise SlotTaken(taken=[part.slot for part in taken[:3]], details={"alternatives": []})
