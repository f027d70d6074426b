"""The waiting list: wish for time, be offered what becomes free, take it, leave it or let it lapse.

An offer is a claim with an end (`expires_at`). It is made and given up under the lock of the units, in order of asking.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session, joinedload

from booking import conflicts, permissions, queries, quotes, service
from booking.errors import (
    MayNotRunLab,
    OfferAnswered,
    OfferNotFound,
    OfferOpen,
    SlotInvalid,
    TooLong,
    TooShort,
    WishesTooMany,
    WishExists,
    WishNotFound,
    WishNothingFits,
)  # fmt: skip
from booking.models import Booking, Occupancy, OccupancyKind
from booking.offer_letter import OFFERED
from booking.wishes import Answer, Offer, Wish, WishState
from core import outbox
from core.db import lock_rows, unit_of_work
from core.slot import Slot, intersected, local_date
from equipment import opening
from equipment import queries as catalogue
from equipment.models import Equipment, Lab, Unit
from members.actor import Actor
from members.models import Organisation, Person, Role

#: How long an offer stands; never beyond the slot's start.
STANDS = timedelta(hours=4)
#: With less time an answer may come too late: a unit of work waits at most this long for its locks.
LAST_MOMENT = timedelta(seconds=5)
WISHES_MOST = 10
ALL_DAYS = 127


def join(
    session: Session,
    actor: Actor,
    *,
    equipment_id: UUID,
    window: Slot,
    minutes: int,
    day_from: int = 0,
    day_to: int = 1440,
    weekdays: int = ALL_DAYS,
    now: datetime,
) -> Wish:
    """Wait for a slot. Raises MayNotBook, NotBookable, SlotInvalid, TooShort, TooLong, WishExists, WishesTooMany."""
    entry = quotes.read_entry(session, equipment_id, window, now)
    quotes.require_quotable(entry, window, now)
    payer = permissions.payer_for(actor, entry)
    if window.ends_at <= now or not 0 <= day_from < day_to <= 1440 or not 0 < weekdays <= ALL_DAYS:
        raise SlotInvalid(field="ends_at")
    if minutes < entry.length_minutes_min:
        raise TooShort(field="minutes", shortest_minutes=entry.length_minutes_min)
    if minutes > entry.length_minutes_max:
        raise TooLong(field="minutes", longest_minutes=entry.length_minutes_max)
    # Locked, so that of two forms at once one sees the other.
    lock_rows(session, Organisation, [payer.organisation_id])
    mine = list(session.scalars(select(Wish).where(Wish.person_id == actor.person_id, Wish.state == WishState.WAITING)))
    if any(wish.equipment_id == entry.id and wish.window.overlaps(window) for wish in mine):
        raise WishExists
    if len(mine) >= WISHES_MOST:
        raise WishesTooMany(most=WISHES_MOST)
    wish = Wish(
        equipment_id=entry.id, organisation_id=payer.organisation_id, person_id=actor.person_id,
        starts_at=window.starts_at, ends_at=window.ends_at, minutes=minutes, day_from=day_from, day_to=day_to,
        weekdays=weekdays, asked_at=now,
    )  # fmt: skip
    session.add(wish)
    session.flush()
    return wish


def withdraw(session: Session, actor: Actor, wish_id: UUID, *, now: datetime) -> Wish:
    """Wait no longer; an open offer passes to the next. Raises WishNotFound."""
    wish = session.scalars(
        select(Wish).where(Wish.public_id == wish_id, Wish.person_id == actor.person_id)
    ).one_or_none()
    if wish is None:
        raise WishNotFound
    _lock_units(session, wish.equipment_id)
    offer = session.scalars(select(Offer).where(Offer.wish_id == wish.id, Offer.answer == Answer.OPEN)).one_or_none()
    if offer is not None:
        _close(session, offer, Answer.DECLINED, now=now)
    if wish.state is WishState.WAITING:
        wish.state = WishState.WITHDRAWN
        session.flush()
    return wish


def accept(
    session: Session,
    actor: Actor,
    offer_id: UUID,
    *,
    quantities: Mapping[str, Any],
    voucher: str | UUID = "auto",
    now: datetime,
    **more: Any,
) -> Booking:
    """Turn an offer into a request, by the same rules as every other.

    The offer is taken first, by compare-and-set: of two answers one comes through, and a refusal undoes it with the
    unit of work. Raises OfferNotFound, OfferAnswered, and as `service.request_booking`.
    """
    offer, wish = _own_offer(session, actor, offer_id)
    equipment_id = session.scalars(select(Equipment.public_id).where(Equipment.id == wish.equipment_id)).one()
    _take(session, offer, Answer.ACCEPTED, now=now, until=now + LAST_MOMENT)
    _drop_claim(session, offer)
    placed = service.request_booking(
        session, actor, equipment_id=equipment_id, slot=offer.slot, quantities=quantities, voucher=voucher, now=now,
        **more,
    )  # fmt: skip
    booking = queries.get_booking_by_id(session, placed.booking.id)
    session.execute(update(Offer).where(Offer.id == offer.id).values(booking_id=booking.id))
    session.execute(update(Wish).where(Wish.id == wish.id).values(state=WishState.BOOKED))
    return booking


def decline(session: Session, actor: Actor, offer_id: UUID, *, now: datetime) -> Offer:
    """Leave the slot to the next and go on waiting for another. Raises OfferNotFound, OfferAnswered."""
    offer, wish = _own_offer(session, actor, offer_id)
    _lock_units(session, wish.equipment_id)
    _close(session, offer, Answer.DECLINED, now=now)
    return offer


def offer_by_hand(session: Session, actor: Actor, wish_id: UUID, *, now: datetime) -> Offer:
    """The lab offers one who waits the first slot that fits, whoever asked before.

    Raises WishNotFound, MayNotRunLab, OfferOpen, WishNothingFits.
    """
    wish = session.scalars(select(Wish).where(Wish.public_id == wish_id)).one_or_none()
    if wish is None or wish.state is not WishState.WAITING:
        raise WishNotFound
    lab_id = session.scalars(select(Equipment.lab_id).where(Equipment.id == wish.equipment_id)).one()
    lab_ids = catalogue.find_lab_ids_run_by(session, actor.person_id)
    if lab_id not in lab_ids:
        raise WishNotFound
    if not actor.has(Role.LAB_MANAGER):
        raise MayNotRunLab
    _lock_units(session, wish.equipment_id)
    if _has_open_offer(session, wish):
        raise OfferOpen
    offer = _offer_first_fit(session, wish, now=now)
    if offer is None:
        raise WishNothingFits
    return offer


def tend_waitlist(engine: Engine, *, now: datetime, limit: int) -> int:
    """Job: 1. find instruments for which somebody waits; 2. for each, in a unit of work of its own, lock its units;
    3. let offers lapse whose time is over and end wishes whose window is; 4. in order of asking offer each the first
    slot that fits and was not offered before; 5. say how many offers."""
    with unit_of_work(engine) as session:
        waited_for = (
            select(Wish.equipment_id).where(Wish.state == WishState.WAITING).distinct().order_by(Wish.equipment_id)
        )
        keys = list(session.scalars(waited_for))
    made = 0
    for key in keys:
        with unit_of_work(engine) as session:
            made += _tend(session, key, now=now)
    return made


def _tend(session: Session, equipment_id: int, *, now: datetime) -> int:
    _lock_units(session, equipment_id)
    due = (
        select(Offer).join(Wish, Wish.id == Offer.wish_id)
        .where(Wish.equipment_id == equipment_id, Offer.answer == Answer.OPEN, Offer.expires_at <= now)
        .with_for_update(skip_locked=True, key_share=True, of=Offer)
    )  # fmt: skip
    for offer in session.scalars(due).all():
        _close(session, offer, Answer.LAPSED, now=now)
    wishes = session.scalars(
        select(Wish).where(Wish.equipment_id == equipment_id, Wish.state == WishState.WAITING)
        .order_by(Wish.asked_at, Wish.id)
    ).all()  # fmt: skip
    made = 0
    for wish in wishes:
        if wish.ends_at <= now:
            wish.state = WishState.PAST
        elif not _has_open_offer(session, wish):
            made += _offer_first_fit(session, wish, now=now) is not None
    session.flush()
    return made


def _offer_first_fit(session: Session, wish: Wish, *, now: datetime) -> Offer | None:
    """Claim the first slot that fits a wish; the caller holds the units' lock."""
    (entry,) = catalogue.find_listed(session, [wish.equipment_id])
    seen = {
        (row.starts_at, row.ends_at)
        for row in session.execute(select(Offer.starts_at, Offer.ends_at).where(Offer.wish_id == wish.id))
    }
    found = find_fit(session, entry, wish, now=now, without=seen)
    if found is None:
        return None
    unit_id, slot = found
    claim = conflicts.claim_of(slot, entry)
    offer = Offer(
        wish_id=wish.id, unit_id=unit_id, starts_at=slot.starts_at, ends_at=slot.ends_at,
        claimed_from=claim.starts_at, offered_at=now, expires_at=min(now + STANDS, slot.starts_at),
    )  # fmt: skip
    occupancy = Occupancy(
        unit_id=unit_id, starts_at=claim.starts_at, ends_at=claim.ends_at, kind=OccupancyKind.OFFER, exclusive=True,
        expires_at=offer.expires_at,
    )  # fmt: skip
    session.add_all([offer, occupancy])
    session.flush()
    person = session.get_one(Person, wish.person_id)
    outbox.put(session, [
        outbox.message(
            kind=OFFERED, subject=f"offer:{offer.public_id}", recipient=person.email, person_id=person.id,
            locale=person.locale, data={"offer": str(offer.public_id)}, now=now,
        )
    ])  # fmt: skip
    return offer


def find_fit(
    session: Session, entry: Equipment, wish: Wish, *, now: datetime, without: set[tuple[datetime, datetime]]
) -> tuple[int, Slot] | None:
    """The first free slot of an entry that a wish would take: unit and slot."""
    bookable = conflicts.bookable_window(entry, now + LAST_MOMENT)
    window = wish.window.common(bookable) if bookable else None
    if window is None or not entry.is_bookable or entry.retired_at is not None:
        return None
    zone = ZoneInfo(entry.lab.zone)
    open_slots = catalogue.read_calendar(session, window).open_slots(entry, window)
    open_slots = intersected(open_slots, _hours_of(wish, window, zone))
    units = [unit.id for unit in entry.units if unit.retired_at is None]
    busy = queries.find_busy(session, units, window.widened(1440, 1440))
    best: tuple[int, Slot] | None = None
    for unit_id in units:
        taken = [part.slot for part in busy if part.unit_id == unit_id]
        stretches = conflicts.free_slots(
            open_slots, taken, entry, minutes=wish.minutes, earliest=window.starts_at, zone=zone
        )
        for slot in conflicts.first_fits(stretches, minutes=wish.minutes, most=50):
            if (slot.starts_at, slot.ends_at) in without:
                continue
            if best is None or slot.starts_at < best[1].starts_at:
                best = (unit_id, slot)
            break
    return best


def _hours_of(wish: Wish, window: Slot, zone: ZoneInfo) -> list[Slot]:
    """The hours of the weekdays that a wish names, as instants in its window."""
    on, last = local_date(window.starts_at, zone), local_date(window.ends_at, zone)
    out = []
    while on <= last:
        if wish.weekdays >> on.weekday() & 1:
            start = opening.at_minute(on, wish.day_from, zone)
            end = opening.at_minute(on, wish.day_to, zone)
            out += [Slot(start, end)] if start < end else []
        on += timedelta(days=1)
    return out


def _own_offer(session: Session, actor: Actor, offer_id: UUID) -> tuple[Offer, Wish]:
    row = session.execute(
        select(Offer, Wish).join(Wish, Wish.id == Offer.wish_id)
        .where(Offer.public_id == offer_id, Wish.person_id == actor.person_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise OfferNotFound
    return row[0], row[1]


def _take(session: Session, offer: Offer, answer: Answer, *, now: datetime, until: datetime) -> None:
    """Compare-and-set on an open offer that still stands. Raises OfferAnswered."""
    done = session.execute(
        update(Offer)
        .where(Offer.id == offer.id, Offer.answer == Answer.OPEN, Offer.expires_at > until)
        .values(answer=answer, answered_at=now)
        .execution_options(synchronize_session=False)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise OfferAnswered


def _close(session: Session, offer: Offer, answer: Answer, *, now: datetime) -> None:
    """Give an open offer up with its claim; the caller holds the units' lock. Raises OfferAnswered."""
    _take(session, offer, answer, now=now, until=offer.offered_at)
    _drop_claim(session, offer)


def _drop_claim(session: Session, offer: Offer) -> None:
    session.execute(
        delete(Occupancy).where(
            Occupancy.unit_id == offer.unit_id, Occupancy.starts_at == offer.claimed_from,
            Occupancy.kind == OccupancyKind.OFFER, Occupancy.expires_at == offer.expires_at,
        )
    )  # fmt: skip


def _has_open_offer(session: Session, wish: Wish) -> bool:
    return session.scalar(select(Offer.id).where(Offer.wish_id == wish.id, Offer.answer == Answer.OPEN)) is not None


def _lock_units(session: Session, equipment_id: int) -> None:
    lock_rows(session, Unit, session.scalars(select(Unit.id).where(Unit.equipment_id == equipment_id)))


def find_own(session: Session, person_id: int) -> list[tuple[Wish, Offer | None]]:
    """What a person waits for, with the open offer where there is one, in order of asking."""
    statement = (
        select(Wish, Offer)
        .outerjoin(Offer, (Offer.wish_id == Wish.id) & (Offer.answer == Answer.OPEN))
        .options(joinedload(Wish.equipment).joinedload(Equipment.lab).joinedload(Lab.organisation))
        .where(Wish.person_id == person_id, Wish.state == WishState.WAITING)
        .order_by(Wish.asked_at, Wish.id)
    )
    return [(wish, offer) for wish, offer in session.execute(statement)]


def find_of_labs(session: Session, lab_ids: frozenset[int], *, limit: int) -> list[tuple[Wish, Offer | None]]:
    """Who waits for the instruments of labs, in order of asking."""
    statement = (
        select(Wish, Offer)
        .outerjoin(Offer, (Offer.wish_id == Wish.id) & (Offer.answer == Answer.OPEN))
        .join(Equipment, Equipment.id == Wish.equipment_id)
        .options(
            joinedload(Wish.equipment).joinedload(Equipment.lab), joinedload(Wish.organisation), joinedload(Wish.person)
        )
        .where(Equipment.lab_id.in_(lab_ids), Wish.state == WishState.WAITING)
        .order_by(Wish.asked_at, Wish.id)
        .limit(limit)
    )
    return [(wish, offer) for wish, offer in session.execute(statement)]
