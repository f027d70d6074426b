"""Which rules a slot breaks, all at once, and which free slots lie nearest. Pure: no session, no clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from booking import errors
from core.slot import Slot, merged, without


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
    slot: Slot, policy: Policy, open_slots: Sequence[Slot], *, zone: ZoneInfo, now: datetime, is_decided: bool = False
) -> list[errors.RuleBroken]:
    """Every rule that the slot breaks, in the order in which one would mend them.

    `open_slots` covers the slot's days. `is_decided`: asked for before, so lead time and horizon are over.
    """
    earliest, latest = now + timedelta(minutes=policy.lead_minutes), now + timedelta(days=policy.horizon_days)
    broken: list[errors.RuleBroken] = []
    if slot.starts_at < now:
        broken.append(errors.InPast(field="starts_at"))
    elif not is_decided and slot.starts_at < earliest:
        broken.append(errors.TooSoon(field="starts_at", lead_minutes=policy.lead_minutes, earliest_at=earliest))
    if not is_decided and slot.ends_at > latest:
        broken.append(errors.TooFarAhead(field="starts_at", horizon_days=policy.horizon_days, latest_at=latest))
    if slot.length < timedelta(minutes=policy.length_minutes_min):
        broken.append(errors.TooShort(field="ends_at", shortest_minutes=policy.length_minutes_min))
    if slot.length > timedelta(minutes=policy.length_minutes_max):
        broken.append(errors.TooLong(field="ends_at", longest_minutes=policy.length_minutes_max))
    if not is_on_step(slot, policy.step_minutes, zone):
        broken.append(errors.OffStep(field="starts_at", step_minutes=policy.step_minutes))
    if not any(part.contains(slot) for part in merged(open_slots)):
        broken.append(errors.OutsideOpeningHours(field="starts_at"))
    return broken


def bookable_window(policy: Policy, now: datetime) -> Slot | None:
    """When a slot may lie that is asked for now: after the lead time, before the horizon; None where they cross."""
    earliest = now + timedelta(minutes=policy.lead_minutes)
    latest = now + timedelta(days=policy.horizon_days)
    return Slot(earliest, latest) if earliest < latest else None


def on_step(at: datetime, step_minutes: int, zone: ZoneInfo) -> bool:
    """Whether wall time is a whole number of steps from midnight. Steps over an hour count from midnight too."""
    local = at.astimezone(zone)
    return local.second == local.microsecond == 0 and (local.hour * 60 + local.minute) % step_minutes == 0


def is_on_step(slot: Slot, step_minutes: int, zone: ZoneInfo) -> bool:
    """Whether a slot starts and ends on a step."""
    return on_step(slot.starts_at, step_minutes, zone) and on_step(slot.ends_at, step_minutes, zone)


def claim_of(slot: Slot, policy: Policy) -> Slot:
    """What the slot occupies: with its buffers, which add up and may lie outside opening hours."""
    return slot.widened(policy.buffer_before_minutes, policy.buffer_after_minutes)


def around(window: Slot, policy: Policy) -> Slot:
    """Where a claim may lie that keeps a slot out of a window: the buffers of both count."""
    room = policy.buffer_before_minutes + policy.buffer_after_minutes
    return window.widened(room, room)


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
    """The first instant on a step, not before `at`."""
    past = _past_step(at, step_minutes, zone)
    if not past:
        return at
    step, minute = timedelta(minutes=step_minutes), timedelta(minutes=1)
    up = at - past + step
    if _changes_between(at, up, zone):
        up = at + minute - past % minute
        while not on_step(up, step_minutes, zone):
            up += minute
    return up


def floor_step(at: datetime, step_minutes: int, zone: ZoneInfo) -> datetime:
    """The last instant on a step, not after `at`."""
    past, minute = _past_step(at, step_minutes, zone), timedelta(minutes=1)
    down = at - past
    if _changes_between(down, at, zone):
        down = at - past % minute
        while not on_step(down, step_minutes, zone):
            down -= minute
    return down


def _past_step(at: datetime, step_minutes: int, zone: ZoneInfo) -> timedelta:
    """Wall time since the last step."""
    local = at.astimezone(zone)
    minutes = (local.hour * 60 + local.minute) % step_minutes
    return timedelta(minutes=minutes, seconds=local.second, microseconds=local.microsecond)


def _changes_between(low: datetime, high: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock on the wall changes: then it is looked for a step minute by minute."""
    return low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset()
