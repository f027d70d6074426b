"""Strips and bars: what may be asked for is free, the rest says why."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from booking.conflicts import bookable_window
from booking.timelines import Piece, day_bars, strip_days
from core.slot import Slot
from equipment.models import Equipment
from tests.factories_booking import shanghai

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 30)


def day(hour_from: int, hour_to: int) -> Slot:
    return Slot(shanghai(2026, 11, 30, hour_from), shanghai(2026, 11, 30, hour_to))


def test_a_strip_is_bright_only_where_one_may_still_ask() -> None:
    now = shanghai(2026, 11, 30, 10)
    entry = Equipment(lead_minutes=120, horizon_days=7)

    (shown,) = strip_days(
        [day(8, 14), day(16, 18)], [day(8, 18)], MONDAY, 1,
        zone=ZONE, now=now, bookable=bookable_window(entry, now), lang="en",
    )  # fmt: skip

    assert shown.free == [(48, 56), (64, 72)]
    assert shown.taken == [(56, 64)]


def test_nothing_is_bright_where_the_lead_time_passes_the_horizon() -> None:
    now = shanghai(2026, 11, 30, 10)
    entry = Equipment(lead_minutes=3 * 1440, horizon_days=2)
    assert bookable_window(entry, now) is None

    (shown,) = strip_days([day(8, 18)], [day(8, 18)], MONDAY, 1, zone=ZONE, now=now, bookable=None, lang="en")

    assert (shown.free, shown.taken, shown.is_closed) == ([], [], False)


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
