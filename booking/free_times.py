"""The first slots that a request would be granted, in whole minutes since 1970. Pure: no session, no clock.

Integers, because a page of free instruments looks at thousands of stretches. What is taken is rounded outwards and what
is allowed inwards, so that rounding never offers too much; slots themselves are whole minutes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.slot import Slot

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 1440
A_MINUTE = timedelta(minutes=1)


class Span(NamedTuple):
    """`[start, end)` in minutes since 1970."""

    start: int
    end: int


#: Minutes east of UTC at a minute since 1970.
Offset = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Fit:
    """How slots may lie on an entry: as long as asked, on its steps of wall time, at least its buffers from others."""

    minutes: int
    step: int
    before: int = 0
    after: int = 0


def floor_minute(at: datetime) -> int:
    return (at - EPOCH) // A_MINUTE


def ceil_minute(at: datetime) -> int:
    return -((EPOCH - at) // A_MINUTE)


def span_of(slot: Slot) -> Span:
    """A slot rounded outwards."""
    return Span(floor_minute(slot.starts_at), ceil_minute(slot.ends_at))


def slot_of(span: Span) -> Slot:
    return Slot(EPOCH + span.start * A_MINUTE, EPOCH + span.end * A_MINUTE)


def offset_in(zone: ZoneInfo, first: int, last: int) -> Offset:
    """The zone's offset between two minutes: a constant where no clock change lies between, else looked up."""

    def look_up(minute: int) -> int:
        moved = (EPOCH + minute * A_MINUTE).astimezone(zone).utcoffset()
        assert moved is not None
        return moved // A_MINUTE

    constant = look_up(first)
    if all(look_up(minute) == constant for minute in (*range(first, last, DAY), last)):
        return lambda _minute: constant
    return look_up


def cut(base: Sequence[Span], taken: Iterable[tuple[int, int]], *, before: int = 0, after: int = 0) -> list[Span]:
    """What is left of stretches (in order, apart) when others (in any order) are cut out with room around each."""
    cuts: list[tuple[int, int]] = []
    for start, end in sorted(taken):
        if cuts and start - before <= cuts[-1][1]:
            cuts[-1] = cuts[-1][0], max(cuts[-1][1], end + after)
        else:
            cuts.append((start - before, end + after))
    out: list[Span] = []
    place = 0
    for start, end in base:
        while place < len(cuts) and cuts[place][1] <= start:
            place += 1
        look = place
        while look < len(cuts) and cuts[look][0] < end:
            if start < cuts[look][0]:
                out.append(Span(start, cuts[look][0]))
            start = cuts[look][1]
            look += 1
        if start < end:
            out.append(Span(start, end))
    return out


def within(spans: Sequence[Span], first: int, last: int) -> list[Span]:
    return [
        Span(max(span.start, first), min(span.end, last)) for span in spans if span.start < last and span.end > first
    ]


def free_stretches(open_spans: Sequence[Span], units: Iterable[Sequence[tuple[int, int]]], fit: Fit) -> list[Span]:
    """Stretches in which a slot may lie on some unit, in order of start; those of two units may overlap.

    `units` holds what is taken on each, claims with their buffers. A slot keeps the entry's preparation after what
    ends before it, and the changeover before what begins after it.
    """
    found = {span for taken in units for span in cut(open_spans, taken, before=fit.after, after=fit.before)}
    return sorted(span for span in found if span.end - span.start >= fit.minutes)


def first_slots(stretches: Sequence[Span], fit: Fit, offset: Offset, *, most: int) -> list[Span]:
    """The earliest slot, then the earliest that begins when the last one ends or later, at most so many."""
    out: list[Span] = []
    earliest = -(2**62)
    while len(out) < most and (start := _earliest_start(stretches, fit, offset, earliest)) is not None:
        out.append(Span(start, start + fit.minutes))
        earliest = start + fit.minutes
    return out


def first_start(span: Span, fit: Fit, offset: Offset, earliest: int) -> int | None:
    """The first start in a stretch from which a slot lies in it, its start and end on whole steps of wall time."""
    start = max(span.start, earliest)
    while start + fit.minutes <= span.end:
        wall = (start + offset(start)) % DAY
        if past := wall % fit.step:
            # To the next step, or to midnight, where steps begin anew; over a clock change minute by minute.
            jump = min(fit.step - past, DAY - wall)
            start += jump if offset(start) == offset(start + jump) else 1
            continue
        end = start + fit.minutes
        if (end + offset(end)) % DAY % fit.step == 0:
            return start
        if DAY % fit.step == 0 and offset(start) == offset(end) == offset(span.end):
            return None
        start += 1
    return None


def longest(stretches: Sequence[Span]) -> int:
    """Minutes of the longest stretch."""
    return max((span.end - span.start for span in stretches), default=0)


def _earliest_start(stretches: Sequence[Span], fit: Fit, offset: Offset, earliest: int) -> int | None:
    best: int | None = None
    for span in stretches:
        if best is not None and span.start >= best:
            break
        start = first_start(span, fit, offset, earliest)
        if start is not None and (best is None or start < best):
            best = start
    return best
