"""The first free slots against brute force: nothing that a request would refuse, and nothing earlier left out."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking import conflicts, free_times
from booking.free_times import Fit, Span
from core.slot import Slot
from equipment import opening
from equipment.models import DayKind
from equipment.timetables import Hours

#: With a clock change in the week: in New York on 1 November 2026, in London on 25 October; none in Shanghai.
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/London", "Asia/Kathmandu")
STARTS = (date(2026, 10, 23), date(2026, 10, 31), date(2026, 12, 30), date(2028, 2, 27))
stretches = st.tuples(st.integers(0, 1380), st.integers(15, 600)).map(lambda p: (p[0], min(p[0] + p[1], 1440)))


class Rules:
    """An entry's rules, without lead time and horizon, which are tested in the window."""

    lead_minutes, horizon_days = 0, 900

    def __init__(self, minutes: int, step: int, before: int, after: int) -> None:
        self.step_minutes, self.length_minutes_min, self.length_minutes_max = step, minutes, minutes
        self.buffer_before_minutes, self.buffer_after_minutes = before, after


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES), first_on=st.sampled_from(STARTS),
    hours=st.lists(st.tuples(st.integers(0, 6), stretches), max_size=8),
    off=st.sets(st.integers(0, 2), max_size=2), minutes=st.sampled_from((15, 30, 45, 60, 120, 600)),
    step=st.sampled_from((5, 15, 30, 60, 45, 100)), before=st.sampled_from((0, 10, 30)),
    after=st.sampled_from((0, 15)),
    units=st.lists(st.lists(st.tuples(st.integers(0, 3 * 1440), st.integers(1, 400)), max_size=4),
                   min_size=1, max_size=2),
)  # fmt: skip
def test_what_is_offered_is_what_brute_force_finds(
    zone: str, first_on: date, hours: list[tuple[int, tuple[int, int]]], off: set[int], minutes: int, step: int,
    before: int, after: int, units: list[list[tuple[int, int]]],
) -> None:  # fmt: skip
    place = ZoneInfo(zone)
    start = datetime(first_on.year, first_on.month, first_on.day, tzinfo=place).astimezone(UTC)
    window = Slot(start, start + timedelta(days=3))
    days = {first_on + timedelta(days=number): DayKind.OFF for number in off}
    rows = [Hours(weekday, opens, closes) for weekday, (opens, closes) in hours]
    open_slots = opening.open_slots(rows, days, place, window)
    busy = [[Slot(start + timedelta(minutes=a), start + timedelta(minutes=a + b)) for a, b in unit] for unit in units]
    rules = Rules(minutes, step, before, after)

    spans = [free_times.span_of(slot) for slot in open_slots]
    taken = [[free_times.span_of(slot) for slot in unit] for unit in busy]
    fit = Fit(minutes, step, before, after)
    first, last = free_times.span_of(window)
    found = free_times.first_slots(
        free_times.free_stretches(spans, taken, fit), fit, free_times.offset_in(place, first, last), most=4
    )

    assert [free_times.slot_of(span) for span in found] == _brute_force(window, rules, open_slots, busy, place, 4)


def _brute_force(
    window: Slot, rules: Rules, open_slots: list[Slot], busy: list[list[Slot]], zone: ZoneInfo, most: int
) -> list[Slot]:
    """Minute by minute, asked of the very rules that refuse a request."""
    out: list[Slot] = []
    at = window.starts_at
    while at < window.ends_at and len(out) < most:
        slot = Slot(at, at + timedelta(minutes=rules.length_minutes_min))
        claim = conflicts.claim_of(slot, rules)
        is_free = any(not any(claim.overlaps(part) for part in unit) for unit in busy)
        at += timedelta(minutes=1)
        if is_free and not conflicts.find_broken_rules(slot, rules, open_slots, zone=zone, now=window.starts_at):
            out.append(slot)
            at = slot.ends_at
    return out


def test_a_stretch_may_be_cut_at_both_ends_and_in_the_middle() -> None:
    left = free_times.cut([Span(0, 100), Span(200, 300)], [(90, 210), (40, 50), (45, 60)], before=5, after=10)

    assert left == [Span(0, 35), Span(70, 85), Span(220, 300)]


@pytest.mark.parametrize(("second", "expected"), [(0, 10), (1, 11), (59, 11)])
def test_the_present_rounds_up_to_the_minute(second: int, expected: int) -> None:
    assert free_times.ceil_minute(free_times.EPOCH + timedelta(minutes=10, seconds=second)) == expected
