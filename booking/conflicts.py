"""Which rules a slot breaks, all at once, and which free slots lie nearest. Pure: no session, no clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from booking import errors
from core.slot import Slot, local_date, local_day, merged, without


class Policy(Protocol):
    """The rules of a catalogue entry, in minutes and days."""

    @property
    def step_minutes(self) -> int: ...
    @property
    def length_minutes_min(self) -> int: ...
    @property
    def length_minutes_max(self) -> int: ...
    @property
    def lead_minutes(self) -> int: ...
    @property
    def horizon_days(self) -> int: ...
    @property
    def buffer_before_minutes(self) -> int: ...
    @property
    def buffer_after_minutes(self) -> int: ...


def find_broken_rules(
    slot: Slot, policy: Policy, open_slots: Sequence[Slot], *, zone: ZoneInfo, now: datetime, by_lab: bool = False
) -> list[errors.RuleBroken]:
    """Every rule that the slot breaks, in the order in which one would mend them.

    `open_slots` covers the slot's days. The lab itself is not bound by lead time and horizon.
    """
    broken: list[errors.RuleBroken] = []
    if slot.starts_at < now:
        broken.append(errors.InPast(field="starts_at"))
    elif not by_lab and slot.starts_at < now + timedelta(minutes=policy.lead_minutes):
        broken.append(errors.TooSoon(field="starts_at", lead_minutes=policy.lead_minutes))
    if not by_lab and slot.ends_at > now + timedelta(days=policy.horizon_days):
        broken.append(errors.TooFarAhead(field="starts_at", horizon_days=policy.horizon_days))
    if slot.length < timedelta(minutes=policy.length_minutes_min):
        broken.append(errors.TooShort(field="ends_at", shortest_minutes=policy.length_minutes_min))
    if slot.length > timedelta(minutes=policy.length_minutes_max):
        broken.append(errors.TooLong(field="ends_at", longest_minutes=policy.length_minutes_max))
    if not (on_step(slot.starts_at, policy.step_minutes, zone) and on_step(slot.ends_at, policy.step_minutes, zone)):
        broken.append(errors.OffStep(field="starts_at", step_minutes=policy.step_minutes))
    if not any(part.contains(slot) for part in merged(open_slots)):
        broken.append(errors.OutsideOpeningHours(field="starts_at"))
    return broken


def bookable_window(policy: Policy, now: datetime) -> Slot | None:
    """When a slot may lie that is asked for now: after the lead time, before the horizon; None where they cross."""
    earliest = now + timedelta(minutes=policy.lead_minutes)
    latest = now + timedelta(days=policy.horizon_days)
    return Slot(earliest, latest) if earliest < latest else None


class Limits(Protocol):
    """What one company may have on an instrument in a week from Monday; None: as much as it likes."""

    @property
    def company_week_bookings_max(self) -> int | None: ...
    @property
    def company_week_minutes_max(self) -> int | None: ...


def week_of(slot: Slot, zone: ZoneInfo) -> Slot:
    """The week from Monday in which a slot starts."""
    on = local_date(slot.starts_at, zone)
    monday = on - timedelta(days=on.weekday())
    return Slot(local_day(monday, zone).starts_at, local_day(monday + timedelta(days=6), zone).ends_at)


def find_broken_limits(slot: Slot, limits: Limits, others: Sequence[Slot]) -> list[errors.RuleBroken]:
    """Limits that the slot would break. `others`: what the company has in the same week."""
    broken: list[errors.RuleBroken] = []
    most, minutes_max = limits.company_week_bookings_max, limits.company_week_minutes_max
    if most is not None and len(others) + 1 > most:
        broken.append(errors.WeekBookingsUsedUp(field="starts_at", used=len(others), limit=most))
    used = sum(other.minutes for other in others)
    if minutes_max is not None and used + slot.minutes > minutes_max:
        broken.append(errors.WeekTimeUsedUp(field="ends_at", used_minutes=used, limit_minutes=minutes_max))
    return broken


def on_step(at: datetime, step_minutes: int, zone: ZoneInfo) -> bool:
    """Whether wall time is a whole number of steps from midnight. Steps over an hour count from midnight too."""
    local = at.astimezone(zone)
    return local.second == local.microsecond == 0 and (local.hour * 60 + local.minute) % step_minutes == 0


def claim_of(slot: Slot, policy: Policy) -> Slot:
    """What the slot occupies: with its buffers, which add up and may lie outside opening hours."""
    return slot.widened(policy.buffer_before_minutes, policy.buffer_after_minutes)


def free_slots(
    open_slots: Sequence[Slot],
    busy: Sequence[Slot],
    policy: Policy,
    *,
    minutes: int,
    earliest: datetime,
    zone: ZoneInfo,
) -> list[Slot]:
    """Stretches in which a slot of `minutes` may start and end, in order, whole steps, not before `earliest`.

    `busy` holds claims (with their buffers) and blocks. A stretch may be longer than `minutes`.
    """
    padded = [part.widened(policy.buffer_after_minutes, policy.buffer_before_minutes) for part in busy]
    out = []
    for part in without(open_slots, padded):
        start = ceil_step(max(part.starts_at, earliest), policy.step_minutes, zone)
        end = floor_step(part.ends_at, policy.step_minutes, zone)
        if end - start >= timedelta(minutes=minutes):
            out.append(Slot(start, end))
    return out


def longest_minutes(open_slots: Sequence[Slot], policy: Policy, *, earliest: datetime, zone: ZoneInfo) -> int:
    """The longest slot that fits into an open stretch in whole steps; 0 where none does."""
    fits = free_slots(open_slots, [], policy, minutes=policy.step_minutes, earliest=earliest, zone=zone)
    return max((part.minutes for part in fits), default=0)


def first_fits(stretches: Sequence[Slot], *, minutes: int, most: int) -> list[Slot]:
    """The first slot of each stretch, then further ones back to back, at most `most`, in order of time."""
    length = timedelta(minutes=minutes)
    out: list[Slot] = []
    for stretch in stretches:
        start = stretch.starts_at
        while start + length <= stretch.ends_at and len(out) < most:
            out.append(Slot(start, start + length))
            start += length
        if len(out) >= most:
            break
    return out


def nearest_fits(stretches: Sequence[Slot], wanted: Slot, *, step_minutes: int, most: int) -> list[Slot]:
    """Slots as long as the wanted one, the nearest to it first; at most two from one stretch."""
    found: list[Slot] = []
    step = timedelta(minutes=step_minutes)
    for stretch in stretches:
        latest = stretch.ends_at - wanted.length
        if latest < stretch.starts_at:
            continue
        count = (latest - stretch.starts_at) // step
        near = min(max((wanted.starts_at - stretch.starts_at) // step, 0), count)
        start = stretch.starts_at + near * step
        found.append(Slot(start, start + wanted.length))
    found.sort(key=lambda slot: (abs(slot.starts_at - wanted.starts_at), slot.starts_at))
    return found[:most]


def ceil_step(at: datetime, step_minutes: int, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    past = timedelta(
        minutes=(local.hour * 60 + local.minute) % step_minutes, seconds=local.second, microseconds=local.microsecond
    )
    return at if not past else at - past + timedelta(minutes=step_minutes)


def floor_step(at: datetime, step_minutes: int, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    return at - timedelta(
        minutes=(local.hour * 60 + local.minute) % step_minutes, seconds=local.second, microseconds=local.microsecond
    )
