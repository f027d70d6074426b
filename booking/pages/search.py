"""The catalogue with who is free in the next seven days."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from booking import availability, timelines
from booking.availability import Days
from booking.conflicts import bookable_window
from booking.pages import narrowing
from booking.pages.narrowing import Asked
from booking.pages.week import WEEK, picked
from core.formats import format_soon
from core.i18n import gettext, translate
from core.rendering import localised
from equipment import queries as catalogue
from equipment.facets import count_facets
from equipment.models import Equipment
from equipment.search import LONGEST
from equipment.words import MODE_NAMES, UNIT_NAMES
from members.access import Visit, Visitor

router = APIRouter(include_in_schema=False)
Several = Annotated[Sequence[str], Query()]


@router.get("/equipment")
def search(
    caller: Visitor,
    q: Annotated[str, Query(max_length=LONGEST)] = "",
    category: Several = (),
    institution: Several = (),
    mode: Several = (),
    district: Several = (),
    price: str = "",
    voucher: str = "",
    sort: str = "",
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Find an instrument and see at a glance when it is free in the next seven days."""
    asked = Asked.of(
        q=q, category=category, institution=institution, mode=mode, district=district, price=price, voucher=voucher,
        sort=sort,
    )  # fmt: skip
    wanted = asked.search(cursor)
    zone = caller.site.renderer.zone
    today = caller.now.astimezone(zone).date()
    with caller.read() as session:
        found = catalogue.search_equipment(session, wanted)
        facets = count_facets(session, wanted)
        days = availability.find_days(session, found.items, first_on=today, days=WEEK, now=caller.now)
    return caller.render(
        "pages/catalogue/search.html",
        q=asked.q,
        total=found.total,
        results=[_result(entry, days[entry.id], caller) for entry in found.items],
        facets=narrowing.facet_options(asked, facets, caller.lang),
        chips=narrowing.chips(asked, facets, caller.lang),
        sort=asked.sort,
        sorts=narrowing.sort_options(caller.lang),
        free_href="/free?" + urlencode({"q": asked.q}) if asked.q else "/free",
        next_href=asked.href(cursor=found.next_cursor) if found.next_cursor else "",
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
