"""What the codes of the catalogue are called: message ids."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from babel import Locale
from babel.core import get_global

from core.formats import format_length, format_money
from core.i18n import N_, Lang, gettext
from core.rendering import localised
from equipment.categories import CATEGORIES
from equipment.classes import class_name
from equipment.importing.headings import FIELDS
from equipment.models import (
    AssetSource,
    AssetState,
    ChargeUnit,
    ImportState,
    RowKind,
    ServiceMode,
    Tier,
    UseDirection,
)
from equipment.rule_words import APPROVAL_NAMES, rule_text
from equipment.rules import RULES

MODE_NAMES: dict[ServiceMode, str] = {
    ServiceMode.SELF: N_("You run it yourself"),
    ServiceMode.OPERATED: N_("Operated for you"),
    ServiceMode.SAMPLE: N_("Send samples"),
}
UNIT_NAMES: dict[ChargeUnit, str] = {
    ChargeUnit.HOUR: N_("hour"),
    ChargeUnit.DAY: N_("day"),
    ChargeUnit.SAMPLE: N_("sample"),
    ChargeUnit.RUN: N_("run"),
    ChargeUnit.GRAM: N_("gram"),
    ChargeUnit.MILLILITRE: N_("millilitre"),
    ChargeUnit.CHANNEL_DAY: N_("channel-day"),
    ChargeUnit.CARD_HOUR: N_("card-hour"),
}
TIER_NAMES: dict[Tier, str] = {
    Tier.INTERNAL: N_("Own institution"),
    Tier.STARTUP: N_("Startups of the zone"),
    Tier.OTHER: N_("Everybody else"),
}
ASSET_STATE_NAMES: dict[AssetState, str] = {
    AssetState.IN_USE: N_("In service"),
    AssetState.SURPLUS: N_("Surplus"),
    AssetState.AWAITING_REPAIR: N_("Awaiting repair"),
    AssetState.AWAITING_DISPOSAL: N_("Awaiting disposal"),
    AssetState.LOST: N_("Lost"),
    AssetState.SCRAPPED: N_("Scrapped"),
    AssetState.TRANSFERRED: N_("Transferred"),
    AssetState.DOWNGRADED: N_("Downgraded"),
    AssetState.OTHER: N_("Other state"),
}
ASSET_SOURCE_NAMES: dict[AssetSource, str] = {
    AssetSource.PURCHASE: N_("Purchased"),
    AssetSource.DONATION: N_("Donated"),
    AssetSource.SELF_MADE: N_("Self-made"),
    AssetSource.TRANSFER: N_("Transferred in"),
}
USE_DIRECTION_NAMES: dict[UseDirection, str] = {
    UseDirection.TEACHING: N_("Mostly teaching"),
    UseDirection.RESEARCH: N_("Mostly research"),
}
CHANGE_NAMES: dict[str, str] = {
    "described": N_("Facts changed"),
    "rules": N_("Rules changed"),
    "limits": N_("Limits changed"),
    "hours": N_("Hours changed"),
    "prices": N_("New prices"),
    "files": N_("Pictures or documents changed"),
    "units": N_("Units changed"),
    "imported": N_("Imported"),
    "retired": N_("Retired"),
    "returned": N_("Brought back"),
    "closed": N_("Closure entered"),
    "opened": N_("Closure removed"),
}
#: Names of fields in the history; those of imports and rules come from there.
FIELD_NAMES: dict[str, str] = {
    **FIELDS,
    **{rule.name: rule.label for rule in RULES.values()},
    "specs": N_("Key data"),
    "capability_en": N_("What it can do (English)"),
    "service_modes": N_("How it is used"),
    "voucher_eligible": N_("Vouchers pay a share"),
    "is_bookable": N_("Can be booked"),
    "retired_at": N_("Retired"),
    "reported": N_("Reported figures"),
    "added": N_("Added"),
    "tariff": N_("Prices"),
    "units": N_("Units"),
    "photo": N_("Picture"),
    "document": N_("Document"),
    "closure": N_("Closure"),
    "hours": N_("Hours"),
    "company_day_bookings": N_("Bookings of a company in a day"),
    "company_day_minutes": N_("Time of a company in a day"),
    "company_month_bookings": N_("Bookings of a company in a month"),
    "company_month_minutes": N_("Time of a company in a month"),
    "person_day_bookings": N_("Bookings of a person in a day"),
    "person_day_minutes": N_("Time of a person in a day"),
    "person_week_bookings": N_("Bookings of a person in a week"),
    "person_week_minutes": N_("Time of a person in a week"),
    "person_month_bookings": N_("Bookings of a person in a month"),
    "person_month_minutes": N_("Time of a person in a month"),
}
IMPORT_STATE_NAMES: dict[ImportState, str] = {
    ImportState.WAITING: N_("being read"),
    ImportState.MAPPING: N_("columns to be named"),
    ImportState.PREVIEW: N_("to be looked at"),
    ImportState.APPLIED: N_("applied"),
    ImportState.REFUSED: N_("not usable"),
    ImportState.DROPPED: N_("put aside"),
}
IMPORT_STATE_BADGES: dict[ImportState, str] = {
    ImportState.WAITING: "mine",
    ImportState.MAPPING: "wait",
    ImportState.PREVIEW: "wait",
    ImportState.APPLIED: "ok",
    ImportState.REFUSED: "stop",
    ImportState.DROPPED: "plain",
}
ROW_KIND_NAMES: dict[RowKind, str] = {
    RowKind.NEW: N_("New"),
    RowKind.CHANGED: N_("Changed"),
    RowKind.GONE: N_("Gone"),
    RowKind.REFUSED: N_("Refused"),
    RowKind.SAME: N_("Unchanged"),
}


def value_text(value: Any, name: str, lang: Lang) -> str:
    """A value of a field as one line: codes as their words, money as money, rules with their units."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return gettext(lang, N_("yes") if value else N_("no"))
    if name in _CODES:
        words = [_CODES[name].get(code, str(code)) for code in (value if isinstance(value, list) else [value])]
        return ", ".join(gettext(lang, word) for word in words)
    if name in RULES:
        return rule_text(RULES[name], value, lang)
    if name in _WORDS:
        return _WORDS[name](str(value), lang)
    if name.endswith("_fen") and isinstance(value, int):
        return format_money(value)
    if name.endswith("_minutes") and isinstance(value, int):
        return format_length(value, lang)
    if isinstance(value, dict):
        return "; ".join(f"{key} {part}" for key, part in value.items())
    if isinstance(value, list):
        return "; ".join(": ".join(map(str, part)) if isinstance(part, list) else str(part) for part in value)
    return str(value)


def country_name(code: str, lang: Lang) -> str:
    """The name of an ISO country code of two or three letters or three digits; a text that is none stays."""
    key = code.strip().upper()
    alpha_2 = next(iter(get_global("territory_aliases").get(key, [])), key)
    return _territories(lang).get(alpha_2, code) if len(key) in (2, 3) else code


@cache
def _territories(lang: Lang) -> Mapping[str, str]:
    return Locale("zh" if lang == "zh-CN" else "en").territories


def _category_text(slug: str, lang: Lang) -> str:
    return localised(CATEGORIES[slug], lang) if slug in CATEGORIES else slug


def _source_text(source: str, lang: Lang) -> str:
    return gettext(lang, _SOURCES.get(source, source))


#: Where an entry came from.
_SOURCES = {
    "csv": N_("from a list"), "table": N_("from a list"), "page": N_("by hand"), "sj1": N_("from table SJ1"),
    "sj3": N_("from table SJ3"),
}  # fmt: skip
#: Fields whose texts are codes of their own kind.
_WORDS: dict[str, Callable[[str, Lang], str]] = {
    "category": _category_text, "class_code": lambda code, lang: f"{code} {class_name(code, lang)}".strip(),
    "country": country_name, "added": _source_text,
}  # fmt: skip
#: Fields that hold codes, and what the codes are called.
_CODES: dict[str, Mapping[Any, str]] = {
    "asset_state": ASSET_STATE_NAMES, "asset_source": ASSET_SOURCE_NAMES, "use_direction": USE_DIRECTION_NAMES,
    "service_modes": MODE_NAMES, "approval_mode": APPROVAL_NAMES,
}  # fmt: skip
