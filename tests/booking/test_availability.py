"""Who is free, on both engines: what is offered can be requested, and what can be requested is offered."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from booking import claims, conflicts, free_search, near_misses, soonest
from booking.free_search import Times, Wish
from booking.models import Occupancy, OccupancyKind, UnitDay
from booking.near_misses import Why
from booking.unit_days import check_unit_days, half_hours
from core.slot import Slot
from equipment import queries as catalogue
from equipment.bookable import get_bookable
from equipment.candidates import find_candidates_by_id
from equipment.models import CalendarDay, Closure, DayKind, Equipment, Lab, OpeningHours, Unit
from equipment.search import Search
from members.models import OrganisationKind
from tests.cast import Stage
from tests.factories import NOW, Prices, make_equipment, make_lab, make_organisation

WUHAN = ZoneInfo("Asia/Shanghai")
WEEK = Slot(NOW, NOW + timedelta(days=7))


@pytest.fixture
def lab(session: Session) -> Lab:
    return make_lab(session, make_organisation(session, OrganisationKind.UNIVERSITY, "江城大学"), "三维打印实验室")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Wall time in Wuhan in November 2026; the 24th is a Tuesday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=WUHAN).astimezone(UTC)


def claim(session: Session, entry: Equipment, slot: Slot, *, unit: int = 0, is_block: bool = False) -> Occupancy:
    units = session.query(Unit).filter_by(equipment_id=entry.id).order_by(Unit.id).all()
    kind = OccupancyKind.BLOCK if is_block else OccupancyKind.BOOKING
    row = Occupancy(
        unit_id=units[unit].id, starts_at=slot.starts_at, ends_at=slot.ends_at, kind=kind, exclusive=not is_block
    )
    session.add(row)
    session.flush()
    return row


def slots_of(session: Session, entry: Equipment, wish: Wish) -> list[Slot]:
    times = Times(session, wish.window, NOW)
    found = list(free_search.find_free(times, find_candidates_by_id(session, [entry.id]), wish))
    return found[0].slots if found else []


def test_two_hours_on_an_afternoon_under_two_hundred_yuan(session: Session, lab: Lab) -> None:
    cheap = make_equipment(session, lab, "3D 打印机甲", prices=Prices(hour=15_000))
    make_equipment(session, lab, "3D 打印机乙", prices=Prices(hour=25_000))
    claim(session, cheap, Slot(at(24, 14), at(24, 16)))
    wish = Wish(WEEK, 120, day_from=13 * 60, day_to=18 * 60, weekdays=frozenset({1, 3}))

    page = free_search.find_page(session, Search("3D打印", price_max_fen=20_000), wish, now=NOW)

    assert [free.entry.id for free in page.items] == [cheap.id]
    assert page.items[0].slots == [Slot(at(26, 14), at(26, 16))]
    assert page.next_cursor is None


def test_closures_holidays_blocks_and_buffers_are_respected(session: Session, lab: Lab) -> None:
    entry = make_equipment(session, lab, buffer_before_minutes=30, buffer_after_minutes=30)
    session.add(Closure(lab_id=lab.id, starts_at=at(24, 0), ends_at=at(25, 0), reason="停电"))
    session.add(CalendarDay(on=date(2026, 11, 25), kind=DayKind.OFF))
    claim(session, entry, Slot(at(26, 8), at(26, 10)), is_block=True)
    claim(session, entry, Slot(at(26, 11, 30), at(26, 12)))
    session.flush()

    assert slots_of(session, entry, Wish(WEEK, 60, slots=2)) == [
        Slot(at(26, 14), at(26, 15)), Slot(at(26, 15), at(26, 16)),
    ]  # fmt: skip
    assert slots_of(session, entry, Wish(WEEK, 30, slots=1)) == [Slot(at(26, 10, 30), at(26, 11))]


def test_a_unit_that_is_free_makes_the_entry_free_and_a_retired_one_does_not(session: Session, lab: Lab) -> None:
    entry = make_equipment(session, lab, units=2)
    claim(session, entry, Slot(at(24, 10), at(24, 12)), unit=0)

    assert slots_of(session, entry, Wish(WEEK, 60, slots=1)) == [Slot(at(24, 10), at(24, 11))]

    second = session.query(Unit).filter_by(equipment_id=entry.id).order_by(Unit.id.desc()).first()
    assert second
    second.retired_at = NOW
    session.flush()
    assert slots_of(session, entry, Wish(WEEK, 60, slots=1)) == [Slot(at(24, 14), at(24, 15))]


def test_hours_of_the_lab_count_where_the_entry_has_none(session: Session, lab: Lab) -> None:
    entry = make_equipment(session, lab)
    session.execute(delete(OpeningHours).where(OpeningHours.equipment_id == entry.id))
    assert slots_of(session, entry, Wish(WEEK, 60)) == []

    session.add(OpeningHours(lab_id=lab.id, weekday=2, opens_minute=600, closes_minute=720))
    session.add(OpeningHours(organisation_id=lab.organisation_id, weekday=1, opens_minute=600, closes_minute=720))
    session.flush()
    assert slots_of(session, entry, Wish(WEEK, 60, slots=1)) == [Slot(at(25, 10), at(25, 11))]


def test_pages_follow_one_another_and_stop_when_full(session: Session, lab: Lab) -> None:
    entries = [make_equipment(session, lab, f"示波器 {number}") for number in range(7)]
    claim(session, entries[2], Slot(at(24, 0), at(30, 23)), is_block=True)
    search, wish = Search("示波器", limit=3), Wish(Slot(NOW, at(30, 23)), 60)

    first = free_search.find_page(session, search, wish, now=NOW)
    second = free_search.find_page(session, search.after(first.next_cursor or ""), wish, now=NOW)

    found = [free.entry.id for free in first.items + second.items]
    assert found == [entry.id for number, entry in enumerate(entries) if number != 2]
    assert second.next_cursor is None


def test_the_soonest_come_first_and_pages_leave_none_out(session: Session, lab: Lab) -> None:
    entries = [make_equipment(session, lab, f"拉曼 {number}") for number in range(6)]
    for number, entry in enumerate(entries):
        claim(session, entry, Slot(at(24, 8), at(24, 8) + timedelta(hours=2 + 24 * (5 - number))))
    search, wish = Search("拉曼", limit=2), Wish(Slot(NOW, at(30, 23)), 60)

    order, starts = [], []
    while True:
        page = soonest.find_soonest(session, search, wish, now=NOW)
        order += [free.entry.id for free in page.items]
        starts += [free.slots[0].starts_at for free in page.items]
        if page.next_cursor is None:
            break
        search = search.after(page.next_cursor)

    assert sorted(order) == [entry.id for entry in entries]
    assert starts == sorted(starts)
    assert order[0] == entries[5].id


@pytest.mark.parametrize("seed", range(4))
def test_soonest_is_the_order_of_everybodys_first_slot(session: Session, lab: Lab, seed: int) -> None:
    chance = random.Random(seed)
    entries = [
        make_equipment(session, lab, "质谱", units=chance.choice((1, 2)), always_open=chance.random() < 0.4)
        for _ in range(9)
    ]
    for entry in entries:
        begins = at(24, 9)
        for _ in range(chance.randint(0, 8)):
            begins += timedelta(minutes=chance.choice((0, 10, 30, 90)))
            ends = begins + timedelta(minutes=chance.choice((20, 60, 240, 900)))
            claim(session, entry, Slot(begins, ends))
            begins = ends
    wish = Wish(Slot(NOW + timedelta(minutes=chance.randint(0, 50)), at(30, 12)), chance.choice((30, 90, 240)))
    times = Times(session, wish.window, NOW)
    every = free_search.find_free(times, find_candidates_by_id(session, [entry.id for entry in entries]), wish)
    expected = sorted((free.slots[0].starts_at, free.entry.sort_key, free.entry.id) for free in every)

    found, search = [], Search("质谱", limit=2)
    while True:
        page = soonest.find_soonest(session, search, wish, now=NOW)
        found += [(free.slots[0].starts_at, free.entry.sort_key, free.entry.id) for free in page.items]
        if page.next_cursor is None:
            break
        search = search.after(page.next_cursor)

    assert found == expected


@pytest.mark.parametrize(
    ("wish", "search", "expected"),
    [
        (Wish(Slot(at(28, 0), at(29, 0)), 60), Search("质谱"), {Why.LATER}),
        (Wish(Slot(at(24, 8), at(24, 18)), 300), Search("质谱"), {Why.LENGTH}),
        (Wish(Slot(at(24, 8), at(24, 18)), 60), Search("质谱", price_max_fen=100), {Why.DEARER}),
        (Wish(Slot(at(24, 8), at(24, 18)), 60, 720, 840), Search("质谱"), {Why.OTHER_TIME}),
    ],
)  # fmt: skip
def test_near_misses_say_why(session: Session, lab: Lab, wish: Wish, search: Search, expected: set[Why]) -> None:
    entry = make_equipment(session, lab, "质谱仪")
    assert not free_search.find_page(session, search, wish, now=NOW).items

    found = near_misses.find_near_misses(session, search, wish, now=NOW)

    assert expected <= {miss.why for miss in found}
    assert all(miss.free.entry.id == entry.id for miss in found)


def test_elsewhere_is_a_near_miss(session: Session, lab: Lab) -> None:
    other = make_organisation(session, OrganisationKind.INSTITUTE, "别处研究所")
    entry = make_equipment(session, lab, "质谱仪")

    found = near_misses.find_near_misses(session, Search("质谱", institution=other.public_id), Wish(WEEK, 60), now=NOW)

    assert [(miss.why, miss.free.entry.id) for miss in found] == [(Why.ELSEWHERE, entry.id)]


#: Rules, bookings and closures of a few days, small enough to try every minute.
parts = st.lists(st.tuples(st.integers(0, 4 * 24 * 4), st.integers(1, 40)), max_size=6)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_slot_offered_is_granted_and_the_first_granted_is_offered(
    session: Session, lab: Lab, data: st.DataObject
) -> None:
    rules = {
        "step_minutes": data.draw(st.sampled_from((15, 30, 60))), "length_minutes_min": 30,
        "buffer_before_minutes": data.draw(st.sampled_from((0, 15))),
        "buffer_after_minutes": data.draw(st.sampled_from((0, 30))),
        "lead_minutes": data.draw(st.sampled_from((0, 90, 1500))), "horizon_days": data.draw(st.sampled_from((2, 90))),
    }  # fmt: skip
    with session.begin_nested() as savepoint:
        entry = make_equipment(session, lab, units=data.draw(st.sampled_from((1, 2))), **rules)
        for unit in range(len(session.query(Unit).filter_by(equipment_id=entry.id).all())):
            for start, length in data.draw(parts):
                begins = at(24, 8) + timedelta(minutes=15 * start)
                claim(session, entry, Slot(begins, begins + timedelta(minutes=15 * length)), unit=unit, is_block=True)
        for start, length in data.draw(parts)[:2]:
            begins = at(24, 8) + timedelta(minutes=15 * start)
            ends = begins + timedelta(minutes=15 * length)
            session.add(Closure(equipment_id=entry.id, starts_at=begins, ends_at=ends, reason="检修"))
        session.flush()
        minutes = data.draw(st.sampled_from((30, 60, 120)))
        window = Slot(NOW, NOW + timedelta(days=4))

        offered = slots_of(session, entry, Wish(window, minutes))

        whole = catalogue.get_equipment_by_id(session, entry.id)
        assert offered == _granted(session, whole, window, minutes, most=free_search.SLOTS_PER_ENTRY)
        savepoint.rollback()
    session.expire_all()


def _granted(session: Session, entry: Equipment, window: Slot, minutes: int, *, most: int) -> list[Slot]:
    """Every quarter of an hour, asked of what a request asks."""
    out: list[Slot] = []
    start = window.starts_at
    bookable = get_bookable(session, entry.id, window.widened(2880, 2880))
    open_slots = bookable.open_slots(window.widened(1440, 1440))
    zone = bookable.zone
    while start + timedelta(minutes=minutes) <= window.ends_at and len(out) < most:
        slot = Slot(start, start + timedelta(minutes=minutes))
        start += timedelta(minutes=15)
        broken = conflicts.find_broken_rules(slot, entry, open_slots, zone=zone, now=NOW)
        if not broken and claims.find_place(session, bookable, slot, now=NOW).unit is not None:
            out.append(slot)
            start = slot.ends_at
    return out


def test_the_summary_follows_every_claim_that_comes_moves_and_goes(session: Session, lab: Lab) -> None:
    entry = make_equipment(session, lab)
    first = claim(session, entry, Slot(at(24, 7, 40), at(24, 9, 10)))
    claim(session, entry, Slot(at(24, 23), at(26, 1)))
    claim(session, entry, Slot(at(24, 9, 10), at(24, 9, 20)))
    claim(session, entry, Slot(at(27, 7), at(27, 9)), is_block=True)
    assert check_unit_days(session) == []

    first.starts_at, first.ends_at = at(24, 10), at(25, 9) - timedelta(hours=10)
    session.flush()
    assert check_unit_days(session) == []

    session.execute(delete(Occupancy))
    assert session.query(UnitDay).all() == []


def test_the_check_finds_a_summary_that_is_wrong(session: Session, lab: Lab) -> None:
    claim(session, make_equipment(session, lab), Slot(at(24, 8), at(24, 9)))
    session.execute(update(UnitDay).values(claimed=1))

    assert len(check_unit_days(session)) == 1


def test_half_hours_are_those_that_lie_wholly_in_a_slot() -> None:
    slot = Slot(datetime(1970, 1, 2, 23, 20, tzinfo=UTC), datetime(1970, 1, 3, 0, 45, tzinfo=UTC))

    assert half_hours(slot) == {1: 1 << 47, 2: 1}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("day_from=25:00", "day_from"), ("day_from=aa", "day_from"), ("day_to=12:60", "day_to"),
        ("day_from=13:00&day_to=13:00", "day_to"), ("weekday=7", "weekday"), ("minutes=-5", "minutes"),
        ("minutes=0", "minutes"), ("price_max=-1", "price_max"), ("limit=0", "limit"), ("limit=101", "limit"),
        ("sort=cheap", "sort"), ("cursor=zz", "cursor"), ("to=2031-01-01T00:00:00Z", "to"),
        ("to=2020-01-01T00:00:00Z", "to"), ("day_from=%EF%BC%91%EF%BC%93:00", "day_from"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_its_field(stage: Stage, query: str, field: str) -> None:
    base = {"from": "2026-11-24T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
    asked = base | dict(part.split("=") for part in query.replace("%EF%BC%91%EF%BC%93", "１３").split("&"))

    answer = stage.browser(None).get("/api/v1/availability", params=asked)

    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert field in [body.get("field"), *(reason["field"] for reason in body.get("reasons", []))], body
