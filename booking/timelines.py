"""Rows and bars of timelines. Pure: instants in, minutes of local days out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.formats import format_date
from core.i18n import Lang
from core.slot import Slot, intersected, local_day, without

DAY = 1440


@dataclass(frozen=True)
class Bar:
    """A stretch of a local day, `[start, end)` in minutes from midnight."""

    kind: str
    start: int
    end: int
    label: str = ""
    href: str = ""
    title: str = ""
    #: A booking that may be moved from here, and its version.
    book: str = ""
    version: int = 0


@dataclass(frozen=True)
class Row:
    label: str
    bars: list[Bar]
    note: str = ""
    date: str = ""
    unit: str = ""
    href: str = ""
    is_today: bool = False
    now: int | None = None
    open: list[tuple[int, int]] = field(default_factory=list)
    #: Step, shortest and longest slot in minutes, where bookings may be moved.
    rule: str = ""
    #: Rows between which they may be.
    group: str = ""


@dataclass(frozen=True)
class Piece:
    """Something to draw: a slot with its kind and words."""

    slot: Slot
    kind: str
    label: str = ""
    href: str = ""
    title: str = ""
    book: str = ""
    version: int = 0


def minute_of(at: datetime, on: date, zone: ZoneInfo) -> int:
    """Wall-clock minutes from the local midnight of a day, cut to 0..1440."""
    local = at.astimezone(zone)
    if local.date() != on:
        return 0 if local.date() < on else DAY
    return local.hour * 60 + local.minute


def minutes_of(slot: Slot, on: date, zone: ZoneInfo) -> tuple[int, int]:
    start = minute_of(slot.starts_at, on, zone)
    return start, max(minute_of(slot.ends_at, on, zone), start + 1 if slot.minutes else start)


def day_bars(
    pieces: Iterable[Piece], open_slots: Sequence[Slot], on: date, zone: ZoneInfo, *, closed_label: str = ""
) -> list[Bar]:
    """The bars of one day in order of time: the pieces, and closed time where nothing else is."""
    day = local_day(on, zone)
    drawn = [piece for piece in pieces if piece.slot.overlaps(day)]
    closed = without([day], [*open_slots, *(piece.slot for piece in drawn)])
    everything = [*drawn, *(Piece(slot, "closed", closed_label) for slot in closed)]
    bars = [
        Bar(
            piece.kind,
            *minutes_of(part, on, zone),
            piece.label,
            piece.href,
            piece.title,
            piece.book if day.contains(piece.slot) else "",
            piece.version,
        )
        for piece in everything
        if (part := piece.slot.common(day))
    ]
    return sorted(bars, key=lambda bar: (bar.start, bar.end))


def open_minutes(slots: Sequence[Slot], on: date, zone: ZoneInfo) -> list[tuple[int, int]]:
    return [minutes_of(part, on, zone) for part in intersected(slots, [local_day(on, zone)])]


def hours_shown(rows: Sequence[Row]) -> tuple[int, int]:
    """First and last hour that hold anything but closed time; 8 to 20 at least."""
    first, last = 8, 20
    for row in rows:
        for bar in row.bars:
            if bar.kind != "closed":
                first = min(first, bar.start // 60)
                last = max(last, -(-bar.end // 60))
    return first, last


def span_text(first_on: date, days: int, lang: Lang) -> str:
    """`11 月 24 日 周二 – 11 月 30 日 周一`."""
    last = first_on + timedelta(days=days - 1)
    return f"{format_date(first_on, lang)} – {format_date(last, lang)}"
