"""One instrument with its week and its quote."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import availability, holds, permissions, quotes, timelines
from booking.availability import Days
from booking.errors import SlotInvalid
from booking.pages import views
from booking.pages.facts import fact_rows, price_rows, rule_rows, word_rows
from booking.pages.training import training_of
from booking.pages.week import WEEK, find_week_busy, picked, week_of, week_rows
from booking.papers.question_pages import read_questions
from booking.pricing import quantity_step, quantity_units, rates_for
from booking.quotes import Assessment
from core.errors import Refusal
from core.formats import format_money, format_soon
from core.http import status_of
from core.i18n import gettext
from core.rendering import localised
from core.shapes import read_date, read_uuid, read_wall_time
from core.slot import Slot
from equipment import files, terms
from equipment import queries as catalogue
from equipment.hour_words import opening_rows
from equipment.models import Equipment, ServiceMode
from equipment.pages.terms import part_rows
from equipment.tariffs import tariff_on
from equipment.words import MODE_NAMES, UNIT_NAMES
from members.access import Visit, Visitor
from members.models import Role
from vouchers import queries as voucher_queries

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asked:
    """What the address of an instrument's page asks: a slot and quantities, perhaps not complete."""

    starts_at: str
    ends_at: str
    quantities: dict[str, str]
    voucher: str
    purpose: str
    mode: str = ""
    #: The version of terms whose box is ticked.
    terms_version: str = ""

    @classmethod
    def of(cls, request: Request) -> "Asked":
        query = request.query_params
        quantities = {
            name.removeprefix("quantity_"): value[:20]
            for name, value in query.items()
            if name.startswith("quantity_") and value
        }
        voucher = query.get("voucher", "auto")[:36]
        return cls(
            query.get("starts_at", "")[:20], query.get("ends_at", "")[:20], quantities, voucher,
            query.get("purpose", "")[:2000], query.get("mode", "")[:10],
            query.get("terms_version", "")[:36],
        )  # fmt: skip


@router.get("/equipment/{equipment_id}")
def show_instrument(equipment_id: UUID, caller: Visitor, week: str = "") -> Response:
    """Facts, rules, prices, a week of time, and the quote for what the address asks.

    Without scripts the form that books also asks for its price: what belongs to the booking leaves the address at once.
    """
    query = caller.request.query_params
    if "csrf" in query:
        kept = [(name, value) for name, value in query.multi_items() if name not in ("csrf", "_key", "equipment_id")]
        return caller.see_other(f"/equipment/{equipment_id}?{urlencode(kept)}#ask")
    return instrument_page(caller, equipment_id, Asked.of(caller.request), week=week)


def instrument_page(
    caller: Visit, equipment_id: UUID, asked: Asked, *, week: str = "", refusal: Refusal | None = None
) -> Response:
    """The page of an instrument; with a refusal it keeps what was typed and says what is wrong."""
    with caller.read() as session:
        entry = catalogue.get_equipment(session, equipment_id)
        zone = ZoneInfo(entry.lab.zone)
        today = caller.now.astimezone(zone).date()
        slot, wrong = _read_slot(asked, zone)
        first_on = max(read_date(week, week_of(slot, zone, today)), today - timedelta(days=366))
        own_id = caller.actor.person_id if caller.actor else None
        days = availability.find_days(
            session, [entry], first_on=first_on, days=WEEK, now=caller.now, person_id=own_id
        )[entry.id]  # fmt: skip
        busy = find_week_busy(session, entry, first_on, zone)
        preview, problem = _preview(session, caller, entry, asked, slot)
        is_provisional = bool(slot and preview and quotes.is_provisional(session, entry, slot, zone))
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id) if caller.actor else frozenset()
        vouchers = _voucher_options(session, caller)
        hold = holds.find_hold(session, own_id, now=caller.now, equipment_id=entry.id) if own_id and slot else None
        training = training_of(session, caller, entry)
        asked_terms = terms.get_terms(session, entry.terms_version) if entry.terms_version else None
        asked_questions = read_questions(session, caller, entry.id)
        photos, documents = files.find_photos(session, entry.id), files.find_documents(session, entry.id)
        closures = [
            {"slot": Slot(row.starts_at, row.ends_at), "reason": row.reason}
            for row in catalogue.read_calendar(session, days.window).closures_of(entry)
        ]
    problems = [found for found in (wrong, problem, refusal) if found is not None]
    rows = week_rows(caller, entry, days, busy, first_on)
    first, last = timelines.hours_shown(rows)
    tier = permissions.tier_for(caller.actor, entry)
    tariff = tariff_on(entry.tariffs, today)
    rates = rates_for(tariff, tier)
    return caller.render(
        "pages/catalogue/instrument.html",
        status=status_of(refusal) if refusal else 200,
        entry=entry,
        name=localised(entry, caller.lang),
        place=f"{localised(entry.owner, caller.lang)} · {localised(entry.lab, caller.lang)}",
        modes=[gettext(caller.lang, MODE_NAMES[mode]) for mode in entry.service_modes],
        rows=rows,
        first=first,
        last=last,
        pick=_pick(slot, zone, preview),
        live_href=f"/equipment/{entry.public_id}/live" if caller.actor else "",
        week_text=timelines.span_text(first_on, WEEK, caller.lang),
        previous=_week_href(entry, first_on - timedelta(days=WEEK)) if first_on > today else "",
        following=_week_href(entry, first_on + timedelta(days=WEEK)),
        today_href="" if first_on == today else _week_href(entry, today),
        next_free=_next_free(days, caller),
        facts=fact_rows(entry, caller.lang, with_contact=caller.actor is not None),
        words=word_rows(entry, caller.lang),
        photos=photos,
        documents=documents,
        closures=closures,
        rules=rule_rows(entry, caller.lang),
        hours=opening_rows(entry.hours, caller.lang),
        rates=price_rows(tariff, tier, caller.lang),
        mode_options=_mode_options(entry, caller),
        quantities=_quantity_rows(rates, asked, caller),
        asked=asked,
        slot=slot,
        hold=hold if hold and hold.slot == slot else None,
        hold_seconds=int((hold.expires_at - caller.now).total_seconds()) if hold and hold.slot == slot else 0,
        quote=_quote_view(preview, entry, caller),
        problems=_problem_rows(caller, problems, preview),
        alternatives=_alternative_rows(entry, preview, refusal, asked, zone),
        vouchers=vouchers,
        **asked_questions,
        training=training,
        terms=asked_terms,
        terms_parts=part_rows(asked_terms, caller.lang) if asked_terms else [],
        is_provisional=is_provisional,
        can_book=bool(caller.actor and caller.actor.has(*permissions.BOOKERS)),
        manages=bool(caller.actor and permissions.manages(caller.actor, lab_ids, entry.lab_id)),
    )


def _read_slot(asked: Asked, zone: ZoneInfo) -> tuple[Slot | None, Refusal | None]:
    if not (asked.starts_at and asked.ends_at):
        return None, None
    try:
        start = read_wall_time(asked.starts_at, zone, field="starts_at")
        end = read_wall_time(asked.ends_at, zone, field="ends_at")
    except Refusal as refusal:
        return None, refusal
    return (Slot(start, end), None) if start < end else (None, SlotInvalid(field="ends_at"))


def _preview(
    session: Session, caller: Visit, entry: Equipment, asked: Asked, slot: Slot | None
) -> tuple[Assessment | None, Refusal | None]:
    """The quote for one who may book; a refusal where there can be none."""
    if slot is None or caller.actor is None or not caller.actor.has(*permissions.BOOKERS):
        return None, None
    payer = permissions.payer_for(caller.actor, entry)
    voucher = asked.voucher if asked.voucher in ("auto", "none") else read_uuid(asked.voucher) or "auto"
    try:
        bookable = quotes.read_entry(session, entry.id, slot, caller.now)
        return quotes.assess_slot(
            session, bookable, payer, slot, quantities=asked.quantities, voucher=voucher, mode=read_mode(asked.mode),
            now=caller.now,
        ), None  # fmt: skip
    except Refusal as refusal:
        return None, refusal


def _pick(slot: Slot | None, zone: ZoneInfo, preview: Assessment | None) -> Any:
    """What is chosen already, for the timeline; True where one may choose."""
    if slot is None:
        return True
    on = slot.starts_at.astimezone(zone).date()
    start, end = timelines.minutes_of(slot, on, zone)
    return {"date": on.isoformat(), "start": start, "end": end, "clash": bool(preview and not preview.can_request)}


def _next_free(days: Days, caller: Visit) -> dict[str, str] | None:
    first = days.next_free
    if first is None:
        return None
    href = f"/equipment/{days.entry.public_id}?{urlencode(picked(first, days.zone))}#ask"
    return {"label": format_soon(first.starts_at, caller.lang, days.zone, now=caller.now), "href": href}


def _quote_view(preview: Assessment | None, entry: Equipment, caller: Visit) -> dict[str, Any] | None:
    quote = preview.quote if preview else None
    if quote is None:
        return None
    paid_to = quote.plan.paid_to.value if quote.plan.paid_to else ""
    lines = [line.as_json() for line in quote.lines]
    return {
        "lines": views.price_rows(lines, voucher_fen=quote.voucher_fen, paid_to=paid_to, lang=caller.lang),
        "own_fen": quote.own_fen,
        "price_fen": quote.price_fen,
        "voucher_fen": quote.voucher_fen,
        "paid_to": paid_to,
        "programme": localised(quote.plan, caller.lang, "programme_name") if quote.voucher_fen else "",
        "share": quote.plan.share_bp / 10_000,
        "numbers": ", ".join(part.number for part in quote.plan.parts),
        "payee": localised(entry.payee, caller.lang),
    }


def _problem_rows(caller: Visit, refusals: list[Refusal], preview: Assessment | None) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for refusal in refusals:
        parts: list[Refusal] = list(refusal.reasons) or [refusal]
        rows += [{"field": _field_id(part.field), "message": caller.explain(part)} for part in parts]
    if preview and not rows:
        rows += [{"field": _field_id(rule.field), "message": caller.explain(rule)} for rule in preview.reasons]
    return [row for place, row in enumerate(rows) if row not in rows[:place]]


def _field_id(name: str) -> str:
    return name.replace("quantities.", "quantity_")


def _alternative_rows(
    entry: Equipment, preview: Assessment | None, refusal: Refusal | None, asked: Asked, zone: ZoneInfo
) -> list[dict[str, Any]]:
    """The nearest free slots, each a link that chooses it and keeps what was typed."""
    slots = (preview.alternatives or []) if preview else views.slots_of(refusal)
    kept = {f"quantity_{name}": value for name, value in asked.quantities.items()}
    kept |= {"voucher": asked.voucher, "purpose": asked.purpose, "mode": asked.mode}
    return [
        {"slot": slot, "href": f"/equipment/{entry.public_id}?{urlencode(picked(slot, zone) | kept)}#ask"}
        for slot in slots
    ]


def read_mode(text: str) -> ServiceMode | None:
    """A way of using an instrument from a form; None for none."""
    return ServiceMode(text) if text in set(ServiceMode) else None


def _mode_options(entry: Equipment, caller: Visit) -> list[tuple[str, str]]:
    """To choose from, where there is a choice."""
    modes = entry.service_modes
    return [(mode.value, gettext(caller.lang, MODE_NAMES[mode])) for mode in modes] if len(modes) > 1 else []


def _quantity_rows(rates: Any, asked: Asked, caller: Visit) -> list[dict[str, Any]]:
    return [
        {
            "name": f"quantity_{unit}",
            "label": gettext(caller.lang, UNIT_NAMES[unit]),
            "value": asked.quantities.get(unit.value, "1"),
            "step": quantity_step(unit),
        }
        for unit in quantity_units(rates)
    ]


def _voucher_options(session: Session, caller: Visit) -> list[dict[str, str]]:
    """Automatic, none, or one of the company's vouchers with what is left on it."""
    startups = caller.actor.organisation_ids(Role.STARTUP_OWNER, Role.STARTUP_MEMBER) if caller.actor else frozenset()
    if not startups:
        return []
    options = [
        {"value": "auto", "text": gettext(caller.lang, "Use what is available")},
        {"value": "none", "text": gettext(caller.lang, "Without a voucher")},
    ]
    for voucher in voucher_queries.find_usable(session, startups, on=caller.now.date()):
        left = format_money(voucher.available_fen)
        options.append({"value": str(voucher.public_id), "text": f"{voucher.number} · {left}"})
    return options


def _week_href(entry: Equipment, first_on: date) -> str:
    return f"/equipment/{entry.public_id}?week={first_on.isoformat()}"
