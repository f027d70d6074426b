"""What happens in the demonstration: bookings of the last weeks, and new ones whenever it becomes quiet.

Everything goes through the services with their rules, at the time at which it would have happened. A refusal (a taken
slot, a closed day) is part of life: the next idea is tried.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from booking import deciding, free_search, queries, service, visits
from booking.free_search import Wish
from booking.models import Booking, State
from booking.pricing import quantity_units, rates_for
from booking.queries import BookingFilter
from core.db import read_session, unit_of_work
from core.errors import Refusal
from core.slot import Slot
from equipment import queries as catalogue
from equipment.candidates import find_candidates_by_id
from equipment.models import ApprovalMode, Equipment, Lab, Tier
from equipment.tariffs import tariff_on
from members import queries as members
from members.actor import Actor
from members.models import Organisation
from web.demo.people import HUST, LABS, WHU

PURPOSES = (
    "镀膜断面形貌，3 个样品", "失效分析，焊点截面", "验证新批次粉末的粒度", "样机外壳打印",
    "光模块眼图测试", "涂层成分复核",
    "电池循环测试", "结构件拉伸强度", "芯片封装空洞检查", "表面粗糙度对比",
)  # fmt: skip
BOOKERS = (
    "startup@example.com", "member@example.com", "jiangguang@example.com", "chuli@example.com",
    "qingyuan@example.com", "researcher@example.com",
)  # fmt: skip
#: Whose bookings wait for the visitor to check in.
VISITOR = "startup@example.com"
COMING_MIN, WAITING_MIN = 40, 6


@dataclass(frozen=True)
class Stage:
    """Who plays and with what."""

    bookers: list[Actor]
    managers: dict[int, Actor]
    entries: list[Equipment]


def tell_past(engine: Engine, *, now: datetime, days: int, tick: Callable[[], None]) -> None:
    """Past weeks day by day: requested, approved, used or not, charged."""
    chance = random.Random(2026)
    stage = set_stage(engine)
    for back in range(days, -1, -1):
        day = now - timedelta(days=back)
        for _ in range(chance.randint(5, 9)):
            _live_through(engine, stage, chance, day, now)
        tick()


def play_visits(engine: Engine, *, now: datetime, limit: int) -> int:
    """Job: 1. find bookings of the others (not the visitor's own part) that have begun; 2. check them in; 3. check out
    those whose time is over. As it would have happened, also when the clock was moved far."""
    with read_session(engine) as session:
        own = members.find_person_by_email(session, VISITOR)
        wanted = BookingFilter(states=frozenset({State.APPROVED, State.IN_USE}), starts_before=now)
        begun = [b for b in queries.find_bookings(session, wanted, limit=limit) if own and b.person_id != own.id]
    if not begun:
        return 0
    stage = set_stage(engine)
    done = 0
    for booking in begun:
        manager = stage.managers.get(booking.equipment.owner_id)
        if manager is None:
            continue
        if booking.state is State.APPROVED:
            at = booking.starts_at
            done += _visit(engine, visits.check_in, manager, booking, at)
        if booking.ends_at <= now:
            done += _visit(engine, visits.check_out, manager, booking, booking.ends_at)
    return done


def _visit(engine: Engine, verb: Callable[..., Booking], manager: Actor, booking: Booking, at: datetime) -> int:
    return int(_try(engine, lambda session: verb(session, manager, booking.public_id, now=at)) is not None)


def keep_lively(engine: Engine, *, now: datetime, limit: int = 300) -> int:
    """Job: 1. count what comes and what waits; 2. while it is less than a visitor should find, request a slot of the
    next days as one of the startups; 3. let the labs approve as many as should come."""
    with read_session(engine) as session:
        wanted = BookingFilter(states=frozenset({State.APPROVED}), ends_after=now)
        coming = queries.count_bookings(session, wanted)
        waiting = queries.count_bookings(session, BookingFilter(states=frozenset({State.REQUESTED})))
    if coming >= COMING_MIN and waiting >= WAITING_MIN:
        return 0
    chance = random.Random(int(now.timestamp()))
    stage = set_stage(engine)
    made = 0
    for _ in range(limit):
        if coming >= COMING_MIN and waiting >= WAITING_MIN:
            break
        only = ApprovalMode.LAB if waiting < WAITING_MIN or coming < COMING_MIN // 2 else None
        booking = request_slot(engine, stage, chance, now, within_days=7, mode=only)
        if booking is None:
            continue
        made += 1
        if booking.state is State.APPROVED:
            coming += 1
        elif waiting < WAITING_MIN:
            waiting += 1
        elif _approve(engine, stage, booking, now=now):
            coming += 1
    return made


def set_stage(engine: Engine) -> Stage:
    """The cast and the instruments of the labs that the cast runs."""
    with read_session(engine) as session:
        bookers = [actor for email in BOOKERS if (actor := find_actor(session, email))]
        managers = {}
        for name, email in ((HUST, "lab@example.com"), (WHU, "otherlab@example.com")):
            owner = session.scalars(select(Organisation).where(Organisation.name_zh == name)).one()
            actor = find_actor(session, email)
            assert actor is not None
            managers[owner.id] = actor
        rows = session.scalars(
            catalogue.whole_entry()
            .join(Lab, Lab.id == Equipment.lab_id)
            .where(Equipment.is_bookable, Equipment.owner_id.in_(managers), Lab.name_zh.in_(LABS.values()))
            .order_by(Equipment.id)
        ).unique()
        return Stage(bookers, managers, list(rows))


def _live_through(engine: Engine, stage: Stage, chance: random.Random, day: datetime, now: datetime) -> None:
    """One booking from request to its end, all on about one day of the past."""
    booking = request_slot(engine, stage, chance, day - timedelta(days=4), within_days=4.3, mode=None, from_days=3.4)
    if booking is None:
        return
    if booking.state is State.REQUESTED and not _approve(
        engine, stage, booking, now=booking.requested_at + timedelta(hours=2)
    ):
        return
    if booking.starts_at > now:
        return
    fate = chance.random()
    manager = stage.managers[booking.equipment.owner_id]
    if fate < 0.06:
        early = booking.starts_at - timedelta(hours=30)
        actor = _booker(stage, booking)
        _try(
            engine,
            lambda session: service.cancel_booking(session, actor, booking.public_id, reason="计划有变", now=early),
        )
    elif fate < 0.12:
        _try(engine, lambda session: visits.mark_no_shows(session, now=booking.starts_at + timedelta(hours=1), limit=1))
    else:
        late = timedelta(minutes=chance.choice((0, 0, 2, 5, 10)))
        rest = timedelta(minutes=chance.choice((0, 0, 5, 15, 25)))
        _try(engine, lambda session: visits.check_in(session, manager, booking.public_id, now=booking.starts_at + late))
        left_at = booking.ends_at - rest
        if left_at <= now:
            _try(engine, lambda session: visits.check_out(session, manager, booking.public_id, now=left_at))


def request_slot(
    engine: Engine,
    stage: Stage,
    chance: random.Random,
    now: datetime,
    *,
    within_days: float,
    mode: ApprovalMode | None,
    from_days: float = 0.1,
) -> Booking | None:
    """Somebody requests a free slot of some instrument; None when nothing fits."""
    entries = [entry for entry in stage.entries if mode is None or entry.approval_mode == mode]
    entry, actor = chance.choice(entries), chance.choice(stage.bookers)
    minutes = max(entry.length_minutes_min, min(chance.choice((60, 90, 120, 180, 240)), entry.length_minutes_max))
    minutes -= minutes % entry.step_minutes
    start = now + timedelta(days=from_days + chance.random() * (within_days - from_days))
    local = start.astimezone(ZoneInfo(entry.lab.zone))
    # People work by day: a start in the night becomes one of the same day, a little after eight.
    start += timedelta(hours=8 - local.hour + chance.randint(0, 8)) if not 8 <= local.hour < 17 else timedelta(0)
    start = max(start, now + timedelta(minutes=5))
    slot = _free_slot(engine, entry, start, minutes, now)
    if slot is None:
        return None
    zone = ZoneInfo(entry.lab.zone)
    tier = Tier.STARTUP
    units = quantity_units(rates_for(tariff_on(entry.tariffs, slot.starts_at.astimezone(zone).date()), tier))
    quantities = {
        unit.value: str(chance.randint(1, 6) * (10 if unit.value in ("gram", "millilitre") else 1)) for unit in units
    }

    def act(session: Session) -> Booking:
        placed = service.request_booking(
            session, actor, equipment_id=entry.public_id, slot=slot, quantities=quantities,
            purpose=chance.choice(PURPOSES), terms_version=entry.terms_version, now=now,
        )  # fmt: skip
        return queries.get_booking_by_id(session, placed.booking.id)

    return _try(engine, act)


def _free_slot(engine: Engine, entry: Equipment, start: datetime, minutes: int, now: datetime) -> Slot | None:
    with read_session(engine) as session:
        window = Slot(start, start + timedelta(days=3))
        times = free_search.Times(session, window, now)
        entries = find_candidates_by_id(session, [entry.id])
        free = next(free_search.find_free(times, entries, Wish(window, minutes)), None)
    return free.slots[0] if free else None


def _approve(engine: Engine, stage: Stage, booking: Booking, *, now: datetime) -> bool:
    manager = stage.managers[booking.equipment.owner_id]
    done = _try(engine, lambda session: deciding.approve_booking(session, manager, booking.public_id, now=now))
    return done is not None


def _try(engine: Engine, act: Callable[[Session], object]) -> Booking | None:
    """One unit of work; a refusal is nothing to worry about here."""
    try:
        with unit_of_work(engine) as session:
            found = act(session)
    except Refusal:
        return None
    return found if isinstance(found, Booking) else None


def _booker(stage: Stage, booking: Booking) -> Actor:
    return next(actor for actor in stage.bookers if actor.person_id == booking.person_id)


def find_actor(session: Session, email: str) -> Actor | None:
    person = members.find_person_by_email(session, email)
    return members.get_actor(session, person.id) if person else None
