"""Days of a clock change in three zones: rules, free time, opening and prices of the minutes that really pass. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from booking import conflicts
from booking.pricing import Use, split_by_bands
from core.slot import Slot, local_day
from equipment.opening import open_slots
from tests.booking.test_conflicts import Rules
from tests.booking.test_pricing import Band
from tests.equipment.test_opening import Stretch

#: Lord Howe's clock changes by half an hour.
DAYS = [
    ("Europe/Berlin", "2027-03-28", 23), ("Europe/Berlin", "2027-10-31", 25), ("Europe/Dublin", "2027-03-28", 23),
    ("Europe/Dublin", "2027-10-31", 25), ("Australia/Lord_Howe", "2027-10-03", 23.5),
    ("Australia/Lord_Howe", "2027-04-04", 24.5),
]  # fmt: skip
ALWAYS = [Stretch(weekday, 0, 1440) for weekday in range(7)]


@dataclass
class Day:
    zone: ZoneInfo
    whole: Slot
    hours: float


def day(zone: str, on: str, hours: float) -> Day:
    return Day(ZoneInfo(zone), local_day(date.fromisoformat(on), ZoneInfo(zone)), hours)


days = st.sampled_from([day(*one) for one in DAYS])
minutes = st.integers(0, 25 * 60)
steps = st.sampled_from([5, 10, 15, 20, 30, 60, 90, 120, 240])


@given(days, minutes, st.integers(15, 600))
def test_opening_hours_begin_and_end_by_the_clock_on_the_wall(one: Day, opens: int, length: int) -> None:
    opens, closes = opens % 1440, min(opens % 1440 + length, 1440)

    found = open_slots([Stretch(weekday, opens, closes) for weekday in range(7)], {}, one.zone, one.whole)

    assert one.whole.length == timedelta(hours=one.hours)
    there = {minute_of(one.whole.starts_at + timedelta(minutes=n), one.zone) for n in range(int(one.hours * 60))}
    assert len(found) == (1 if there & set(range(opens, closes)) else 0)
    for part in found:
        assert minute_of(part.starts_at, one.zone) == opens or opens not in there
        assert minute_of(part.ends_at, one.zone) == closes % 1440 or closes not in there


def minute_of(at: datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    return local.hour * 60 + local.minute


@given(days, minutes, steps)
def test_a_step_up_and_a_step_down_are_steps_and_the_nearest(one: Day, offset: int, step: int) -> None:
    at = one.whole.starts_at + timedelta(minutes=offset)

    up, down = conflicts.ceil_step(at, step, one.zone), conflicts.floor_step(at, step, one.zone)

    assert conflicts.on_step(up, step, one.zone) and conflicts.on_step(down, step, one.zone)
    between = [down + timedelta(minutes=n) for n in range(1, int((up - down).total_seconds() // 60))]
    assert down <= at <= up
    assert not any(conflicts.on_step(inner, step, one.zone) for inner in between)


@given(days, minutes, st.integers(1, 8), steps, st.integers(1, 6))
def test_what_is_offered_keeps_the_rules(one: Day, busy_at: int, busy: int, step: int, length: int) -> None:
    policy = Rules(step_minutes=step, length_minutes_min=step, length_minutes_max=1440)
    begin = one.whole.starts_at + timedelta(minutes=busy_at)
    taken = Slot(begin, begin + timedelta(minutes=busy * 15))
    wanted = Slot(taken.starts_at, taken.starts_at + timedelta(minutes=step * length))

    stretches = conflicts.free_slots(
        [one.whole], [taken], policy, minutes=step * length, earliest=one.whole.starts_at, zone=one.zone
    )

    for stretch in stretches:
        broken = conflicts.find_broken_rules(
            stretch, policy, [one.whole], zone=one.zone, now=one.whole.starts_at - timedelta(days=9)
        )
        assert "off_step" not in {rule.code for rule in broken}, stretch
        assert not stretch.overlaps(taken) and one.whole.contains(stretch)
    for slot in conflicts.nearest_fits(stretches, wanted, step_minutes=step, most=3):
        assert not slot.overlaps(taken) and slot.length == wanted.length


@given(days, minutes, st.integers(1, 900), st.integers(0, 1439), st.integers(1, 600))
def test_prices_count_the_minutes_that_pass_by_the_clock_on_the_wall(
    one: Day, begin: int, length: int, opens: int, width: int
) -> None:
    band = Band(opens, min(opens + width, 1440), 5_000)
    start = one.whole.starts_at + timedelta(minutes=begin)

    parts = split_by_bands(Use(start, start + timedelta(minutes=length), one.zone, {}), [band])

    shown = [(start + timedelta(minutes=n)).astimezone(one.zone) for n in range(length)]
    inside = sum(band.from_minute <= at.hour * 60 + at.minute < band.to_minute for at in shown)
    assert {found is not None: number for found, number in parts} == {
        name: number for name, number in ((True, inside), (False, length - inside)) if number
    }
