"""Half-open slots: overlap, gaps and civil days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.slot import Slot, intersected, local_day, merged, without

START = datetime(2026, 11, 24, tzinfo=UTC)
slots = st.builds(
    lambda start, length: Slot(START + timedelta(minutes=start), START + timedelta(minutes=start + length)),
    st.integers(0, 2000), st.integers(1, 300),
)  # fmt: skip


def minutes(found: list[Slot]) -> set[int]:
    """The whole minutes that some slots hold: the brute-force twin."""
    return {int((slot.starts_at - START).total_seconds() // 60) + n for slot in found for n in range(slot.minutes)}


@given(slots, slots)
def test_overlap_is_symmetric_and_touching_is_none(a: Slot, b: Slot) -> None:
    assert a.overlaps(b) == b.overlaps(a) == bool(minutes([a]) & minutes([b]))
    assert not a.overlaps(Slot(a.ends_at, a.ends_at + timedelta(minutes=1)))


@given(st.lists(slots, max_size=8), st.lists(slots, max_size=8))
def test_free_and_busy_make_open(base: list[Slot], taken: list[Slot]) -> None:
    left, both = without(base, taken), intersected(base, taken)

    assert minutes(left) == minutes(base) - minutes(taken)
    assert minutes(both) == minutes(base) & minutes(taken)
    assert minutes(merged(base)) == minutes(base)
    assert left == merged(left)


def test_a_civil_day_is_as_long_as_it_is() -> None:
    new_york = ZoneInfo("America/New_York")

    assert local_day(date(2026, 3, 8), new_york).length == timedelta(hours=23)
    assert local_day(date(2026, 11, 1), new_york).length == timedelta(hours=25)
    assert local_day(date(2026, 12, 31), ZoneInfo("Asia/Shanghai")).ends_at == datetime(2026, 12, 31, 16, tzinfo=UTC)
