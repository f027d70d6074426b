"""Bars of timelines, and the window in which one may ask."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from booking.conflicts import bookable_window
from booking.timelines import Piece, day_bars
from core.slot import Slot
from equipment.models import Equipment
from tests.factories_booking import shanghai

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 30)


def day(hour_from: int, hour_to: int) -> Slot:
    return Slot(shanghai(2026, 11, 30, hour_from), shanghai(2026, 11, 30, hour_to))


def test_the_window_of_asking_is_half_open_between_lead_time_and_horizon() -> None:
    now = shanghai(2026, 11, 30, 10)

    window = bookable_window(Equipment(lead_minutes=60, horizon_days=1), now)

    assert window == Slot(now + timedelta(hours=1), now + timedelta(days=1))


def test_bars_of_a_day_are_in_order_and_closed_where_nothing_else_is() -> None:
    bars = day_bars([Piece(day(9, 10), "mine"), Piece(day(8, 9), "closed", "Past")], [day(8, 12)], MONDAY, ZONE)

    assert [(bar.kind, bar.start, bar.end, bar.label) for bar in bars] == [
        ("closed", 0, 480, ""),
        ("closed", 480, 540, "Past"),
        ("mine", 540, 600, ""),
        ("closed", 720, 1440, ""),
    ]
