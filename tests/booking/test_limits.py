"""Limits against a brute-force count, over weeks and months and the days on which clocks change. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking import limits
from booking.limits import Had, Who
from core.slot import Slot
from equipment.limits import Limit, Reach
from equipment.models import LimitSubject, Period

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York")]
#: Around the end of summer time in Europe, and of October.
START = datetime(2026, 10, 10, tzinfo=UTC)
WHO = Who(equipment_id=1, lab_id=1, organisation_id=1, person_id=1)

ids = st.integers(1, 2)
instants = st.integers(0, 45 * 48).map(lambda n: START + timedelta(minutes=30 * n))
slots = st.builds(lambda at, n: Slot(at, at + timedelta(minutes=30 * n)), instants, st.integers(1, 16))
hads = st.builds(
    lambda e, lab, o, p, slot: Had(e, lab, o, p, slot.starts_at, slot.ends_at), ids, ids, ids, ids, slots
)  # fmt: skip
some = st.none() | st.integers(1, 4)
limits_of = st.builds(
    Limit, st.sampled_from(Reach), st.sampled_from(LimitSubject), st.sampled_from(Period), some,
    some.map(lambda n: n and n * 120),
)  # fmt: skip


def same_period(one: date, other: date, period: Period) -> bool:
    """By the calendar of Python, not by ours."""
    if period is Period.DAY:
        return one == other
    if period is Period.WEEK:
        return one.isocalendar()[:2] == other.isocalendar()[:2]
    return (one.year, one.month) == (other.year, other.month)


def count(limit: Limit, slot: Slot, had: list[Had], zone: ZoneInfo) -> tuple[int, int]:
    """Bookings and minutes that count for a limit."""
    on = slot.starts_at.astimezone(zone).date()
    met = [
        one
        for one in had
        if same_period(one.starts_at.astimezone(zone).date(), on, limit.period)
        and (limit.reach is not Reach.EQUIPMENT or one.equipment_id == 1)
        and (limit.reach is not Reach.LAB or one.lab_id == 1)
        and (one.organisation_id if limit.subject is LimitSubject.COMPANY else one.person_id) == 1
    ]
    return len(met), sum(int((one.ends_at - one.starts_at).total_seconds()) // 60 for one in met)


@given(slots, st.lists(limits_of, max_size=4), st.lists(hads, max_size=12), st.sampled_from(ZONES))
def test_a_limit_is_broken_exactly_when_the_count_says_so(
    slot: Slot, asked: list[Limit], had: list[Had], zone: ZoneInfo
) -> None:
    found = limits.find_broken_limits(slot, asked, had, who=WHO, zone=zone)

    expected = []
    for limit in asked:
        number, minutes = count(limit, slot, had, zone)
        if limit.bookings_max is not None and number + 1 > limit.bookings_max:
            expected.append((f"{limit.period}_bookings_used_up", number))
        if limit.minutes_max is not None and minutes + slot.minutes > limit.minutes_max:
            expected.append((f"{limit.period}_time_used_up", minutes))
    assert [(one.code, one.fields.get("used", one.fields.get("used_minutes"))) for one in found] == expected


@given(slots, st.lists(limits_of, min_size=1, max_size=4), st.lists(hads, max_size=12), st.sampled_from(ZONES))
def test_what_lies_outside_the_widest_window_does_not_count(
    slot: Slot, asked: list[Limit], had: list[Had], zone: ZoneInfo
) -> None:
    window = limits.widest_window(asked, slot, zone)
    read = [one for one in had if window.starts_at <= one.starts_at < window.ends_at]

    whole = limits.find_broken_limits(slot, asked, had, who=WHO, zone=zone)
    part = limits.find_broken_limits(slot, asked, read, who=WHO, zone=zone)

    assert [(one.code, one.fields) for one in whole] == [(one.code, one.fields) for one in part]


@given(slots, st.sampled_from(Period), st.sampled_from(ZONES))
def test_it_counts_anew_from_the_day_that_is_named(slot: Slot, period: Period, zone: ZoneInfo) -> None:
    """The same slot after that day's midnight is not counted with what was there."""
    limit = Limit(Reach.EQUIPMENT, LimitSubject.COMPANY, period, 1, None)
    had = [Had(1, 1, 1, 1, slot.starts_at, slot.ends_at)]
    broken = limits.find_broken_limits(slot, [limit], had, who=WHO, zone=zone)[0]

    again = datetime.combine(broken.fields["again_on"], datetime.min.time(), zone).astimezone(UTC)

    later = Slot(again, again + slot.length)
    before = Slot(again - timedelta(minutes=1), again + timedelta(minutes=5))
    assert limits.find_broken_limits(later, [limit], had, who=WHO, zone=zone) == []
    assert len(limits.find_broken_limits(before, [limit], had, who=WHO, zone=zone)) == 1


@pytest.mark.parametrize(
    ("zone", "at", "hours"),
    [("Europe/Berlin", "2026-10-25T10:00:00+00:00", {Period.DAY: 25, Period.WEEK: 169, Period.MONTH: 745}),
     ("Europe/Berlin", "2027-03-28T10:00:00+00:00", {Period.DAY: 23, Period.WEEK: 167, Period.MONTH: 743}),
     ("Europe/Dublin", "2026-10-25T00:30:00+00:00", {Period.DAY: 25, Period.WEEK: 169, Period.MONTH: 745}),
     ("Australia/Lord_Howe", "2027-04-03T20:00:00+00:00", {Period.DAY: 24.5, Period.WEEK: 168.5, Period.MONTH: 720.5}),
     ("Asia/Shanghai", "2028-02-29T10:00:00+00:00", {Period.DAY: 24, Period.WEEK: 168, Period.MONTH: 696}),
     ("Asia/Shanghai", "2026-12-31T16:00:00+00:00", {Period.DAY: 24, Period.WEEK: 168, Period.MONTH: 744})],
)  # fmt: skip
def test_a_period_is_as_long_as_its_clock_makes_it(zone: str, at: str, hours: dict[Period, float]) -> None:
    when = datetime.fromisoformat(at)
    for period, expected in hours.items():
        found = limits.period_of(when, period, ZoneInfo(zone))
        assert found.length == timedelta(hours=expected), period
        assert found.starts_at <= when < found.ends_at


def test_the_week_begins_on_monday_and_the_month_on_its_first_day() -> None:
    sunday = datetime(2026, 11, 29, 15, 59, tzinfo=UTC)
    wuhan = ZoneInfo("Asia/Shanghai")

    assert limits.period_of(sunday, Period.WEEK, wuhan).ends_at == sunday + timedelta(minutes=1)
    assert limits.period_of(sunday + timedelta(minutes=1), Period.WEEK, wuhan).starts_at == sunday + timedelta(
        minutes=1
    )
    month = limits.period_of(datetime(2026, 12, 31, 15, 0, tzinfo=UTC), Period.MONTH, wuhan)
    assert month.ends_at == datetime(2026, 12, 31, 16, 0, tzinfo=UTC)


@dataclass
class Rules:
    company_week_bookings_max: int | None = None
    company_week_minutes_max: int | None = None


def test_the_rules_of_the_instrument_are_a_limit_like_others() -> None:
    zone_wide = Limit(Reach.ZONE, LimitSubject.PERSON, Period.DAY, 1, None)

    assert limits.limits_of(Rules(), [zone_wide]) == [zone_wide]
    assert limits.limits_of(Rules(2, 600), [zone_wide]) == [
        Limit(Reach.EQUIPMENT, LimitSubject.COMPANY, Period.WEEK, 2, 600), zone_wide,
    ]  # fmt: skip


def test_what_would_help_is_said_with_the_refusal() -> None:
    slot = Slot(datetime(2026, 11, 27, 6, tzinfo=UTC), datetime(2026, 11, 27, 8, tzinfo=UTC))
    limit = Limit(Reach.LAB, LimitSubject.COMPANY, Period.WEEK, None, 180)
    had = [Had(2, 1, 1, 2, slot.starts_at - timedelta(hours=4), slot.ends_at - timedelta(hours=4))]

    (broken,) = limits.find_broken_limits(slot, [limit], had, who=WHO, zone=ZoneInfo("Asia/Shanghai"))

    assert broken.details == {
        "subject": "company", "reach": "lab", "period": "week", "used_minutes": 120, "limit_minutes": 180,
        "left_minutes": 60, "again_on": "2026-11-30",
    }  # fmt: skip
