"""The soonest first, over the whole catalogue: the summary by unit and day says in which order to look.

The summary gives a half hour before which an entry cannot be free, its hours and lead time a minute; entries are read
in the order of the first, worked out exactly in the order of the second, until no other can be sooner.
"""

import heapq
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, func, literal, literal_column, select
from sqlalchemy.orm import Session

from booking import free_times
from booking.free_search import Free, Page, Times, Wish, find_free
from booking.models import UnitDay
from core.shapes import read_cursor, write_cursor
from equipment.candidates import Candidate, find_candidates_by_id, matching
from equipment.errors import SearchCursorInvalid
from equipment.models import Equipment, Unit
from equipment.search import Search

HALF = 30
#: Entries that are read at once, more each time; and those that are worked out at once.
CHUNK_FIRST, CHUNK_MOST = 200, 3200
BATCH = 40
#: How many entries one request works out. A page that would need more is cut, and says so.
LOOK_MOST = 2000
#: Half hours in a row that the summary is asked for; a longer slot is looked for by its beginning.
RUN_MOST = 4
Position = tuple[int, str, int]
EVERYTHING: Position = (2**62, "", 0)


def find_soonest(session: Session, search: Search, wish: Wish, *, now: datetime) -> Page:
    """A page of free entries in order of their first slot, then name, then id; exact unless the page says that it is
    cut. Raises SearchCursorInvalid."""
    after = _read_cursor(search.cursor) or (-1, "", 0)
    looking = _Looking(session, replace(search, cursor=None), wish, now)
    items: list[tuple[Position, Free]] = []
    for position, free in looking:
        if position > after:
            items.append((position, free))
        if len(items) > search.limit:
            break
    page = items[: search.limit]
    cursor = write_cursor(*page[-1][0]) if len(items) > search.limit else None
    return Page([free for _, free in page], cursor, looking.is_cut)


class _Looking:
    """Free entries with their positions, in order. Iterated once."""

    def __init__(self, session: Session, search: Search, wish: Wish, now: datetime) -> None:
        self._session = session
        self._wish = wish
        self._times = Times(session, wish.window, now)
        self._order = iter(_Order(session, search, wish, now))
        #: Read and not worked out, by the earliest position that they can have; and worked out.
        self._waiting: list[tuple[Position, Candidate]] = []
        self._found: list[tuple[Position, Free]] = []
        self._looked = 0
        self.is_cut = False

    def __iter__(self) -> Iterator[tuple[Position, Free]]:
        unread: Position = (-1, "", 0)
        while True:
            while self._found and self._found[0][0] < min(unread, self._soonest_waiting()):
                yield heapq.heappop(self._found)
            if self._waiting and self._waiting[0][0] < unread:
                if self._looked >= LOOK_MOST:
                    self.is_cut = True
                    return
                self._work_out()
            elif unread == EVERYTHING:
                return
            else:
                unread = self._read_on()

    def _soonest_waiting(self) -> Position:
        return self._waiting[0][0] if self._waiting else EVERYTHING

    def _work_out(self) -> None:
        """The few that can be soonest."""
        batch = [heapq.heappop(self._waiting)[1] for _ in range(min(BATCH, len(self._waiting)))]
        self._looked += len(batch)
        for free in find_free(self._times, batch, self._wish):
            heapq.heappush(self._found, (_position(free.entry, free.slots[0].starts_at), free))

    def _read_on(self) -> Position:
        """The next chunk; the position before which nothing that is not read yet can stand."""
        rows, bound = next(self._order, ([], EVERYTHING))
        minutes = dict(rows)
        for entry in find_candidates_by_id(self._session, list(minutes)):
            start = self._first_open(entry, minutes[entry.id])
            if start is not None:
                heapq.heappush(self._waiting, ((start, entry.sort_key, entry.id), entry))
        return bound

    def _first_open(self, entry: Candidate, minute: int) -> int | None:
        """The first minute from `minute` on at which the entry is open and may be asked for; None: there is none."""
        first, last = self._times.bookable(entry, self._wish)
        minute = max(first, minute)
        spans = self._times.open_spans(entry, self._wish)
        place = bisect_right(spans, minute, key=lambda span: span.end)
        start = max(spans[place].start, minute) if place < len(spans) else last
        return start if start < last else None


class _Order:
    """Entries in chunks, each once: ids with the minute from which the summary says that they may be free; and the
    position before which none of the others can stand."""

    def __init__(self, session: Session, search: Search, wish: Wish, now: datetime) -> None:
        self._session = session
        self._matching = matching(search, session.get_bind().dialect.name)
        self._run = min(-(-(wish.minutes or HALF) // HALF), RUN_MOST)
        self._first = free_times.floor_minute(max(wish.window.starts_at, now))
        self._last = free_times.ceil_minute(wish.window.ends_at)

    def __iter__(self) -> Iterator[tuple[list[tuple[int, int]], Position]]:
        seen: set[int] = set()
        for day in range(self._first // 1440, -(-self._last // 1440)):
            offset, size, is_last = 0, CHUNK_FIRST, False
            while not is_last:
                rows = self._read(day, offset, size)
                new = [(key, minute) for minute, _, key in rows if key not in seen]
                seen.update(key for key, _ in new)
                is_last = len(rows) < size
                yield new, ((day + 1) * 1440, "", 0) if is_last else rows[-1]
                offset, size = offset + size, min(size * 4, CHUNK_MOST)
            if len(seen) >= self._count():
                return

    def _read(self, day: int, offset: int, size: int) -> Sequence[Position]:
        """Entries with the minute of their first possible half hour of a day, in order."""
        bits = _first_half_hour(self._run, self._mask(day))
        first = func.min(bits)
        statement = (
            self._entries(Equipment.id, Equipment.sort_key, first)
            .outerjoin(UnitDay, (UnitDay.unit_id == Unit.id) & (UnitDay.day == day))
            .where(bits != 0)
            .group_by(Equipment.id, Equipment.sort_key)
            .order_by(first, Equipment.sort_key, Equipment.id)
            .limit(size)
            .offset(offset)
        )
        rows = self._session.execute(statement)
        return [(day * 1440 + (bit.bit_length() - 1) * HALF, name, key) for key, name, bit in rows]

    def _count(self) -> int:
        return self._session.scalar(self._entries(func.count(Equipment.id.distinct()))) or 0

    def _entries(self, *columns: Any) -> Select[*tuple[Any, ...]]:
        joined = select(*columns).select_from(Equipment).join(Unit, Unit.equipment_id == Equipment.id)
        return joined.where(*self._matching, Unit.retired_at.is_(None))

    def _mask(self, day: int) -> int:
        """The half hours of a day that the window touches."""
        start = max(self._first - day * 1440, 0) // HALF
        end = -(-min(self._last - day * 1440, 1440) // HALF)
        return (1 << end) - (1 << start)


def _position(entry: Candidate, starts_at: datetime) -> Position:
    return free_times.floor_minute(starts_at), entry.sort_key, entry.id


def _first_half_hour(run: int, mask: int) -> ColumnElement[int]:
    """The lowest bit from which so many half hours in a row are not wholly claimed; 0: none. The bits above a day's 48
    count as free, because the next day is another row."""
    free = func.coalesce(UnitDay.claimed, literal_column("0", BigInteger)).bitwise_not()
    fits: ColumnElement[int] = free.bitwise_and(literal(mask, BigInteger))
    for number in range(1, run):
        fits = fits.bitwise_and(free.bitwise_rshift(literal_column(str(number))))
    return fits.bitwise_and(-fits)


def _read_cursor(text: str | None) -> Position | None:
    if text is None:
        return None
    try:
        start, name, key = read_cursor(text, (int, str, int))
    except ValueError as error:
        raise SearchCursorInvalid(field="cursor") from error
    return start, name, key
