"""Opening hours as instants: holidays, make-up workdays, days of a clock change."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.slot import Slot, intersected, local_day, without
from equipment.models import DayKind
from equipment.opening import open_slots

WUHAN = ZoneInfo("Asia/Shanghai")


@dataclass
class Stretch:
    weekday: int
    opens_minute: int
    closes_minute: int
    closed_on_holidays: bool = True
    season_first: int | None = None
    season_last: int | None = None


OFFICE = [Stretch(d, a, b) for d in range(5) for a, b in ((510, 720), (840, 1050))]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(first: str, last: str, zone: ZoneInfo = WUHAN) -> Slot:
    return Slot(local_day(date.fromisoformat(first), zone).starts_at, local_day(date.fromisoformat(last), zone).ends_at)


def test_a_working_day_has_its_morning_and_its_afternoon() -> None:
    found = open_slots(OFFICE, {}, WUHAN, window("2026-11-24", "2026-11-24"))

    assert found == [
        Slot(utc("2026-11-24T00:30"), utc("2026-11-24T04:00")),
        Slot(utc("2026-11-24T06:00"), utc("2026-11-24T09:30")),
    ]


def test_a_holiday_is_closed_and_a_machine_that_runs_by_itself_is_not() -> None:
    days = {date(2026, 10, 1): DayKind.OFF}
    always = [Stretch(d, 0, 1440, closed_on_holidays=False) for d in range(7)]

    assert open_slots(OFFICE, days, WUHAN, window("2026-10-01", "2026-10-01")) == []
    assert open_slots(always, days, WUHAN, window("2026-10-01", "2026-10-01")) == [window("2026-10-01", "2026-10-01")]


def test_a_make_up_workday_has_mondays_hours() -> None:
    saturday = open_slots(OFFICE, {date(2026, 10, 10): DayKind.WORKDAY}, WUHAN, window("2026-10-10", "2026-10-10"))

    assert [slot.minutes for slot in saturday] == [210, 210]


@pytest.mark.parametrize(
    ("zone", "on", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23), ("America/New_York", "2026-11-01", 25),
        ("Europe/Dublin", "2026-03-29", 23), ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5), ("Asia/Shanghai", "2028-02-29", 24),
    ],
)  # fmt: skip
def test_a_day_of_a_clock_change_is_as_long_as_it_is(zone: str, on: str, hours: float) -> None:
    always = [Stretch(d, 0, 1440) for d in range(7)]

    (found,) = open_slots(always, {}, ZoneInfo(zone), window(on, on, ZoneInfo(zone)))

    assert found.length == timedelta(hours=hours)


def test_hours_inside_a_skipped_hour_are_not_open() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = [Stretch(6, 120, 180), Stretch(6, 150, 240)]

    found = open_slots(night, {}, berlin, window("2026-03-29", "2026-03-29", berlin))

    assert found == [Slot(utc("2026-03-29T01:00"), utc("2026-03-29T02:00"))]


minutes = st.integers(0, 1440)
stretches = st.builds(
    lambda weekday, a, b: Stretch(weekday, min(a, b), max(a, b) if a != b else a + 1),
    st.integers(0, 6),
    minutes,
    minutes,
).filter(lambda part: part.closes_minute <= 1440)


@given(st.lists(stretches, max_size=8), st.integers(0, 400), st.integers(1, 5))
def test_open_and_closed_make_the_whole_window(hours: list[Stretch], start: int, days: int) -> None:
    first = date(2026, 1, 1) + timedelta(days=start)
    whole = Slot(local_day(first, WUHAN).starts_at, local_day(first + timedelta(days=days - 1), WUHAN).ends_at)

    found = open_slots(hours, {}, WUHAN, whole)

    closed = without([whole], found)
    assert sum((slot.length for slot in found + closed), timedelta()) == whole.length
    assert intersected(found, closed) == []
    assert found == sorted(found)
