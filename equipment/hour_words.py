"""Weekly hours in words, days with the same hours together, nights across midnight in one piece. Pure."""

from collections import defaultdict
from collections.abc import Sequence

from core.formats import MONTHS, WEEKDAYS
from core.i18n import Lang, gettext
from equipment.opening import Stretch

DAY = 1440


def week_stretches(parts: Sequence[Stretch]) -> dict[int, list[tuple[int, int]]]:
    """Stretches by weekday. What ends at midnight and goes on until the morning is one that ends after 24:00."""
    by_day: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for part in sorted(parts, key=lambda part: (part.weekday, part.opens_minute)):
        by_day[part.weekday].append((part.opens_minute, part.closes_minute))
    evenings = [day for day in sorted(by_day) if by_day[day][-1][0] > 0 and by_day[day][-1][1] == DAY]
    mornings = {day: stretches[0] for day, stretches in by_day.items() if stretches[0][0] == 0}
    for day in evenings:
        after = (day + 1) % 7
        opens = by_day[day][-1][0]
        if after in mornings and mornings[after][1] <= opens:
            by_day[day][-1] = (opens, DAY + mornings[after][1])
            by_day[after].remove(mornings[after])
    return {day: stretches for day, stretches in by_day.items() if stretches}


def week_rows(parts: Sequence[Stretch], lang: Lang) -> list[dict[str, str]]:
    """Label and value of each group of days: `周一至周五`, `08:30–12:00, 14:00–17:30`."""
    by_day = week_stretches(parts)
    rows: list[tuple[list[int], list[tuple[int, int]]]] = []
    for weekday in range(7):
        stretches = by_day.get(weekday, [])
        if rows and rows[-1][1] == stretches:
            rows[-1][0].append(weekday)
        else:
            rows.append(([weekday], stretches))
    return [
        {"label": days_text(days, lang), "value": ", ".join(stretch_text(*stretch) for stretch in stretches)}
        for days, stretches in rows
        if stretches
    ]


def opening_rows(hours: Sequence[Stretch], lang: Lang) -> list[dict[str, str]]:
    """The week's rows of the whole year, then those of each season with its days before them."""
    rows: list[dict[str, str]] = []
    for first, last in sorted({_season(part) for part in hours}):
        name = f"{season_text(first, lang)}–{season_text(last, lang)} " if first else ""
        parts = [part for part in hours if _season(part) == (first, last)]
        rows += [{"label": name + row["label"], "value": row["value"]} for row in week_rows(parts, lang)]
    return rows


def season_text(day: int, lang: Lang) -> str:
    """MMDD as a day of the year."""
    month, number = divmod(day, 100)
    return f"{month} 月 {number} 日" if lang == "zh-CN" else f"{number} {MONTHS[month - 1]}"


def weekday_text(day: int, lang: Lang) -> str:
    return f"周{WEEKDAYS['zh-CN'][day]}" if lang == "zh-CN" else WEEKDAYS["en"][day]


def days_text(days: Sequence[int], lang: Lang) -> str:
    """Weekdays in order; three and more that follow each other as first and last."""
    names = [weekday_text(day, lang) for day in days]
    if len(days) == 7:
        return gettext(lang, "every day")
    if len(days) == 1:
        return names[0]
    if list(days) == list(range(days[0], days[-1] + 1)):
        return f"{names[0]}至{names[-1]}" if lang == "zh-CN" else f"{names[0]}–{names[-1]}"
    return ("、" if lang == "zh-CN" else ", ").join(names)


def stretch_text(first: int, last: int) -> str:
    """Minutes of a day as `08:30–12:00`; an end after midnight is the next morning's."""
    return f"{clock(first)}–{clock(last)}"


def clock(minute: int) -> str:
    """24:00 is the midnight that ends a day; what lies after it is the next morning."""
    minute = minute if minute <= DAY else minute - DAY
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _season(part: Stretch) -> tuple[int, int]:
    return part.season_first or 0, part.season_last or 0
