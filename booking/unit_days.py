"""The proof of the summary of claimed time: worked out again from the claims, by other means than the triggers."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.free_times import EPOCH
from booking.models import Occupancy, UnitDay
from core.slot import Slot

DAY_SECONDS, HALF_SECONDS = 86_400, 1_800


def half_hours(slot: Slot) -> dict[int, int]:
    """Half hours that lie wholly in a slot, as bits by day since 1970."""
    start, end = (slot.starts_at - EPOCH).total_seconds(), (slot.ends_at - EPOCH).total_seconds()
    bits: dict[int, int] = {}
    number = int(-(-start // HALF_SECONDS))
    while (number + 1) * HALF_SECONDS <= end:
        day, half = divmod(number, DAY_SECONDS // HALF_SECONDS)
        bits[day] = bits.get(day, 0) | 1 << half
        number += 1
    return bits


def check_unit_days(session: Session) -> list[str]:
    """Days of units whose summary is not what their claims say; none, unless somebody wrote past the triggers."""
    right: Counter[tuple[int, int]] = Counter()
    claims = select(Occupancy.unit_id, Occupancy.starts_at, Occupancy.ends_at).where(Occupancy.exclusive)
    for unit_id, start, end in session.execute(claims.execution_options(yield_per=5_000)):
        for day, bits in half_hours(Slot(start, end)).items():
            right[unit_id, day] += bits
    kept = {(row.unit_id, row.day): row.claimed for row in session.execute(select(UnitDay.__table__))}
    wrong = sorted(key for key in right.keys() | kept.keys() if right[key] != kept.get(key))
    return [f"day {day} of unit {unit} is not what its claims say" for unit, day in wrong]
