"""Lengths of time as people type them: `30 min`, `48 h`, `3 d`, `1 天 12 小时`, or a bare number. Pure."""

import re
import unicodedata
from decimal import Decimal

from core.i18n import Lang, translate

HOUR, DAY = 60, 1440
_UNITS: dict[str, int] = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "分", "分钟"), 1),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "时", "小时", "个小时"), HOUR),
    **dict.fromkeys(("d", "day", "days", "日", "天"), DAY),
}  # fmt: skip
_PART = re.compile(r"\s*(\d{1,7}(?:\.\d{1,4})?)\s*([a-z]+|[\u4e00-\u9fff]+)?\s*", re.ASCII)


def read_length(text: str, *, bare: int = 1) -> int:
    """Whole minutes. `bare`: minutes of a number without a unit, which stands alone. Raises ValueError."""
    rest = unicodedata.normalize("NFKC", text).strip().lower()
    minutes, position, parts = Decimal(0), 0, 0
    while match := _PART.match(rest, position):
        number, unit = match.groups()
        if (unit is None and match.end() < len(rest)) or (unit is None and parts):
            raise ValueError(text)
        if unit is not None and unit not in _UNITS:
            raise ValueError(text)
        minutes += Decimal(number) * (_UNITS[unit] if unit else bare)
        position, parts = match.end(), parts + 1
    if not parts or position < len(rest) or minutes != int(minutes):
        raise ValueError(text)
    return int(minutes)


def write_length(minutes: int, lang: Lang) -> str:
    """Exact, in the largest unit that divides it, and readable by `read_length`: 2880 is `2 days`, 1440 is `24 h`."""
    if minutes >= 2 * DAY and minutes % DAY == 0:
        return translate(lang, "%(number)s days", number=minutes // DAY)
    if minutes and minutes % HOUR == 0:
        return translate(lang, "%(number)s h", number=minutes // HOUR)
    return translate(lang, "%(number)s min", number=minutes)
