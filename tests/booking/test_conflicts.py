"""Rules and free time against brute force. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from booking import conflicts
from core.slot import Slot

WUHAN = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class Rules:
    step_minutes: int = 30
    length_minutes_min: int = 30
    length_minutes_max: int = 480
    lead_minutes: int = 0
    horizon_days: int = 90
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def steps(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high).map(lambda n: n * 15)


slots = st.builds(lambda a, n: Slot(at(a), at(a + n)), steps(0, 60), steps(1, 20))
rules = st.builds(
    Rules, step_minutes=st.sampled_from([15, 30, 60]), buffer_before_minutes=st.sampled_from([0, 15, 30]),
    buffer_after_minutes=st.sampled_from([0, 15, 45]),
)  # fmt: skip


@given(st.lists(slots, max_size=4), st.lists(slots, max_size=4), rules, st.sampled_from([30, 60, 120]))
def test_free_time_is_exactly_what_would_be_granted(
    open_slots: list[Slot], busy: list[Slot], policy: Rules, minutes: int
) -> None:
    """Every start on the grid: offered if and only if open, on step, and clear of claims with their buffers."""
    found = conflicts.free_slots(open_slots, busy, policy, minutes=minutes, earliest=START, zone=WUHAN)
    for start in range(0, 24 * 60, 15):
        slot = Slot(at(start), at(start + minutes))
        broken = conflicts.find_broken_rules(slot, policy, open_slots, zone=WUHAN, now=START)
        claim = conflicts.claim_of(slot, policy)
        granted = not broken and not any(claim.overlaps(part) for part in busy)
        offered = any(part.contains(slot) for part in found) and conflicts.on_step(
            slot.starts_at, policy.step_minutes, WUHAN
        )
        if minutes % policy.step_minutes == 0 and minutes >= policy.length_minutes_min:
            assert offered == granted, slot


@given(st.lists(slots, max_size=5), slots)
def test_the_nearest_slots_are_free_and_as_long_as_wanted(free: list[Slot], wanted: Slot) -> None:
    found = conflicts.nearest_fits(free, wanted, step_minutes=15, most=3)

    assert len(found) <= 3
    assert all(slot.length == wanted.length for slot in found)
    assert all(any(part.contains(slot) for part in free) for slot in found)
    distances = [abs(slot.starts_at - wanted.starts_at) for slot in found]
    assert distances == sorted(distances)


def test_each_broken_rule_is_named() -> None:
    policy = Rules(lead_minutes=60, horizon_days=1, length_minutes_min=60, length_minutes_max=120)
    now = START + timedelta(hours=1)

    def codes(slot: Slot, open_slots: list[Slot]) -> list[str]:
        return [rule.code for rule in conflicts.find_broken_rules(slot, policy, open_slots, zone=WUHAN, now=now)]

    day = [Slot(START, START + timedelta(days=30))]
    assert codes(Slot(at(180), at(240)), day) == []
    assert codes(Slot(at(30), at(90)), day) == ["in_past"]
    assert codes(Slot(at(90), at(150)), day) == ["too_soon"]
    assert codes(Slot(at(3000), at(3060)), day) == ["too_far_ahead"]
    assert codes(Slot(at(180), at(210)), day) == ["too_short"]
    assert codes(Slot(at(180), at(330)), day) == ["too_long"]
    assert codes(Slot(at(185), at(245)), day) == ["off_step"]
    assert codes(Slot(at(180), at(240)), []) == ["outside_opening_hours"]
    assert codes(Slot(at(30), at(35)), []) == ["in_past", "too_short", "off_step", "outside_opening_hours"]
