"""The catalogue with who is free in the next seven days."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from booking import availability, timelines
from booking.availability import Days
from booking.conflicts import bookable_window
from booking.pages.week import WEEK, picked
from core.formats import format_money, format_soon
from core.i18n import gettext, translate
from core.rendering import localised
from core.shapes import read_uuid
from equipment import queries as catalogue
from equipment.categories import CATEGORIES
from equipment.models import Equipment
from equipment.search import Search
from equipment.words import MODE_NAMES, UNIT_NAMES
from members.access import Visit, Visitor

router = APIRouter(include_in_schema=False)
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
        institution=read_uuid(institution),
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
        days.free_slots, days.open_slots, days.first_on, WEEK,
        zone=zone, now=caller.now, bookable=bookable_window(entry, caller.now), lang=lang,
    )  # fmt: skip
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
        "next": {"label": when, "href": f"{href}?{urlencode(picked(first, zone))}#ask"} if first else None,
        "mode": gettext(lang, MODE_NAMES[entry.service_modes[0]]),
        "unit": gettext(lang, UNIT_NAMES[entry.price_unit]) if entry.price_unit else "",
        "lead": entry.lead_minutes,
    }


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
