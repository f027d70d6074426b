"""Half-open intervals of time, `[starts_at, ends_at)`, and the one place where overlap is written.

Pure: no session, no clock, no zone of the process.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True, slots=True)
class Slot:
    """An interval of aware instants, start included, end excluded, never empty."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        assert self.starts_at.tzinfo is not None and self.ends_at.tzinfo is not None, "naive instants"
        assert self.starts_at < self.ends_at, "an empty or inverted slot"

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at

    @property
    def minutes(self) -> int:
        """Whole minutes, rounded down."""
        return int(self.length.total_seconds() // 60)

    def overlaps(self, other: "Slot") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: "Slot") -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def common(self, other: "Slot") -> "Slot | None":
        """The part in both, or None when they only touch or lie apart."""
        start, end = max(self.starts_at, other.starts_at), min(self.ends_at, other.ends_at)
        return Slot(start, end) if start < end else None

    def widened(self, before_minutes: int, after_minutes: int) -> "Slot":
        return Slot(self.starts_at - timedelta(minutes=before_minutes), self.ends_at + timedelta(minutes=after_minutes))


def merged(slots: Iterable[Slot]) -> list[Slot]:
    """The same time as fewest slots, in order; touching slots become one."""
    out: list[Slot] = []
    for slot in sorted(slots):
        if out and slot.starts_at <= out[-1].ends_at:
            out[-1] = Slot(out[-1].starts_at, max(out[-1].ends_at, slot.ends_at))
        else:
            out.append(slot)
    return out


def without(base: Iterable[Slot], taken: Iterable[Slot]) -> list[Slot]:
    """What is left of `base` when `taken` is cut out, in order and merged."""
    left = merged(base)
    cuts = merged(taken)
    out: list[Slot] = []
    position = 0
    for slot in left:
        start = slot.starts_at
        while position < len(cuts) and cuts[position].ends_at <= start:
            position += 1
        look = position
        while look < len(cuts) and cuts[look].starts_at < slot.ends_at:
            if start < cuts[look].starts_at:
                out.append(Slot(start, cuts[look].starts_at))
            start = max(start, cuts[look].ends_at)
            look += 1
        if start < slot.ends_at:
            out.append(Slot(start, slot.ends_at))
    return out


def intersected(left: Iterable[Slot], right: Iterable[Slot]) -> list[Slot]:
    """The time that lies in both, in order and merged."""
    out: list[Slot] = []
    others = merged(right)
    for slot in merged(left):
        out += [part for other in others if (part := slot.common(other))]
    return out


def local_day(on: date, zone: ZoneInfo) -> Slot:
    """The civil day in a zone as instants: 23, 24 or 25 hours long."""
    start = datetime.combine(on, time.min, zone).astimezone(UTC)
    return Slot(start, datetime.combine(on + timedelta(days=1), time.min, zone).astimezone(UTC))


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The civil date on which an instant falls in a zone."""
    return at.astimezone(zone).date()
