"""Who is free: a page of instruments with their first fitting slots, the best match or the soonest first.

Opening time is worked out once for each distinct pattern of hours, what is taken comes in one statement for a chunk of
entries, and the search stops as soon as the page is full.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import free_times, queries
from booking.free_times import Fit, Offset, Span
from core.slot import Slot, intersected, local_date
from equipment import opening
from equipment import queries as catalogue
from equipment.candidates import Candidate, find_candidates, read_hours
from equipment.models import Closure, DayKind
from equipment.search import Search

#: How much time at once may be searched.
WINDOW_MAX = timedelta(days=62)
SLOTS_PER_ENTRY = 3
PAGE = 20
#: How many entries one request looks at; a search in which fewer fit goes on from its cursor.
LOOK_MOST = 1000
CHUNK_MOST = 400
ALL_DAYS = frozenset(range(7))


@dataclass(frozen=True)
class Wish:
    """When and how long; `minutes` None: the shortest that each entry allows. The part of day is wall time of the lab
    in minutes from midnight, over midnight if it ends before it begins; the weekday is that on which it begins."""

    window: Slot
    minutes: int | None
    day_from: int = 0
    day_to: int = 1440
    weekdays: frozenset[int] = ALL_DAYS
    slots: int = SLOTS_PER_ENTRY

    @property
    def is_any_time(self) -> bool:
        return (self.day_from, self.day_to) == (0, 1440) and self.weekdays == ALL_DAYS

    def length_for(self, entry: Candidate) -> int | None:
        """How long a slot on an entry would be; None where its rules allow no such length."""
        minutes = entry.length_minutes_min if self.minutes is None else self.minutes
        return minutes if entry.length_minutes_min <= minutes <= entry.length_minutes_max else None

    def parts(self, zone: ZoneInfo) -> list[Slot]:
        """The stretches of the window's days in which a slot may lie."""
        on = local_date(self.window.starts_at, zone) - timedelta(days=1)
        last = local_date(self.window.ends_at, zone)
        ends = self.day_to if self.day_from < self.day_to else self.day_to + 1440
        out = []
        while on <= last:
            if on.weekday() in self.weekdays:
                start, end = opening.at_minute(on, self.day_from, zone), opening.at_minute(on, ends, zone)
                out += [Slot(start, end)] if start < end else []
            on += timedelta(days=1)
        return out


@dataclass(frozen=True)
class Free:
    """An entry and the first slots that fit, in order of time."""

    entry: Candidate
    slots: list[Slot]


@dataclass(frozen=True)
class Page:
    """Free entries; `next_cursor` None: the catalogue has been looked through, unless `is_cut` says that to look at
    more would have taken too long."""

    items: list[Free]
    next_cursor: str | None
    is_cut: bool = False


@dataclass
class Times:
    """Opening and taken time of a window, for entries that come in chunks. Two statements, and one for each chunk."""

    session: Session
    window: Slot
    now: datetime
    _days: Mapping[date, DayKind] = field(init=False)
    _closures: Mapping[tuple[str, int], list[Closure]] = field(init=False)
    _open: dict[tuple[str | None, str, Wish], list[Span]] = field(init=False, default_factory=dict)
    _offsets: dict[str, Offset] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        calendar = catalogue.read_calendar(self.session, self.window)
        self._days = calendar.days
        closures = defaultdict(list)
        for row in calendar.closures:
            for level, key in (("e", row.equipment_id), ("l", row.lab_id), ("o", row.organisation_id)):
                if key is not None:
                    closures[level, key].append(row)
        self._closures = closures

    def find_taken(self, entries: Sequence[Candidate]) -> dict[int, list[tuple[int, int]]]:
        """Claims and blocks by unit. One statement."""
        room = max((entry.buffer_before_minutes + entry.buffer_after_minutes for entry in entries), default=0)
        units = [unit for entry in entries for unit in entry.unit_ids]
        return queries.find_taken_minutes(self.session, units, self.window.widened(room, room), now=self.now)

    def free_stretches(
        self, entry: Candidate, taken: Mapping[int, list[tuple[int, int]]], wish: Wish, minutes: int
    ) -> tuple[list[Span], Fit]:
        """Where a slot of so many minutes may lie: rules, hours, closures, buffers and claims respected."""
        fit = Fit(minutes, entry.step_minutes, entry.buffer_before_minutes, entry.buffer_after_minutes)
        first, last = self.bookable(entry, wish)
        if last - first < minutes:
            return [], fit
        spans = free_times.within(self.open_spans(entry, wish), first, last)
        return free_times.free_stretches(spans, [taken.get(unit, ()) for unit in entry.unit_ids], fit), fit

    def first_slots(
        self, entry: Candidate, taken: Mapping[int, list[tuple[int, int]]], wish: Wish, minutes: int | None = None
    ) -> list[Slot]:
        """The first slots of the wish's length, or of another."""
        minutes = minutes or wish.length_for(entry)
        if minutes is None:
            return []
        stretches, fit = self.free_stretches(entry, taken, wish, minutes)
        found = free_times.first_slots(stretches, fit, self.offset(entry.zone), most=wish.slots)
        return [free_times.slot_of(span) for span in found]

    def bookable(self, entry: Candidate, wish: Wish) -> tuple[int, int]:
        """The part of the window that one may ask for now: after the lead time, before the horizon. May be empty."""
        first = max(wish.window.starts_at, self.now + timedelta(minutes=entry.lead_minutes))
        last = min(wish.window.ends_at, self.now + timedelta(days=entry.horizon_days))
        return free_times.ceil_minute(first), free_times.floor_minute(last)

    def open_spans(self, entry: Candidate, wish: Wish) -> list[Span]:
        """Where the entry is open within the wish, closures cut out."""
        spans = self._pattern(entry, wish)
        closed = self._closures_of(entry)
        return free_times.cut(spans, closed) if closed else spans

    def _pattern(self, entry: Candidate, wish: Wish) -> list[Span]:
        key = (entry.hours, entry.zone, wish)
        if key not in self._open:
            zone = ZoneInfo(entry.zone)
            slots = opening.open_slots(read_hours(entry.hours), self._days, zone, wish.window)
            if not wish.is_any_time:
                slots = intersected(slots, wish.parts(zone))
            self._open[key] = [free_times.span_of(slot) for slot in slots]
        return self._open[key]

    def _closures_of(self, entry: Candidate) -> list[Span]:
        if not self._closures:
            return []
        keys = (("e", entry.id), ("l", entry.lab_id), ("o", entry.owner_id))
        return [
            free_times.span_of(Slot(row.starts_at, row.ends_at)) for key in keys for row in self._closures.get(key, ())
        ]

    def offset(self, zone: str) -> Offset:
        if zone not in self._offsets:
            first, last = free_times.span_of(self.window)
            self._offsets[zone] = free_times.offset_in(ZoneInfo(zone), first, last)
        return self._offsets[zone]


def find_page(session: Session, search: Search, wish: Wish, *, now: datetime) -> Page:
    """The first `search.limit` free entries from the cursor on, the best match first.

    Raises SearchCursorInvalid.
    """
    times = Times(session, wish.window, now)
    items: list[Free] = []
    looked, size = 0, search.limit
    while True:
        chunk = find_candidates(session, search, limit=size)
        for free in find_free(times, chunk.entries, wish):
            items.append(free)
            if len(items) == search.limit:
                is_last = chunk.next_cursor is None and free.entry is chunk.entries[-1]
                return Page(items, None if is_last else free.entry.cursor)
        looked += chunk.looked
        if chunk.next_cursor is None or looked >= LOOK_MOST:
            return Page(items, chunk.next_cursor)
        search = replace(search, cursor=chunk.next_cursor)
        size = min(size * 4, CHUNK_MOST)


def find_free(times: Times, entries: Sequence[Candidate], wish: Wish) -> Iterator[Free]:
    """Those of some entries that have a fitting slot, in their order. One statement."""
    possible = [entry for entry in entries if wish.length_for(entry) is not None]
    taken = times.find_taken(possible) if possible else {}
    for entry in possible:
        if slots := times.first_slots(entry, taken, wish):
            yield Free(entry, slots)
