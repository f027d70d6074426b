"""How numbers, money and time are written in the two languages. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.i18n import Lang, Term, gettext, translate
from core.money import format_yuan
from core.slot import Slot

WEEKDAYS = {"zh-CN": "一二三四五六日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_money(amount_fen: int) -> str:
    text = format_yuan(amount_fen)
    return f"−¥{text[1:]}" if amount_fen < 0 else f"¥{text}"


def format_weekday(on: date, lang: Lang) -> str:
    return f"周{WEEKDAYS['zh-CN'][on.weekday()]}" if lang == "zh-CN" else WEEKDAYS["en"][on.weekday()]


def format_date(on: date, lang: Lang, *, year: bool = False) -> str:
    """`11 月 26 日 周四`, `Thu 26 Nov`; with the year where it matters."""
    if lang == "zh-CN":
        return f"{f'{on.year} 年 ' if year else ''}{on.month} 月 {on.day} 日 {format_weekday(on, lang)}"
    return f"{format_weekday(on, lang)} {on.day} {MONTHS[on.month - 1]}{f' {on.year}' if year else ''}"


def format_month(on: date, lang: Lang) -> str:
    return f"{on.year} 年 {on.month} 月" if lang == "zh-CN" else f"{MONTHS[on.month - 1]} {on.year}"


def format_time(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")


def format_instant(at: datetime, lang: Lang, zone: ZoneInfo, *, year: bool = False) -> str:
    return f"{format_date(at.astimezone(zone).date(), lang, year=year)} {format_time(at, zone)}"


def format_soon(at: datetime, lang: Lang, zone: ZoneInfo, *, now: datetime) -> str:
    """`今天 14:00`, `周四 14:00` within a week, later with the date."""
    on, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    if on == today:
        return f"{translate(lang, 'Today')} {format_time(at, zone)}"
    if 0 < (on - today).days < 7:
        return f"{format_weekday(on, lang)} {format_time(at, zone)}"
    return format_instant(at, lang, zone)


def format_slot(slot: Slot, lang: Lang, zone: ZoneInfo, *, year: bool = False) -> str:
    """`11 月 26 日 周四 14:00–16:00`; an end on another day names that day; midnight of the same day is 24:00."""
    start, end = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    head = f"{format_date(start.date(), lang, year=year)} {start:%H:%M}"
    if start.date() == end.date():
        return f"{head}–{end:%H:%M}"
    if end.hour == end.minute == 0 and (end.date() - start.date()).days == 1:
        return f"{head}–24:00"
    return f"{head} – {format_date(end.date(), lang, year=year)} {end:%H:%M}"


def format_length(minutes: int, lang: Lang) -> str:
    """`90` -> `1.5 小时`; under an hour in minutes; whole days from two days on."""
    if minutes < 60:
        return translate(lang, "%(number)s min", number=minutes)
    if minutes >= 2 * 1440 and minutes % 1440 == 0:
        return translate(lang, "%(number)s days", number=minutes // 1440)
    hours = format_number(Decimal(minutes) / 60, places=2)
    return translate(lang, "%(number)s h", number=hours)


def format_number(value: Decimal | float | int, *, places: int = 1) -> str:
    """Thousands separators, at most `places` decimals, no trailing zeros."""
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_percent(share: float, *, places: int = 1) -> str:
    return f"{format_number(share * 100, places=places)} %"


def format_fields(fields: Mapping[str, Any], lang: Lang, zone: ZoneInfo) -> dict[str, str]:
    """The fields of a refusal or notice as words, by the ends of their names and by their types."""
    return {name: _format_field(name, value, lang, zone) for name, value in fields.items()}


def _format_field(name: str, value: Any, lang: Lang, zone: ZoneInfo) -> str:
    match value:
        case Term():
            return gettext(lang, value)
        case Slot():
            return format_slot(value, lang, zone)
        case datetime():
            return format_instant(value, lang, zone)
        case date():
            return format_date(value, lang, year=True)
        case list() | tuple():
            return ("、" if lang == "zh-CN" else ", ").join(_format_field(name, part, lang, zone) for part in value)
        case int() if name.endswith("_fen"):
            return format_money(value)
        case int() if name.endswith("_minutes"):
            return format_length(value, lang)
        case _:
            return str(value)
