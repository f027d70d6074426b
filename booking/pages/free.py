"""What, when, for how long, for how much: who is free, with the first slots as ways to the quote."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from booking import free_search, near_misses, soonest
from booking.free_schemas import search_window
from booking.free_search import ALL_DAYS, Free, Page, Wish
from booking.near_misses import WHY_WORDS, NearMiss
from booking.pages.cards import Row, show_card, slot_button
from booking.strips import WEEK, Week, find_weeks
from core.errors import Refusal
from core.formats import format_length
from core.i18n import N_, gettext
from core.rendering import localised
from core.shapes import read_date
from core.slot import local_day
from equipment.categories import CATEGORIES
from equipment.lines import find_lines_by_id
from equipment.search import LONGEST, Search
from members.access import Visit, Visitor

router = APIRouter(include_in_schema=False)
LENGTHS = (30, 60, 120, 180, 240, 480, 1440)
BUDGET_DIGITS = 7
#: Part of day by name: from and to in minutes of the lab's wall time.
PARTS = {
    "any": (0, 1440, N_("any time of day")),
    "morning": (360, 720, N_("in the morning")),
    "afternoon": (720, 1080, N_("in the afternoon")),
    "evening": (1080, 1440, N_("in the evening")),
}

SORTS = {"relevance": N_("best match"), "soonest": N_("soonest free")}


@dataclass(frozen=True)
class Asked:
    """What the address asks; what makes no sense is as if it had not been said."""

    q: str
    first_on: date
    last_on: date
    part: str
    minutes: int
    price: str
    category: str
    sort: str
    cursor: str | None

    @classmethod
    def of(cls, request: Request, today: date) -> "Asked":
        query = request.query_params
        first_on = read_date(query.get("from", ""), today)
        minutes = next((length for length in LENGTHS if str(length) == query.get("minutes")), 60)
        price = query.get("price", "").strip()
        return cls(
            q=query.get("q", "").strip()[:LONGEST],
            first_on=first_on,
            last_on=read_date(query.get("to", ""), max(first_on, today) + timedelta(days=WEEK - 1)),
            part=query.get("part", "") if query.get("part", "") in PARTS else "any",
            minutes=minutes,
            price=price if price.isascii() and price.isdigit() and len(price) <= BUDGET_DIGITS else "",
            category=query.get("category", "") if query.get("category", "") in CATEGORIES else "",
            sort="soonest" if query.get("sort") == "soonest" else "relevance",
            cursor=query.get("cursor", "")[:2000] or None,
        )

    @property
    def search(self) -> Search:
        price_fen = int(self.price) * 100 if self.price else None
        return Search(self.q, self.category or None, None, price_fen, free_search.PAGE, self.cursor)

    def wish(self, zone: ZoneInfo) -> Wish:
        """Raises SlotInvalid, WindowTooLong."""
        window = search_window(local_day(self.first_on, zone).starts_at, local_day(self.last_on, zone).ends_at)
        first, last, _ = PARTS[self.part]
        return Wish(window, self.minutes, first, last, ALL_DAYS)

    def href(self, cursor: str | None) -> str:
        """The address of another page of the same question."""
        asked = {
            "q": self.q, "from": self.first_on.isoformat(), "to": self.last_on.isoformat(), "part": self.part,
            "minutes": str(self.minutes), "price": self.price, "category": self.category, "sort": self.sort,
            "cursor": cursor or "",
        }  # fmt: skip
        return "/free?" + urlencode({name: value for name, value in asked.items() if value})

    def sorted_by(self, sort: str) -> str:
        """The address of the same question in another order."""
        return replace(self, sort=sort).href(None)


@router.get("/free")
def show_free(caller: Visitor) -> Response:
    """Instruments that are free as asked, twenty a page; when there are none, what nearly fits."""
    zone = caller.site.renderer.zone
    today = caller.now.astimezone(zone).date()
    asked = Asked.of(caller.request, today)
    problem: Refusal | None = None
    page, near = Page([], None), list[NearMiss]()
    with caller.read() as session:
        try:
            page, near = _find(session, asked, asked.wish(zone), caller)
        except Refusal as refusal:
            problem = refusal
        shown = [*page.items, *(miss.free for miss in near)]
        rows = find_lines_by_id(session, [free.entry.id for free in shown])
        weeks = _weeks(session, shown, max(asked.first_on, today), caller.now)
    cards = [_result(free, rows[free.entry.id], week, caller) for free, week in zip(shown, weeks, strict=True)]
    return caller.render(
        "pages/catalogue/free.html",
        status=422 if problem else 200,
        asked=asked,
        problem=caller.explain(problem) if problem else "",
        lengths=[(str(minutes), format_length(minutes, caller.lang)) for minutes in LENGTHS],
        parts=[(name, gettext(caller.lang, words)) for name, (_, _, words) in PARTS.items()],
        sorts=[
            {"text": gettext(caller.lang, words), "href": asked.sorted_by(sort), "current": sort == asked.sort}
            for sort, words in SORTS.items()
        ],
        category=localised(CATEGORIES[asked.category], caller.lang) if asked.category else "",
        results=cards[: len(page.items)],
        near=[
            card | {"why": gettext(caller.lang, WHY_WORDS[miss.why])}
            for miss, card in zip(near, cards[len(page.items) :], strict=True)
        ],
        is_cut=page.is_cut,
        next_href=asked.href(page.next_cursor) if page.next_cursor else "",
        first_href=asked.href(None) if asked.cursor else "",
    )


def _find(session: Session, asked: Asked, wish: Wish, caller: Visit) -> tuple[Page, list[NearMiss]]:
    find = soonest.find_soonest if asked.sort == "soonest" else free_search.find_page
    page = find(session, asked.search, wish, now=caller.now)
    if page.items or asked.cursor:
        return page, []
    return page, near_misses.find_near_misses(session, asked.search, wish, now=caller.now)


def _weeks(session: Session, free: Sequence[Free], first_on: date, now: datetime) -> list[Week]:
    """The week that is asked about; of what is free only later, the week from then on."""
    asked = []
    for one in free:
        on = one.slots[0].starts_at.astimezone(ZoneInfo(one.entry.zone)).date()
        asked.append((one.entry, first_on if on < first_on + timedelta(days=WEEK) else on))
    return find_weeks(session, asked, now=now)


def _result(free: Free, row: Row, week: Week, caller: Visit) -> dict[str, Any]:
    return show_card(row, week, free.slots[0], caller) | {
        "slots": [slot_button(row, slot, week, caller) for slot in free.slots]
    }
