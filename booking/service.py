"""The main job: request, cancel, move; `deciding` approves and declines. Each verb is one unit of work of the caller.

The way of a request, top to bottom: may this person -> lock the company and the unit -> the rules -> the quote ->
the claim -> the hold -> the event -> the notices.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from booking import acceptance, claims, deadlines, notices, overrides, permissions, queries, quotes
from booking.errors import MayNotRunLab, ReasonMissing, VersionStale
from booking.events import change_state, is_unguarded, record_event, require_state
from booking.models import Awaiting, Booking, Source, State
from booking.notices import Recipient
from booking.overrides import Override
from booking.permissions import Payer
from booking.quotes import Assessment, Quote
from core.db import lock_rows, table_of
from core.ids import new_public_id
from core.money import share_fen
from core.slot import Slot
from equipment import queries as catalogue
from equipment.bookable import Bookable, BookableUnit
from equipment.models import ApprovalMode, ServiceMode, Tier
from members import notes
from members import queries as members
from members.actor import Actor
from members.models import Note, Role
from vouchers import service as vouchers


class InLab(Protocol):
    """What stands in a lab."""

    @property
    def lab_id(self) -> int: ...


class Placed(NamedTuple):
    """A new booking, and what it was made from."""

    booking: Booking
    entry: Bookable
    unit: BookableUnit
    payer: Payer


def request_booking(
    session: Session,
    actor: Actor,
    *,
    equipment_id: UUID,
    slot: Slot,
    quantities: Mapping[str, Any],
    voucher: str | UUID = "auto",
    mode: ServiceMode | None = None,
    purpose: str = "",
    source: Source = Source.WEB,
    terms_version: UUID | None = None,
    now: datetime,
) -> Placed:
    """Request a slot; approved at once where the instrument approves by itself. The slot and the money are held.

    `terms_version` is the version of the terms that was accepted. Locks the company, then the units. Raises MayNotBook,
    TermsNotAccepted, TermsChanged, RulesBroken (all reasons), SlotTaken and UnitBlocked (with alternatives), and the
    refusals of vouchers.
    """
    entry = quotes.read_entry(session, equipment_id, slot, now)
    payer = permissions.payer_for(actor, entry)
    acceptance.require_accepted(entry, terms_version)
    holder = Recipient(actor.person_id, actor.email, actor.locale)
    return place_booking(
        session, actor, entry, payer, holder, slot=slot, quantities=quantities, voucher=voucher, mode=mode,
        purpose=purpose, source=source, now=now,
    )  # fmt: skip


def book_for_someone(
    session: Session,
    actor: Actor,
    *,
    equipment_id: UUID,
    email: str,
    slot: Slot,
    quantities: Mapping[str, Any],
    voucher: str | UUID = "auto",
    mode: ServiceMode | None = None,
    purpose: str = "",
    override: Override = overrides.NONE,
    now: datetime,
) -> Placed:
    """The lab books for someone who phoned: approved at once, and free of rules that it sets aside with a reason.

    Raises as request, and as `overrides.allow`.
    """
    entry = quotes.read_entry(session, equipment_id, slot, now)
    require_manager_of(session, actor, entry)
    override = overrides.allow(override, actor, manages=True)
    person, grant = members.get_booker_by_email(session, email)
    holder = Recipient(person.id, person.email, person.locale)
    return place_booking(
        session, actor, entry, permissions.payer_of(grant, entry, person.id), holder, slot=slot, quantities=quantities,
        voucher=voucher, mode=mode, purpose=purpose, source=Source.LAB, override=override, now=now,
    )  # fmt: skip


def place_booking(
    session: Session,
    actor: Actor,
    entry: Bookable,
    payer: Payer,
    holder: Recipient,
    *,
    slot: Slot,
    quantities: Mapping[str, Any],
    voucher: str | UUID,
    mode: ServiceMode | None,
    purpose: str,
    source: Source,
    override: Override = overrides.NONE,
    now: datetime,
) -> Placed:
    """The common way of every new booking, whoever asks for it."""
    quotes.require_quotable(entry, slot, now)
    by_lab = source is Source.LAB
    claims.lock_for(session, payer.organisation_id, entry)
    found = quotes.assess_slot(
        session, entry, payer, slot, quantities=quantities, voucher=voucher, mode=mode, now=now, override=override
    )
    quote, unit = quotes.require_granted(found)
    asks_owner = not by_lab and payer.is_member and members.needs_owner(session, payer.organisation_id, quote.price_fen)
    note = notes.write(session, purpose, person_id=holder.id, now=now, field="purpose") if purpose else None
    booking = add_booking(
        session,
        equipment_id=entry.id,
        unit_id=unit.id,
        organisation_id=payer.organisation_id,
        person_id=holder.id,
        source=source,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        requested_at=now,
        purpose_note_id=note.id if note else None,
        payee_id=entry.payee_id,
        voucher_choice=str(voucher),
        **_deciding(entry, slot, by_lab=by_lab, asks_owner=asks_owner, now=now),
        **acceptance.terms_of(entry, actor, accepted=not by_lab, now=now),
        **agreed(quote),
    )
    claims.place_claim(session, booking, entry, found.place)
    vouchers.place_holds(session, quote.plan, reference=booking.reference, now=now)
    record_event(session, booking, "requested", None, actor=actor, now=now)
    overrides.record(session, booking, override, found.passed, verb="requested", actor=actor, now=now)
    if booking.state is State.APPROVED:
        record_event(session, booking, "approved", State.REQUESTED, actor=actor if by_lab else None, now=now)
    notices.placed(session, booking, holder, entry, now=now)
    return Placed(booking, entry, unit, payer)


def cancel_booking(session: Session, actor: Actor, booking_id: UUID, *, reason: str = "", now: datetime) -> Booking:
    """Who booked, the startup's owner or the lab gives it up; slot and money are free again, less the fee for a late
    cancellation of an approved booking.

    The lab must say why. Raises BookingNotFound, Forbidden, StateChanged, ReasonMissing.
    """
    booking = lock_booking(session, booking_id)
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    permissions.require_seen(actor, booking, lab_ids)
    permissions.require(permissions.may_change(actor, booking, lab_ids))
    require_state(booking, "cancelled")
    by_lab = permissions.manages(actor, lab_ids, booking.equipment.lab_id) and booking.person_id != actor.person_id
    if by_lab and not reason.strip():
        raise ReasonMissing(field="reason")
    note = write_note(session, reason, actor, now)
    fee_fen = 0 if by_lab else late_fee_fen(booking, now)
    end_booking(
        session, booking, "cancelled", actor=actor, now=now, note=note, fee_fen=fee_fen,
        calendar_sequence=booking.calendar_sequence + 1,
    )  # fmt: skip
    notices.cancelled(session, booking, by_lab=by_lab, now=now, note=note)
    return booking


def move_booking(
    session: Session, actor: Actor, booking_id: UUID, *, slot: Slot, version: int, override: Override = overrides.NONE,
    now: datetime,
) -> Booking:  # fmt: skip
    """Move to another slot under the same rules; the hold follows the new price.

    A startup's move of an approved booking asks the lab again. Locks company, units, booking. Raises as request, and
    VersionStale, StateChanged, and as `overrides.allow`.
    """
    keys = queries.get_keys(session, booking_id)
    entry = quotes.read_entry(session, keys.equipment_id, slot, now)
    claims.lock_for(session, keys.organisation_id, entry)
    booking = lock_booking(session, booking_id)
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    permissions.require_seen(actor, booking, lab_ids)
    permissions.require(permissions.may_change(actor, booking, lab_ids))
    require_state(booking, "moved")
    if booking.version != version:
        raise VersionStale
    by_lab = permissions.manages(actor, lab_ids, entry.lab_id)
    override = overrides.allow(override, actor, manages=by_lab)
    found = _assess_again(session, booking, entry, slot, override=override, now=now)
    quote, unit = quotes.require_granted(found)
    asks_owner = _asks_owner_again(session, actor, booking, quote.price_fen, by_lab=by_lab)
    was = booking.slot
    claims.drop_claim(session, booking)
    vouchers.release_holds(session, reference=booking.reference, now=now)
    change_state(
        session, booking, "moved", actor=actor, now=now, data=_times(was), unit_id=unit.id,
        starts_at=slot.starts_at, ends_at=slot.ends_at, calendar_sequence=booking.calendar_sequence + 1,
        **_deciding(entry, slot, by_lab=by_lab, asks_owner=asks_owner, now=now), **agreed(quote),
    )  # fmt: skip
    booking = queries.get_booking_by_id(session, booking.id)
    claims.place_claim(session, booking, entry, found.place)
    vouchers.place_holds(session, quote.plan, reference=booking.reference, now=now)
    overrides.record(session, booking, override, found.passed, verb="moved", actor=actor, now=now)
    notices.moved(session, booking, was=was, by_lab=by_lab and booking.person_id != actor.person_id, now=now)
    return booking


def preview_move(session: Session, booking: Booking, slot: Slot, *, now: datetime) -> Assessment:
    """What a move would mean, by the same rules; reads only. Raises SlotOutOfRange."""
    entry = quotes.read_entry(session, booking.equipment_id, slot, now)
    return _assess_again(session, booking, entry, slot, override=overrides.NONE, now=now)


def require_manager_of(session: Session, actor: Actor, entry: InLab) -> None:
    """Raises MayNotRunLab unless the actor manages the entry's lab."""
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    if not permissions.manages(actor, lab_ids, entry.lab_id):
        raise MayNotRunLab


def add_booking(session: Session, **values: Any) -> Booking:
    """Insert a booking's row; as an object it holds its own columns only, and nothing else was read for it."""
    row = {
        "public_id": new_public_id(), "calendar_uid": secrets.token_hex(16), "calendar_sequence": 0, "fee_fen": 0,
        "version": 1, **values,
    }  # fmt: skip
    session.flush()
    row["id"] = session.connection().execute(_BOOKING, row).scalar_one()
    booking = Booking()
    # As the row is: no session tracks what is set here.
    vars(booking).update(row)
    return booking


_BOOKING = insert(table_of(Booking)).returning(Booking.id)


def lock_booking(session: Session, public_id: UUID) -> Booking:
    """Lock a booking's row, then read it whole. Raises BookingNotFound."""
    keys = queries.get_keys(session, public_id)
    if not is_unguarded(session):
        lock_rows(session, Booking, [keys.id])
    return queries.get_booking_by_id(session, keys.id)


def late_fee_fen(booking: Booking, now: datetime) -> int:
    """What cancelling costs now: nothing for a request, nothing in time."""
    entry = booking.equipment
    if booking.state is not State.APPROVED or now <= booking.starts_at - timedelta(minutes=entry.cancel_free_minutes):
        return 0
    return share_fen(booking.price_fen, entry.cancel_fee_bp)


def end_booking(
    session: Session, booking: Booking, verb: str, *, actor: Actor | None, now: datetime, note: Note | None = None,
    behalf_id: int | None = None, data: dict[str, Any] | None = None, fee_fen: int = 0, **values: Any,
) -> None:  # fmt: skip
    """A booking that will not be used ends: its claim goes, its hold is released whole, a fee is the company's own."""
    told = (data or {}) | ({"fee_fen": fee_fen} if fee_fen else {})
    change_state(
        session, booking, verb, actor=actor, now=now, note=note, behalf_id=behalf_id, data=told, fee_fen=fee_fen,
        **values,
    )  # fmt: skip
    claims.drop_claim(session, booking)
    vouchers.release_holds(session, reference=booking.reference, now=now)
    vouchers.charge_own_share(
        session, organisation_id=booking.organisation_id, payee_id=booking.payee_id, amount_fen=fee_fen,
        cause=f"fee:{booking.reference}", reference=booking.reference, now=now,
    )  # fmt: skip


def _assess_again(
    session: Session, booking: Booking, entry: Bookable, slot: Slot, *, override: Override, now: datetime
) -> Assessment:
    """Another slot for a booking: its quantities, its voucher and its way of use stay."""
    choice = booking.voucher_choice
    return quotes.assess_slot(
        session,
        entry,
        permissions.payer_again(booking),
        slot,
        quantities=booking.quantities,
        voucher=choice if choice in ("auto", "none") else UUID(choice),
        mode=booking.service_mode,
        now=now,
        override=override,
        moving=booking,
    )


def _asks_owner_again(session: Session, actor: Actor, booking: Booking, price_fen: int, *, by_lab: bool) -> bool:
    """Whether a moved booking waits for the owner: it does already, or a member makes it dearer than what was agreed.

    An owner who moves it agrees thereby; the lab does not take the owner's word away.
    """
    still = booking.awaiting is Awaiting.OWNER
    if by_lab:
        return still
    if booking.organisation_id in actor.organisation_ids(Role.STARTUP_OWNER) or booking.tier != Tier.STARTUP:
        return False
    needed = members.needs_owner(session, booking.organisation_id, price_fen)
    return needed and (still or price_fen > booking.price_fen)


def _deciding(entry: Bookable, slot: Slot, *, by_lab: bool, asks_owner: bool, now: datetime) -> dict[str, Any]:
    """State after asking: approved where nobody has to be asked, else who decides first and until when."""
    asks_lab = entry.approval_mode is not ApprovalMode.AUTOMATIC
    if not asks_owner and (by_lab or not asks_lab):
        return {"state": State.APPROVED, **deadlines.no_wait()}
    wait = deadlines.first_wait(
        entry, slot, entry.zone, awaited=Awaiting.OWNER if asks_owner else Awaiting.LAB,
        lab_follows=asks_lab, now=now,
    )  # fmt: skip
    return {"state": State.REQUESTED, **wait}


def agreed(quote: Quote) -> dict[str, Any]:
    """What a booking keeps of its quote."""
    return {
        "tier": quote.tier,
        "tariff_id": quote.tariff_id,
        "service_mode": quote.mode,
        "is_rush": quote.is_rush,
        "quantities": quote.quantities,
        "lines": [line.as_json() for line in quote.lines],
        "price_fen": quote.price_fen,
        "voucher_fen": quote.voucher_fen,
        "own_fen": quote.own_fen,
        "share_bp": quote.plan.share_bp,
        "paid_to": quote.plan.paid_to.value if quote.plan.paid_to else "",
    }


def _times(slot: Slot) -> dict[str, str]:
    return {"starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()}


def write_note(session: Session, body: str, actor: Actor, now: datetime) -> Note | None:
    return notes.write(session, body, person_id=actor.person_id, now=now) if body.strip() else None
