"""The lab's desk: today's board, what waits, and booking for someone."""

from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import outages, queries, service, timelines, visits
from booking.models import OccupancyKind, State
from booking.pages import views
from booking.pages.bookings import read_id, read_quantities, read_slot, read_voucher
from booking.pricing import quantity_step, quantity_units, rates_for
from booking.queries import BookingFilter, Busy
from booking.states import LIVE
from booking.timelines import Piece, Row
from core.errors import Refusal
from core.forms import Form, FormIn
from core.http import status_of
from core.i18n import N_, gettext, translate
from core.rendering import localised
from core.shapes import read_date
from core.slot import Slot, local_day
from equipment import queries as catalogue
from equipment.models import Equipment, Tier
from equipment.queries import Calendar
from equipment.tariffs import tariff_on
from equipment.words import UNIT_NAMES
from members.access import Caller, allowed
from members.models import Role

router = APIRouter(include_in_schema=False)
Staff = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER, Role.LAB_OPERATOR))]
#: More units than fit a screen: of those on which nothing happens none is drawn.
ROWS_MOST = 24
Manager = Annotated[Caller, Depends(allowed(Role.LAB_MANAGER))]


@router.get("/lab")
def show_today(caller: Staff, on: str = "") -> Response:
    """The board of a day: every unit of the lab, who is there, what waits."""
    zone = caller.site.renderer.zone
    today = caller.now.astimezone(zone).date()
    day = read_date(on, today)
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        entries = queries.find_equipment_of_labs(session, lab_ids)
        window = local_day(day, zone)
        units = [unit.id for entry in entries for unit in entry.units]
        busy = queries.find_busy(session, units, window) + queries.find_past_use(session, units, window)
        calendar = catalogue.read_calendar(session, window)
        wanted = BookingFilter(lab_ids=lab_ids, starts_before=window.ends_at, ends_after=window.starts_at)
        bookings = queries.find_bookings(session, wanted, limit=200)
        overdue = queries.find_bookings(session, _still_open(lab_ids, window), limit=50) if day == today else []
        waiting = _waiting(session, lab_ids, limit=6)
        notes = queries.find_notes(session, [part.note_id for part in busy])
        labs = catalogue.find_labs(session, lab_ids)
    cards = {card.booking.id: card for card in _cards(caller, bookings)}
    rows = _board(caller, entries, busy, calendar, day, cards, notes)
    busy_rows = [row for row in rows if _is_busy(row)]
    quiet_rows = [row for row in rows if not _is_busy(row)]
    drawn = quiet_rows if len(rows) <= ROWS_MOST else [] if busy_rows else quiet_rows[:ROWS_MOST]
    first, last = timelines.hours_shown(rows)
    today_cards = [card for card in cards.values() if card.booking.state in LIVE]
    return caller.render(
        "pages/lab/today.html",
        day=day,
        is_today=day == today,
        previous=f"/lab?on={day - timedelta(days=1)}",
        following=f"/lab?on={day + timedelta(days=1)}",
        labs=labs,
        rows=busy_rows,
        quiet=drawn,
        idle=len(quiet_rows) - len(drawn),
        first=first,
        last=last,
        running=_cards(caller, overdue) + [card for card in today_cards if card.booking.state is State.IN_USE],
        coming=[card for card in today_cards if card.booking.state is State.APPROVED],
        waiting=_cards(caller, waiting),
        manages=caller.actor.has(Role.LAB_MANAGER),
    )


@router.get("/lab/requests")
def show_requests(caller: Staff) -> Response:
    """What waits for a decision, the most urgent first."""
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        waiting = _waiting(session, lab_ids, limit=100)
        purposes = queries.find_notes(session, [booking.purpose_note_id for booking in waiting])
    return caller.render(
        "pages/lab/requests.html",
        waiting=_cards(caller, waiting),
        purposes=purposes,
        manages=caller.actor.has(Role.LAB_MANAGER),
    )


@router.get("/lab/bookings/new")
def show_new(caller: Manager, equipment: str = "", past: str = "") -> Response:
    return _new_page(caller, equipment, past=bool(past))


@router.post("/lab/bookings")
def book_for_someone(form: FormIn, caller: Manager) -> Response:
    """For someone who phones, or use that is past (with its reason)."""
    equipment_id = read_id(form["equipment_id"])

    def act(session: Session) -> str:
        entry = catalogue.get_equipment(session, equipment_id)
        common: dict[str, Any] = {
            "equipment_id": equipment_id,
            "email": form["email"],
            "slot": read_slot(form, ZoneInfo(entry.lab.zone)),
            "quantities": read_quantities(form),
            "voucher": read_voucher(form),
            "now": caller.now,
        }
        if form["past"]:
            booking = visits.enter_past_use(session, caller.actor, reason=form["reason"], **common)
        else:
            booking = service.book_for_someone(session, caller.actor, purpose=form["purpose"], **common)
        return f"/bookings/{booking.public_id}"

    try:
        return caller.redirect_once(form, act, flash=N_("Entered. The person has been told."))
    except Refusal as refusal:
        return _new_page(caller, form["equipment_id"], past=bool(form["past"]), refusal=refusal, form=form)


@router.post("/lab/outages")
def add_outage(form: FormIn, caller: Manager) -> Response:
    """Take a unit out of service; bookings that lie there stay and are listed."""
    unit_id = read_id(form["unit_id"])

    def act(session: Session) -> str:
        zone = caller.site.renderer.zone
        outages.block_unit(
            session, caller.actor, unit_id, slot=read_slot(form, zone), reason=form["reason"], now=caller.now
        )
        return "/lab"

    return caller.redirect_once(
        form, act, flash=N_("Entered. Bookings that lie in this time stay until you move them.")
    )


def _still_open(lab_ids: frozenset[int], window: Slot) -> BookingFilter:
    """Visits of earlier days that nobody checked out."""
    return BookingFilter(states=frozenset({State.IN_USE}), lab_ids=lab_ids, ends_before=window.starts_at)


def _waiting(session: Session, lab_ids: frozenset[int], *, limit: int) -> list[Any]:
    wanted = BookingFilter(states=frozenset({State.REQUESTED}), lab_ids=lab_ids)
    found = queries.find_bookings(session, wanted, limit=limit)
    return sorted(found, key=lambda booking: booking.decide_by or booking.starts_at)


def _cards(caller: Caller, bookings: list[Any]) -> list[views.Card]:
    return [views.card_of(booking, lang=caller.lang, now=caller.now) for booking in bookings]


def _board(
    caller: Caller,
    entries: list[Equipment],
    busy: list[Busy],
    calendar: Calendar,
    day: date,
    cards: dict[int, views.Card],
    notes: dict[int, str],
) -> list[Row]:
    """One row per unit: claims with who comes, outages with why, closed time hatched."""
    rows = []
    for entry in entries:
        zone = ZoneInfo(entry.lab.zone)
        open_slots = calendar.open_slots(entry, local_day(day, zone))
        for unit in entry.units:
            pieces = [_piece(caller, part, cards, notes) for part in busy if part.unit_id == unit.id]
            bars = timelines.day_bars(pieces, open_slots, day, zone)
            is_today = caller.now.astimezone(zone).date() == day
            rows.append(
                Row(
                    label=entry.model or localised(entry, caller.lang),
                    note=unit.label if len(entry.units) > 1 else localised(entry, caller.lang),
                    bars=bars,
                    unit=str(unit.public_id),
                    href=f"/equipment/{entry.public_id}",
                    now=timelines.minute_of(caller.now, day, zone) if is_today else None,
                )
            )
    return rows


def _is_busy(row: Row) -> bool:
    return any(bar.kind != "closed" for bar in row.bars)


KINDS = {State.REQUESTED: "wait", State.APPROVED: "mine", State.IN_USE: "run", State.COMPLETED: "taken"}


def _piece(caller: Caller, part: Busy, cards: dict[int, views.Card], notes: dict[int, str]) -> Piece:
    if part.kind is OccupancyKind.BLOCK:
        return Piece(part.slot, "stop", notes.get(part.note_id or 0) or translate(caller.lang, "Out of order"))
    card = cards.get(part.booking_id or 0)
    slot = card.slot if card and part.state is not State.COMPLETED else part.slot
    label = localised(card.booking.organisation, caller.lang) if card else ""
    return Piece(slot, KINDS.get(part.state or State.APPROVED, "taken"), label, card.href if card else "")


def _new_page(
    caller: Caller, equipment_id: str, *, past: bool, refusal: Refusal | None = None, form: Form | None = None
) -> Response:
    with caller.read() as session:
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id)
        entries = catalogue.find_equipment_of_labs(session, lab_ids)
        chosen = next((entry for entry in entries if str(entry.public_id) == equipment_id), None)
        entry = catalogue.get_equipment(session, chosen.public_id) if chosen else None
    return caller.render(
        "pages/lab/new.html",
        status=status_of(refusal) if refusal else 200,
        entries=[(str(row.public_id), f"{localised(row, caller.lang)} · {row.model}") for row in entries],
        entry=entry,
        units=_quantity_fields(caller, entry),
        past=past,
        errors=[{"field": refusal.field, "message": caller.explain(refusal)}] if refusal else [],
        typed=form or Form([]),
    )


def _quantity_fields(caller: Caller, entry: Equipment | None) -> list[dict[str, str]]:
    if entry is None:
        return []
    today = caller.now.astimezone(ZoneInfo(entry.lab.zone)).date()
    units = quantity_units(rates_for(tariff_on(entry.tariffs, today), Tier.STARTUP))
    return [
        {"name": f"quantity_{unit}", "label": gettext(caller.lang, UNIT_NAMES[unit]), "step": quantity_step(unit)}
        for unit in units
    ]
