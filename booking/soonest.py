"""The soonest first, over the whole catalogue: the summary by unit and day says in which order to look.

The summary gives a half hour before which an entry cannot be free; entries are read in that order and worked out
exactly, until no other can be sooner.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, func, literal, literal_column, select
from sqlalchemy.orm import Session

from booking import free_times
from booking.free_search import Free, Page, Times, Wish, find_free
from booking.models import UnitDay
from core.shapes import read_cursor, write_cursor
from equipment.candidates import find_candidates_by_id, matching
from equipment.errors import SearchCursorInvalid
from equipment.models import Equipment, Unit
from equipment.search import Search

HALF = 30
CHUNK = 100
#: How many entries one request works out.
LOOK_MOST = 400
#: Half hours in a row that the summary is asked for; a longer slot is looked for by its beginning.
RUN_MOST = 4
Position = tuple[int, str, int]


def find_soonest(session: Session, search: Search, wish: Wish, *, now: datetime) -> Page:
    """A page of free entries in order of their first slot, then name, then id.

    Exact over the first `LOOK_MOST` entries that can be free soonest. Raises SearchCursorInvalid.
    """
    after = _read_cursor(search.cursor)
    times = Times(session, wish.window, now)
    found: dict[Position, Free] = {}
    for ids, bound in _Order(session, replace(search, cursor=None), wish, now):
        for free in find_free(times, find_candidates_by_id(session, ids), wish):
            position = (free_times.floor_minute(free.slots[0].starts_at), free.entry.sort_key, free.entry.id)
            if after is None or position > after:
                found[position] = free
        if sum(1 for position in found if position <= bound) > search.limit:
            break
    order = sorted(found)[: search.limit]
    more = len(found) > search.limit
    return Page([found[position] for position in order], write_cursor(*order[-1]) if more else None)


class _Order:
    """Ids of entries in chunks, in the order in which the summary says that they may be free, each once; with the
    position before which none of the others can stand."""

    def __init__(self, session: Session, search: Search, wish: Wish, now: datetime) -> None:
        self._session = session
        self._search = search
        self._minutes = wish.minutes
        self._first = free_times.floor_minute(max(wish.window.starts_at, now))
        self._last = free_times.ceil_minute(wish.window.ends_at)

    def __iter__(self) -> Iterator[tuple[list[int], Position]]:
        seen: set[int] = set()
        for day in range(self._first // 1440, -(-self._last // 1440)):
            offset = 0
            while len(seen) < LOOK_MOST:
                rows = self._read(day, offset)
                new = [key for _, _, key in rows if key not in seen]
                seen.update(new)
                offset += len(rows)
                is_last = len(rows) < CHUNK
                yield new, ((day + 1) * 1440, "", 0) if is_last else rows[-1]
                if is_last:
                    break

    def _read(self, day: int, offset: int) -> Sequence[Position]:
        """Entries with the minute of their first possible half hour of a day, in order."""
        bits = _first_half_hour(self._minutes, self._mask(day))
        first = func.min(bits)
        statement = (
            select(Equipment.id, Equipment.sort_key, first)
            .join(Unit, Unit.equipment_id == Equipment.id)
            .outerjoin(UnitDay, (UnitDay.unit_id == Unit.id) & (UnitDay.day == day))
            .where(*matching(self._search, self._session.get_bind().dialect.name), Unit.retired_at.is_(None))
            .where(bits != 0)
            .group_by(Equipment.id, Equipment.sort_key)
            .order_by(first, Equipment.sort_key, Equipment.id)
            .limit(CHUNK)
            .offset(offset)
        )
        rows = self._session.execute(statement)
        return [(day * 1440 + (bit.bit_length() - 1) * HALF, name, key) for key, name, bit in rows]

    def _mask(self, day: int) -> int:
        """The half hours of a day that the window touches."""
        start = max(self._first - day * 1440, 0) // HALF
        end = -(-min(self._last - day * 1440, 1440) // HALF)
        return (1 << end) - (1 << start)


def _first_half_hour(minutes: int, mask: int) -> ColumnElement[int]:
    """The lowest bit from which enough half hours in a row are not wholly claimed; 0: none. The bits above a day's 48
    count as free, because the next day is another row."""
    free = func.coalesce(UnitDay.claimed, literal_column("0", BigInteger)).bitwise_not()
    run = min(-(-minutes // HALF), RUN_MOST)
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
