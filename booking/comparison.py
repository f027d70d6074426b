"""A few instruments side by side: what the same job costs on each, and when each is next free for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import pricing
from booking.free_search import Times, Wish, find_free
from booking.pricing import Use, quantity_units, rates_for
from core.slot import Slot, local_day
from equipment.candidates import find_candidates_by_id, find_whole
from equipment.models import Equipment, Tier
from equipment.tariffs import tariff_on

MOST = 4
#: How far ahead the next free time is looked for.
AHEAD = timedelta(days=30)


@dataclass(frozen=True)
class Job:
    """The same for all: so long, and so many of whatever else is charged (samples, runs, grams)."""

    minutes: int
    amount: int


@dataclass(frozen=True)
class Compared:
    """An instrument with the price of the job, None where it cannot be priced, and its next free slot for it."""

    entry: Equipment
    price_fen: int | None
    next_free: Slot | None


def compare(
    session: Session, public_ids: Sequence[UUID], job: Job, tier_of: Callable[[Equipment], Tier], *, now: datetime
) -> list[Compared]:
    """At most four instruments in the order asked; ids of none are left out."""
    wanted = list(dict.fromkeys(public_ids))[:MOST]
    entries = find_whole(session, wanted)
    window = Slot(now, now + AHEAD)
    candidates = find_candidates_by_id(session, [entry.id for entry in entries])
    free = {
        found.entry.id: found.slots[0]
        for found in find_free(Times(session, window, now), candidates, Wish(window, job.minutes, slots=1))
    }
    order = sorted(entries, key=lambda entry: wanted.index(entry.public_id))
    return [
        Compared(entry, price_job(entry, job, tier_of(entry), free.get(entry.id), now=now), free.get(entry.id))
        for entry in order
    ]


def price_job(entry: Equipment, job: Job, tier: Tier, slot: Slot | None, *, now: datetime) -> int | None:
    """What the job costs in a slot; without one, on the next day at ten."""
    zone = ZoneInfo(entry.lab.zone)
    start = slot.starts_at if slot else _tomorrow_at_ten(now, zone)
    on: date = start.astimezone(zone).date()
    tariff = tariff_on(entry.tariffs, on)
    rush = tariff is not None and pricing.is_rush(tariff, start, now)
    use = Use(start, start + timedelta(minutes=job.minutes), zone, {}, entry.service_modes[0], rush)
    asked = {unit.value: job.amount for unit in quantity_units(rates_for(tariff, tier))}
    lines, _, broken = pricing.price_use(tariff, tier, use, asked)
    return None if broken else pricing.total_fen(lines)


def _tomorrow_at_ten(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return local_day(tomorrow, zone).starts_at + timedelta(hours=10)
