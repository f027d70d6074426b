"""Months as windows and their first workday."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking import months
from equipment.models import DayKind

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def test_a_month_runs_from_local_midnight_to_local_midnight() -> None:
    slot = months.month_slot(date(2026, 12, 1), SHANGHAI)

    assert slot.starts_at == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert slot.ends_at == datetime(2026, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(("month", "hours"), [(3, 31 * 24 - 1), (10, 31 * 24 + 1), (7, 31 * 24)])
def test_a_month_with_a_change_of_clocks_is_an_hour_shorter_or_longer(month: int, hours: int) -> None:
    assert months.month_slot(date(2026, month, 1), BERLIN).length == timedelta(hours=hours)


@given(st.dates(date(2000, 1, 1), date(2199, 12, 31)))
def test_next_and_previous_undo_each_other(on: date) -> None:
    month = months.month_of(on)

    assert months.previous_month(months.next_month(month)) == month
    assert months.next_month(month) > on


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "26-11", "2026-11-01", "٢٠٢٦-11", "9999-01"])
def test_what_is_no_month_is_none(text: str) -> None:
    assert months.parse_month(text) is None


def test_a_month_is_read() -> None:
    assert months.parse_month("2026-11") == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("days", "first"),
    [
        ({}, date(2026, 2, 2)),
        ({date(2026, 2, 1): DayKind.WORKDAY}, date(2026, 2, 1)),
        ({date(2026, 2, 2): DayKind.OFF}, date(2026, 2, 3)),
        ({date(2026, 2, day): DayKind.OFF for day in range(1, 29)}, date(2026, 2, 28)),
    ],
)
def test_the_first_workday_follows_the_calendar(days: dict[date, DayKind], first: date) -> None:
    """February 2026 begins on a Sunday."""
    assert months.first_workday(date(2026, 2, 1), days) == first
