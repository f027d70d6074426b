"""The catalogue with who is free in the next seven days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking.free_search import Wish
from booking.pages import narrowing
from booking.pages.cards import Row, next_button, show_card
from booking.pages.narrowing import NEXT_FREE, Asked
from booking.soonest import find_soonest
from booking.strips import Week, find_weeks
from core.slot import Slot
from equipment.candidates import find_candidates_by_id
from equipment.facets import count_facets
from equipment.finding import Lines, find_places
from equipment.lines import find_lines, find_lines_by_id
from equipment.search import LONGEST, Search
from members.access import Visit, Visitor

router = APIRouter(include_in_schema=False)
#: How far ahead the order by next free time looks.
AHEAD = timedelta(days=30)
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
        found = _find_soonest(session, wanted, caller.now) if asked.sort == NEXT_FREE else find_lines(session, wanted)
        facets = count_facets(session, replace(wanted, cursor=None))
        bookable = find_candidates_by_id(session, [row.id for row in found.rows if row.is_bookable])
        weeks = find_weeks(session, [(entry, today) for entry in bookable], now=caller.now)
    by_id = {entry.id: week for entry, week in zip(bookable, weeks, strict=True)}
    return caller.render(
        "pages/catalogue/search.html",
        q=asked.q,
        total=found.total,
        results=[_result(row, by_id.get(row.id), caller) for row in found.rows],
        facets=narrowing.facet_options(asked, facets, caller.lang),
        chips=narrowing.chips(asked, facets, caller.lang),
        sort=asked.sort,
        days=AHEAD.days if asked.sort == NEXT_FREE else 0,
        is_cut=isinstance(found, Soonest) and found.is_cut,
        sorts=narrowing.sort_options(caller.lang),
        free_href="/free?" + urlencode({"q": asked.q}) if asked.q else "/free",
        next_href=asked.href(cursor=found.next_cursor) if found.next_cursor else "",
    )


@dataclass(frozen=True)
class Soonest(Lines):
    is_cut: bool


def _find_soonest(session: Session, wanted: Search, now: datetime) -> Soonest:
    """What is free in the days to come for as short a time as it can be had, the soonest first."""
    page = find_soonest(session, wanted, Wish(Slot(now, now + AHEAD), None, slots=1), now=now)
    rows = find_lines_by_id(session, [free.entry.id for free in page.items])
    total = find_places(session, replace(wanted, cursor=None, limit=1)).total
    return Soonest([rows[free.entry.id] for free in page.items], total, page.next_cursor, page.is_cut)


def _result(row: Row, week: Week | None, caller: Visit) -> dict[str, Any]:
    first = week.next_free if week else None
    return show_card(row, week, first, caller) | {"next": next_button(row, week, first, caller)}
