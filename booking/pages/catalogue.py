"""The catalogue with who is free, and one instrument with its week and its quote."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import availability, permissions, queries, quotes, timelines
from booking.availability import Days
from booking.errors import SlotInvalid, SlotTaken
from booking.models import OccupancyKind, State
from booking.pages import views
from booking.pages.facts import fact_rows, opening_rows, rule_rows
from booking.pricing import UNIT_NAMES, quantity_units, rates_on
from booking.queries import Busy
from booking.quotes import Preview
from booking.timelines import Piece, Row
from core.errors import Refusal
from core.formats import format_money, format_soon, format_weekday
from core.i18n import N_, gettext, translate
from core.rendering import localised
from core.shapes import read_date, read_wall_time
from core.slot import Slot, local_day, without
from equipment import queries as catalogue
from equipment.categories import CATEGORIES
from equipment.models import Equipment, ServiceMode, Tier
from equipment.search import Search
from members.access import Visit, Visitor
from members.models import Role
from vouchers import queries as voucher_queries

router = APIRouter(include_in_schema=False)
WEEK = 7
PAGE = 20
BANDS = (20_000, 50_000, 100_000)


@router.get("/equipment")
def search(
    caller: Visitor,
    q: Annotated[str, Query(max_length=200)] = "",
    category: str = "",
    institution: str = "",
    price: str = "",
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """Find an instrument and see at a glance when it is free in the next seven days."""
    wanted = Search(
        q=q.strip(),
        category=category if category in CATEGORIES else None,
        institution=_uuid_or_none(institution),
        price_max_fen=int(price) * 100 if price.isascii() and price.isdigit() and len(price) < 8 else None,
        limit=PAGE,
        cursor=cursor,
    )
    zone = caller.site.renderer.zone
    today = caller.now.astimezone(zone).date()
    with caller.read() as session:
        found = catalogue.search_equipment(session, wanted)
        facets = catalogue.count_facets(session, wanted)
        days = availability.find_days(session, found.items, first_on=today, days=WEEK, now=caller.now)
    asked = {"q": wanted.q, "category": wanted.category or "", "institution": institution, "price": price}
    return caller.render(
        "pages/catalogue/search.html",
        q=wanted.q,
        asked=asked,
        total=found.total,
        results=[_result(entry, days[entry.id], caller) for entry in found.items],
        institutions=_options(facets.institutions, institution, caller),
        categories=_options(facets.categories, category, caller),
        bands=_bands(price, caller),
        narrowed=sum(1 for limit in (category, institution, price) if limit),
        next_href="/equipment?" + urlencode(asked | {"cursor": found.next_cursor}) if found.next_cursor else "",
    )


def _result(entry: Equipment, days: Days, caller: Visit) -> dict[str, Any]:
    lang, zone = caller.lang, days.zone
    strip = timelines.strip_days(
        days.free_slots, days.open_slots, days.first_on, WEEK, zone=zone, now=caller.now, lang=lang
    )
    first = days.next_free
    when = format_soon(first.starts_at, lang, zone, now=caller.now) if first else ""
    shown = translate(lang, "Next free: %(when)s", when=when) if first else gettext(lang, "Not free in the next week")
    href = f"/equipment/{entry.public_id}"
    return {
        "entry": entry,
        "href": href,
        "name": localised(entry, lang),
        "place": f"{localised(entry.owner, lang)} · {localised(entry.lab, lang)}",
        "days": strip,
        "summary": shown if entry.is_bookable else gettext(lang, "Listed only"),
        "next": {"label": when, "href": f"{href}?{urlencode(_picked(first, zone))}#ask"} if first else None,
        "mode": gettext(lang, MODES[entry.service_mode]),
        "unit": gettext(lang, UNIT_NAMES[entry.price_unit]) if entry.price_unit else "",
        "lead": entry.lead_minutes,
    }


MODES: dict[ServiceMode, str] = {
    ServiceMode.SELF: N_("You run it yourself"),
    ServiceMode.OPERATED: N_("Operated for you"),
    ServiceMode.SAMPLE: N_("Send samples"),
}


@dataclass(frozen=True)
class Asked:
    """What the address of an instrument's page asks: a slot and quantities, perhaps not complete."""

    starts_at: str
    ends_at: str
    quantities: dict[str, str]
    voucher: str
    purpose: str

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
            query.get("purpose", "")[:2000],
        )  # fmt: skip


@router.get("/equipment/{equipment_id}")
def show_instrument(equipment_id: UUID, caller: Visitor, week: str = "") -> Response:
    """Facts, rules, prices, a week of time, and the quote for what the address asks."""
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
        first_on = max(read_date(week, _week_of(slot, zone, today)), today - timedelta(days=366))
        days = availability.find_days(session, [entry], first_on=first_on, days=WEEK, now=caller.now)[entry.id]
        busy = _find_busy(session, entry, first_on, zone)
        preview, problem = _preview(session, caller, entry, asked, slot)
        lab_ids = catalogue.find_lab_ids_run_by(session, caller.actor.person_id) if caller.actor else frozenset()
        vouchers = _voucher_options(session, caller)
    problems = [found for found in (wrong, problem, refusal) if found is not None]
    rows = _week_rows(caller, entry, days, busy, first_on)
    first, last = timelines.hours_shown(rows)
    tier = _tier(caller, entry)
    rates = rates_on(entry.rates, tier, today)
    return caller.render(
        "pages/catalogue/instrument.html",
        status=409 if refusal else 200,
        entry=entry,
        name=localised(entry, caller.lang),
        place=f"{localised(entry.owner, caller.lang)} · {localised(entry.lab, caller.lang)}",
        mode=gettext(caller.lang, MODES[entry.service_mode]),
        rows=rows,
        first=first,
        last=last,
        pick=_pick(slot, zone, preview),
        week_text=timelines.span_text(first_on, WEEK, caller.lang),
        previous=_week_href(entry, first_on - timedelta(days=WEEK)) if first_on > today else "",
        following=_week_href(entry, first_on + timedelta(days=WEEK)),
        today_href="" if first_on == today else _week_href(entry, today),
        next_free=_next_free(days, caller),
        facts=fact_rows(entry, caller.lang),
        rules=rule_rows(entry, caller.lang),
        hours=opening_rows(entry, caller.lang),
        rates=_rate_rows(rates, caller),
        quantities=_quantity_rows(rates, asked, caller),
        asked=asked,
        slot=slot,
        quote=_quote_view(preview, entry, caller),
        problems=_problem_rows(caller, problems, preview),
        alternatives=_alternative_rows(entry, preview, refusal, asked, zone),
        vouchers=vouchers,
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


def _week_of(slot: Slot | None, zone: ZoneInfo, today: date) -> date:
    """The shown week: from today on, or the one in which the asked slot lies."""
    if slot is None:
        return today
    on = slot.starts_at.astimezone(zone).date()
    return today + timedelta(days=(on - today).days // WEEK * WEEK)


def _find_busy(session: Session, entry: Equipment, first_on: date, zone: ZoneInfo) -> list[Busy]:
    window = Slot(local_day(first_on, zone).starts_at, local_day(first_on + timedelta(days=WEEK - 1), zone).ends_at)
    units = [unit.id for unit in entry.units]
    return queries.find_busy(session, units, window) + queries.find_past_use(session, units, window)


def _preview(
    session: Session, caller: Visit, entry: Equipment, asked: Asked, slot: Slot | None
) -> tuple[Preview | None, Refusal | None]:
    """The quote for one who may book; a refusal where there can be none."""
    if slot is None or caller.actor is None or not caller.actor.has(*permissions.BOOKERS):
        return None, None
    payer = permissions.payer_for(caller.actor, entry)
    voucher = asked.voucher if asked.voucher in ("auto", "none") else _uuid_or_none(asked.voucher) or "auto"
    try:
        return quotes.preview_slot(
            session, entry, payer, slot, quantities=asked.quantities, voucher=voucher, now=caller.now
        ), None
    except Refusal as refusal:
        return None, refusal


def _week_rows(caller: Visit, entry: Equipment, days: Days, busy: list[Busy], first_on: date) -> list[Row]:
    zone, lang = days.zone, caller.lang
    today = caller.now.astimezone(zone).date()
    earliest = caller.now + timedelta(minutes=entry.lead_minutes)
    rows = []
    for number in range(WEEK):
        on = first_on + timedelta(days=number)
        pieces = _pieces(caller, entry, days, busy, on)
        choosable = [part for part in days.part(days.free_slots, on) if part.ends_at > earliest]
        rows.append(
            Row(
                label=f"{format_weekday(on, lang)} {on.day}",
                note=gettext(lang, "today") if on == today else "",
                date=on.isoformat(),
                is_today=on == today,
                now=timelines.minute_of(caller.now, on, zone) if on == today else None,
                open=timelines.open_minutes(_from(choosable, earliest), on, zone),
                bars=timelines.day_bars(pieces, days.open_slots, on, zone),
            )
        )
    return rows


def _pieces(caller: Visit, entry: Equipment, days: Days, busy: list[Busy], on: date) -> list[Piece]:
    """One's own bookings and outages as they are; everything else only as taken, where no unit is free."""
    zone = days.zone
    mine = caller.actor.organisation_ids(*permissions.BOOKERS) if caller.actor else frozenset()
    pieces: list[Piece] = []
    for part in busy:
        if part.kind is OccupancyKind.BLOCK and len(entry.units) == 1:
            pieces.append(Piece(part.slot, "stop", gettext(caller.lang, "Out of order")))
        elif part.organisation_id in mine and part.booking_public_id:
            kind = "wait" if part.state is State.REQUESTED else "mine"
            pieces.append(Piece(part.slot, kind, gettext(caller.lang, "Mine"), f"/bookings/{part.booking_public_id}"))
    own = [piece.slot for piece in pieces]
    free = days.part(days.free_slots, on)
    taken = without(days.part(days.open_slots, on), [*free, *own])
    pieces += [Piece(slot, "taken") for slot in taken]
    earliest = caller.now + timedelta(minutes=entry.lead_minutes)
    for stretch in _from(without(free, own), earliest):
        end = stretch.starts_at + timedelta(minutes=entry.length_minutes_min)
        first = Slot(stretch.starts_at, min(end, stretch.ends_at))
        href = f"/equipment/{entry.public_id}?{urlencode(_picked(first, zone))}#ask"
        pieces.append(Piece(stretch, "free", href=href if caller.actor else ""))
    return pieces


def _from(slots: list[Slot], earliest: datetime) -> list[Slot]:
    return [Slot(max(slot.starts_at, earliest), slot.ends_at) for slot in slots if slot.ends_at > earliest]


def _pick(slot: Slot | None, zone: ZoneInfo, preview: Preview | None) -> Any:
    """What is chosen already, for the timeline; True where one may choose."""
    if slot is None:
        return True
    on = slot.starts_at.astimezone(zone).date()
    start, end = timelines.minutes_of(slot, on, zone)
    return {"date": on.isoformat(), "start": start, "end": end, "clash": bool(preview and not preview.can_request)}


def _picked(slot: Slot, zone: ZoneInfo) -> dict[str, str]:
    form = "%Y-%m-%dT%H:%M"
    return {
        "starts_at": slot.starts_at.astimezone(zone).strftime(form),
        "ends_at": slot.ends_at.astimezone(zone).strftime(form),
    }


def _next_free(days: Days, caller: Visit) -> dict[str, str] | None:
    first = days.next_free
    if first is None:
        return None
    href = f"/equipment/{days.entry.public_id}?{urlencode(_picked(first, days.zone))}#ask"
    return {"label": format_soon(first.starts_at, caller.lang, days.zone, now=caller.now), "href": href}


def _quote_view(preview: Preview | None, entry: Equipment, caller: Visit) -> dict[str, Any] | None:
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


def _problem_rows(caller: Visit, refusals: list[Refusal], preview: Preview | None) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for refusal in refusals:
        parts: list[Refusal] = list(refusal.reasons) or [refusal]
        rows += [{"field": _field_id(part.field), "message": caller.explain(part)} for part in parts]
    if preview and not rows:
        rows += [{"field": _field_id(rule.field), "message": caller.explain(rule)} for rule in preview.broken]
        if preview.taken:
            taken = SlotTaken(taken=preview.taken)
            rows.append({"field": "starts_at", "message": caller.explain(taken)})
    return rows


def _field_id(name: str) -> str:
    return name.replace("quantities.", "quantity_")


def _alternative_rows(
    entry: Equipment, preview: Preview | None, refusal: Refusal | None, asked: Asked, zone: ZoneInfo
) -> list[dict[str, Any]]:
    """The nearest free slots, each a link that chooses it and keeps what was typed."""
    slots = preview.alternatives if preview else views.slots_of(refusal)
    kept = {f"quantity_{name}": value for name, value in asked.quantities.items()}
    kept |= {"voucher": asked.voucher, "purpose": asked.purpose}
    return [
        {"slot": slot, "href": f"/equipment/{entry.public_id}?{urlencode(_picked(slot, zone) | kept)}#ask"}
        for slot in slots
    ]


def _tier(caller: Visit, entry: Equipment) -> Tier:
    if caller.actor and caller.actor.has(*permissions.BOOKERS):
        return permissions.payer_for(caller.actor, entry).tier
    return Tier.STARTUP


def _rate_rows(rates: Any, caller: Visit) -> list[dict[str, Any]]:
    return [
        {"unit": gettext(caller.lang, UNIT_NAMES[unit]), "price_fen": rate.price_fen, "is_example": rate.is_example}
        for unit, rate in rates.items()
    ]


def _quantity_rows(rates: Any, asked: Asked, caller: Visit) -> list[dict[str, Any]]:
    return [
        {
            "name": f"quantity_{unit}",
            "label": gettext(caller.lang, UNIT_NAMES[unit]),
            "value": asked.quantities.get(unit.value, "1"),
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


def _options(counts: Any, chosen: str, caller: Visit) -> list[dict[str, Any]]:
    every = {"value": "", "text": gettext(caller.lang, "All"), "checked": not chosen}
    return [every] + [
        {
            "value": str(count.value),
            "text": localised(count, caller.lang),
            "count": count.count,
            "checked": str(count.value) == chosen,
        }
        for count in counts
    ]


def _bands(chosen: str, caller: Visit) -> list[dict[str, Any]]:
    every = {"value": "", "text": gettext(caller.lang, "Any price"), "checked": not chosen}
    return [every] + [
        {
            "value": str(band // 100),
            "text": translate(caller.lang, "up to %(price)s", price=format_money(band)),
            "checked": chosen == str(band // 100),
        }
        for band in BANDS
    ]


def _week_href(entry: Equipment, first_on: date) -> str:
    return f"/equipment/{entry.public_id}?week={first_on.isoformat()}"


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
