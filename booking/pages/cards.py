"""A found instrument as lists show it: what it is, its spectrum, its price, and ways to the quote."""

from typing import Any
from urllib.parse import urlencode

from booking.pages.week import picked
from booking.strips import Week, draw_strip
from core.formats import format_slot, format_soon
from core.i18n import gettext, translate
from core.rendering import localised
from core.slot import Slot
from equipment.words import MODE_NAMES, UNIT_NAMES
from members.access import Visit

#: A row of `equipment.lines`.
Row = Any


def show_card(row: Row, week: Week | None, first: Slot | None, caller: Visit) -> dict[str, Any]:
    """A row of `equipment.lines` with its week, None where it cannot be booked, and the first time that is free."""
    lang = caller.lang
    return {
        "entry": row,
        "href": _href(row),
        "name": localised(row, lang),
        "place": f"{localised(row, lang, 'owner_name')} · {localised(row, lang, 'lab_name')}",
        "strip": draw_strip(week, now=caller.now, lang=lang) if week else None,
        "summary": _summary(week, first, caller) if week else gettext(lang, "Listed only"),
        "mode": gettext(lang, MODE_NAMES[row.service_modes[0]]),
        "unit": gettext(lang, UNIT_NAMES[row.price_unit]) if row.price_unit else "",
        "slots": [],
        "next": [],
    }


def next_button(row: Row, week: Week | None, first: Slot | None, caller: Visit) -> list[dict[str, str]]:
    """The way to the quote for the next free time, if there is one."""
    if week is None or first is None:
        return []
    title = translate(caller.lang, "Quote for %(slot)s", slot=format_slot(first, caller.lang, week.zone))
    label = format_soon(first.starts_at, caller.lang, week.zone, now=caller.now)
    return [{"label": label, "title": title, "href": _quote_href(row, first, week)}]


def slot_button(row: Row, slot: Slot, week: Week, caller: Visit) -> dict[str, str]:
    """The way to the quote for a slot."""
    words = format_slot(slot, caller.lang, week.zone)
    title = translate(caller.lang, "Quote for %(slot)s", slot=words)
    return {"label": words, "title": title, "href": _quote_href(row, slot, week)}


def _href(row: Row) -> str:
    return f"/equipment/{row.public_id}"


def _quote_href(row: Row, slot: Slot, week: Week) -> str:
    return f"{_href(row)}?{urlencode(picked(slot, week.zone))}#ask"


def _summary(week: Week, first: Slot | None, caller: Visit) -> str:
    """The strip in words."""
    if first is None:
        return gettext(caller.lang, "Not free in the next week")
    when = format_soon(first.starts_at, caller.lang, week.zone, now=caller.now)
    return translate(caller.lang, "Next free: %(when)s", when=when)
