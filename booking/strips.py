"""The spectrum: seven days of instruments as what is free and taken, and as two paths that are ready to draw.

Integers and paths instead of slots and a loop in the template: a page shows twenty of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import free_times
from booking.free_search import Times, Wish
from booking.free_times import Offset, Span
from core.formats import format_weekday
from core.i18n import Lang, translate
from core.slot import Slot, local_day
from equipment.candidates import Candidate

WEEK = 7
#: Quarter hours of a day that are drawn, 07:00 to 22:00, and the gap between two days.
FIRST, LAST, GAP = 28, 88, 4
HIGH, LOW = (0, 24), (11, 13)


@dataclass(frozen=True)
class StripDay:
    label: str
    short: str
    is_today: bool
    is_closed: bool


@dataclass(frozen=True)
class Strip:
    """A strip to draw: its days, and the paths of what is free and what is taken."""

    days: list[StripDay]
    free: str
    taken: str


@dataclass(frozen=True)
class Week:
    """Seven days of an entry from `days[0]` on, in minutes since 1970; `days` holds the eight midnights around them.

    Free is where any unit is free and one may still ask; time that is past or not yet to be asked for is neither free
    nor taken.
    """

    zone: ZoneInfo
    first_on: date
    days: list[int]
    offset: Offset
    free: list[Span]
    taken: list[Span]
    is_closed: list[bool]
    next_free: Slot | None


def find_weeks(session: Session, asked: Sequence[tuple[Candidate, date]], *, now: datetime) -> list[Week]:
    """The weeks of entries, each from its own first day on, in the order asked. Three statements for all of them."""
    if not asked:
        return []
    windows = [_week_in(ZoneInfo(entry.zone), first_on) for entry, first_on in asked]
    whole = Slot(min(each.starts_at for each in windows), max(each.ends_at for each in windows))
    times = Times(session, whole, now)
    taken = times.find_taken([entry for entry, _ in asked])
    return [
        _week(times, entry, taken, window, first_on)
        for (entry, first_on), window in zip(asked, windows, strict=True)
    ]  # fmt: skip


@lru_cache(64)
def _week_in(zone: ZoneInfo, first_on: date) -> Slot:
    last = first_on + timedelta(days=WEEK - 1)
    return Slot(local_day(first_on, zone).starts_at, local_day(last, zone).ends_at)


def _week(
    times: Times, entry: Candidate, taken: dict[int, list[tuple[int, int]]], window: Slot, first_on: date
) -> Week:
    wish = Wish(window, None, slots=1)
    open_spans = times.open_spans(entry, wish)
    units = [taken.get(unit, []) for unit in entry.unit_ids]
    free = _joined([span for busy in units for span in free_times.cut(open_spans, busy)])
    askable = times.bookable(entry, wish)
    fits = times.first_slots(entry, taken, wish)
    days = _midnights(entry.zone, first_on)
    return Week(
        zone=ZoneInfo(entry.zone),
        first_on=first_on,
        days=days,
        offset=times.offset(entry.zone),
        free=free_times.within(free, *askable),
        taken=free_times.cut(open_spans, free),
        is_closed=[not free_times.within(open_spans, *ends) for ends in pairwise(days)],
        next_free=fits[0] if fits else None,
    )


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The same time as fewest spans, in order."""
    out: list[Span] = []
    for span in sorted(spans):
        if out and span.start <= out[-1].end:
            out[-1] = Span(out[-1].start, max(out[-1].end, span.end))
        else:
            out.append(span)
    return out


@lru_cache(64)
def _midnights(zone: str, first_on: date) -> list[int]:
    days = (first_on + timedelta(days=number) for number in range(WEEK + 1))
    return [free_times.floor_minute(local_day(on, ZoneInfo(zone)).starts_at) for on in days]


def draw_strip(week: Week, *, now: datetime, lang: Lang) -> Strip:
    today = now.astimezone(week.zone).date()
    days = [
        StripDay(*_day_names(week.first_on + timedelta(days=number), today, lang), is_closed)
        for number, is_closed in enumerate(week.is_closed)
    ]
    return Strip(days, _path(week, week.free, HIGH), _path(week, week.taken, LOW))


@lru_cache(256)
def _day_names(on: date, today: date, lang: Lang) -> tuple[str, str, bool]:
    weekday = format_weekday(on, lang)
    label = f"{translate(lang, 'Today') if on == today else weekday} {on.day}"
    return label, weekday[-1] if lang == "zh-CN" else weekday[:2], on == today


def _path(week: Week, spans: Sequence[Span], line: tuple[int, int]) -> str:
    """Lines from `y` down `high`, a quarter hour wide each unit, day beside day."""
    y, high = line
    return "".join(f"M{x} {y}h{wide}v{high}h-{wide}z" for x, wide in _lines(week, spans))


def _lines(week: Week, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Where lines begin, and how wide they are: the drawn hours of each day in its own place."""
    pitch = LAST - FIRST + GAP
    for number, (start, end) in enumerate(pairwise(week.days)):
        for span in free_times.within(spans, start, end):
            first = max(_wall(week, span.start, start) // 15, FIRST)
            last = min(-(-_wall(week, span.end, start) // 15), LAST)
            if first < last:
                yield number * pitch + first - FIRST, last - first


def _wall(week: Week, minute: int, midnight: int) -> int:
    """Wall time of a minute, from the midnight of its day."""
    return minute - midnight + week.offset(minute) - week.offset(midnight)
