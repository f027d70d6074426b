"""Up to four instruments side by side."""

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from booking.comparison import MOST, Compared, Job, compare
from booking.pages.facts import fact_rows, rule_rows
from booking.pages.week import picked
from booking.permissions import tier_for
from core.formats import format_length, format_money, format_soon
from core.i18n import gettext, translate
from core.rendering import localised
from core.shapes import read_uuid
from equipment.hour_words import opening_rows
from equipment.words import MODE_NAMES, UNIT_NAMES
from members.access import Visit, Visitor

router = APIRouter(include_in_schema=False)
LENGTHS = (30, 60, 120, 180, 240, 480, 1440)
AMOUNT_MOST = 1000


@router.get("/compare")
def show_comparison(caller: Visitor, minutes: str = "", amount: str = "") -> Response:
    """Facts, the price of the same job and the next free time of the instruments that the address names."""
    asked = caller.request.query_params.getlist("id")[: MOST * 4]
    ids = [key for text in asked if (key := read_uuid(text)) is not None]
    job = Job(_number(minutes, 120, max(LENGTHS)), _number(amount, 1, AMOUNT_MOST))
    with caller.read() as session:
        found = compare(session, ids, job, lambda entry: tier_for(caller.actor, entry), now=caller.now)
    columns = [_column(one, found, job, caller) for one in found]
    return caller.render(
        "pages/catalogue/compare.html",
        columns=columns,
        rows=_rows(found, columns, caller),
        ids=[str(one.entry.public_id) for one in found],
        job=job,
        lengths=[
            (str(length), format_length(length, caller.lang)) for length in sorted({*LENGTHS, job.minutes})
        ],
    )  # fmt: skip


def _number(text: str, default: int, most: int) -> int:
    return min(max(int(text), 1), most) if text.isascii() and text.isdigit() and len(text) < 9 else default


def _column(one: Compared, all_of_them: list[Compared], job: Job, caller: Visit) -> dict[str, Any]:
    """An instrument as the head of a column: its name, the way to it, and the way to the rest without it."""
    entry, zone = one.entry, ZoneInfo(one.entry.lab.zone)
    href = f"/equipment/{entry.public_id}"
    slot = one.next_free
    others = [("id", str(other.entry.public_id)) for other in all_of_them if other is not one]
    return {
        "entry": entry,
        "name": localised(entry, caller.lang),
        "href": href,
        "drop_href": "/compare?" + urlencode([*others, ("minutes", job.minutes), ("amount", job.amount)]),
        "price_fen": one.price_fen,
        "next": format_soon(slot.starts_at, caller.lang, zone, now=caller.now) if slot else "",
        "next_href": f"{href}?{urlencode(picked(slot, zone))}#ask" if slot else "",
    }


def _rows(found: list[Compared], columns: list[dict[str, Any]], caller: Visit) -> list[dict[str, Any]]:
    """Facts and rules by label: one value for each instrument; what all lack is left out."""
    lang = caller.lang
    told = [
        {
            row["label"]: row["value"]
            for row in [*_own_rows(one, caller), *_opening_of(one, caller), *rule_rows(one.entry, lang)]
        }
        for one in found
    ]
    labels = dict.fromkeys(label for facts in told for label in facts)
    return [{"label": label, "values": [facts.get(label, "–") for facts in told]} for label in labels]


def _own_rows(one: Compared, caller: Visit) -> list[dict[str, str]]:
    entry, lang = one.entry, caller.lang
    rows = []
    if entry.price_fen is not None and entry.price_unit:
        listed = f"{format_money(entry.price_fen)}/{gettext(lang, UNIT_NAMES[entry.price_unit])}"
        rows.append({"label": gettext(lang, "Price per unit"), "value": listed})
    modes = ", ".join(gettext(lang, MODE_NAMES[mode]) for mode in entry.service_modes)
    rows.append({"label": gettext(lang, "Way of use"), "value": modes})
    voucher = gettext(lang, "yes") if entry.voucher_eligible else gettext(lang, "no")
    rows.append({"label": gettext(lang, "Voucher"), "value": voucher})
    kept = {translate(lang, label) for label in ("Maker and model", "Specification", "Place", "Owner", "Units")}
    return rows + [row for row in fact_rows(entry, lang) if row["label"] in kept]


def _opening_of(one: Compared, caller: Visit) -> list[dict[str, str]]:
    """Opening hours in one value."""
    words = "; ".join(f"{row['label']} {row['value']}" for row in opening_rows(one.entry.hours, caller.lang))
    return [{"label": gettext(caller.lang, "Opening hours"), "value": words}] if words else []
