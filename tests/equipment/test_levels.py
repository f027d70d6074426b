"""Rules, hours and prices by level; seasons, closures, the shared calendar; and what follows from a change."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.db import read_session, unit_of_work
from core.errors import Forbidden, Refusal
from core.slot import Slot, local_day
from equipment import policies, price_lists, queries, timetables
from equipment.describing import describe, read_description, save_units
from equipment.errors import LastUnit, RuleInvalid, RulesContradict, SavedMeanwhile, TariffInPast
from equipment.models import ApprovalMode, CalendarYear, ChargeUnit, DayKind, Equipment, Lab, Tariff, Tier
from equipment.price_lists import read_tariff
from equipment.scopes import Level, Scope, find_scope
from equipment.tariffs import tariff_on
from equipment.timetables import Hours, read_season_day, read_stretches
from members.actor import Actor
from members.models import Organisation
from tests.cast import Cast, actor_of


@pytest.fixture
def manager(engine: Engine, cast: Cast) -> Actor:
    return actor_of(engine, cast.manager)


def scope_of(session: Session, actor: Actor, level: Level, cast: Cast) -> Scope:
    ids: dict[Level, UUID] = {
        Level.EQUIPMENT: cast.sem.public_id, Level.LAB: session.get_one(Lab, cast.sem.lab_id).public_id,
        Level.INSTITUTION: session.get_one(Organisation, cast.sem.owner_id).public_id,
    }  # fmt: skip
    return find_scope(session, actor, level, ids[level])


def entry_of(session: Session, cast: Cast) -> Equipment:
    return queries.get_equipment_by_id(session, cast.sem.id)


def test_the_nearest_level_that_says_something_counts(
    engine: Engine, cast: Cast, manager: Actor, now: datetime
) -> None:
    def set_at(level: Level, **own: object) -> Equipment:
        with unit_of_work(engine) as session:
            policies.set_rules(session, manager, scope_of(session, manager, level, cast), own, now=now)
        with read_session(engine) as session:
            assert policies.find_stale_rules(session) == []
            return entry_of(session, cast)

    assert set_at(Level.INSTITUTION, lead_minutes=60, horizon_days=30).lead_minutes == 60
    found = set_at(Level.LAB, lead_minutes=120)
    assert (found.lead_minutes, found.horizon_days) == (120, 30)
    assert set_at(Level.EQUIPMENT, lead_minutes=0).lead_minutes == 0
    assert set_at(Level.EQUIPMENT).lead_minutes == 120
    assert set_at(Level.LAB).lead_minutes == 60
    assert set_at(Level.INSTITUTION).horizon_days == 90


@pytest.mark.parametrize(
    ("own", "error"),
    [
        ({"step_minutes": 0}, RuleInvalid), ({"cancel_fee_bp": 10_001}, RuleInvalid), ({"horizon_days": -1}, RuleInvalid),
        ({"length_minutes_min": 600}, RulesContradict), ({"approval_mode": "later"}, RuleInvalid),
        ({"lead_minutes": True}, RuleInvalid), ({"lead_minutes": None}, RuleInvalid),
    ],
)  # fmt: skip
def test_impossible_rules_are_refused(
    engine: Engine, cast: Cast, manager: Actor, now: datetime, own: dict[str, object], error: type[Refusal]
) -> None:
    with pytest.raises(error), unit_of_work(engine) as session:
        policies.set_rules(session, manager, scope_of(session, manager, Level.EQUIPMENT, cast), own, now=now)


def test_a_row_that_somebody_changed_past_the_levels_is_found(engine: Engine, cast: Cast, manager: Actor) -> None:
    with unit_of_work(engine) as session:
        session.execute(update(Equipment).where(Equipment.id == cast.sem.id).values(lead_minutes=7))

    with read_session(engine) as session:
        assert policies.find_stale_rules(session) == [cast.sem.asset_number]


def test_other_labs_are_not_ones_own(engine: Engine, cast: Cast) -> None:
    for person in (cast.other_manager, cast.operator, cast.owner, cast.finance):
        actor = actor_of(engine, person)
        with read_session(engine) as session, pytest.raises(Forbidden):
            find_scope(session, actor, Level.EQUIPMENT, cast.sem.public_id)


def open_minutes(session: Session, cast: Cast, on: str) -> int:
    entry = entry_of(session, cast)
    window = local_day(date.fromisoformat(on), price_lists.ZONE)
    return sum(slot.minutes for slot in queries.read_calendar(session, window).open_slots(entry, window))


def test_a_season_replaces_the_years_hours_on_its_days(
    engine: Engine, cast: Cast, manager: Actor, now: datetime
) -> None:
    hours = [Hours(day, 510, 720) for day in range(5)] + [
        Hours(day, 540, 600, True, 501, 930) for day in range(5)
    ]  # fmt: skip
    with unit_of_work(engine) as session:
        timetables.set_hours(session, manager, scope_of(session, manager, Level.EQUIPMENT, cast), hours, now=now)

    with read_session(engine) as session:
        assert open_minutes(session, cast, "2027-04-30") == 210
        assert open_minutes(session, cast, "2027-05-03") == 60
        assert open_minutes(session, cast, "2027-09-30") == 60
        assert open_minutes(session, cast, "2027-10-11") == 210


def test_a_season_over_the_new_year(engine: Engine, cast: Cast, manager: Actor, now: datetime) -> None:
    hours = [Hours(day, 0, 600, False) for day in range(7)] + [Hours(0, 0, 60, False, 1220, 110)]
    with unit_of_work(engine) as session:
        timetables.set_hours(session, manager, scope_of(session, manager, Level.EQUIPMENT, cast), hours, now=now)

    with read_session(engine) as session:
        assert open_minutes(session, cast, "2026-12-28") == 60
        assert open_minutes(session, cast, "2027-01-04") == 60
        assert open_minutes(session, cast, "2027-01-05") == 0
        assert open_minutes(session, cast, "2027-01-11") == 600


def test_without_its_own_hours_the_labs_count(engine: Engine, cast: Cast, manager: Actor, now: datetime) -> None:
    with unit_of_work(engine) as session:
        timetables.set_hours(
            session, manager, scope_of(session, manager, Level.LAB, cast), [Hours(1, 600, 660)], now=now
        )
        assert open_minutes(session, cast, "2026-11-24") == 420
        timetables.set_hours(session, manager, scope_of(session, manager, Level.EQUIPMENT, cast), [], now=now)

    with read_session(engine) as session:
        assert open_minutes(session, cast, "2026-11-24") == 60


@pytest.mark.parametrize("level", list(Level))
def test_a_closure_of_any_level_closes(engine: Engine, cast: Cast, manager: Actor, now: datetime, level: Level) -> None:
    slot = Slot(now + timedelta(hours=1), now + timedelta(days=2))
    with unit_of_work(engine) as session:
        scope = scope_of(session, manager, level, cast)
        closure = timetables.add_closure(session, manager, scope, slot, reason="校庆", now=now)
        assert open_minutes(session, cast, "2026-11-25") == 0
        timetables.drop_closure(session, manager, scope, closure.public_id, now=now)

    with read_session(engine) as session:
        assert open_minutes(session, cast, "2026-11-25") == 420


def test_a_holiday_closes_and_a_make_up_day_opens(engine: Engine, cast: Cast, now: datetime) -> None:
    zone = actor_of(engine, cast.zone)
    with unit_of_work(engine) as session:
        taken = timetables.take_days(
            session, zone, "日期,类型,名称\n2026-11-25, off, 某节, Some day\n2026-11-28，班\n", now=now
        )
        assert taken == 2

    with read_session(engine) as session:
        assert open_minutes(session, cast, "2026-11-25") == 0
        assert open_minutes(session, cast, "2026-11-28") == 420
        assert queries.find_official_years(session, {2026}) == frozenset()
    with unit_of_work(engine) as session:
        timetables.save_year(session, zone, 2026, is_official=True, source="国办发明电", now=now)
        timetables.save_day(session, zone, date(2026, 11, 28), None, name_zh="", name_en="", now=now)
    with read_session(engine) as session:
        assert queries.find_official_years(session, {2026, 2027}) == {2026}
        assert open_minutes(session, cast, "2026-11-28") == 0
        assert session.get_one(CalendarYear, 2026).source == "国办发明电"
        assert {day.kind for day in queries.find_days_of_year(session, 2026)} == {DayKind.OFF}


@pytest.mark.parametrize(
    ("text", "found"),
    [("08:30-12:00, 14:00-17:30", [(510, 720), (840, 1050)]), ("0830–1200", [(510, 720)]), ("", []),
     ("22:00至24:00", [(1320, 1440)])],
)  # fmt: skip
def test_stretches_as_people_write_them(text: str, found: list[tuple[int, int]]) -> None:
    assert read_stretches(text, field="x") == found


@pytest.mark.parametrize("text", ["8-12", "12:00-08:00", "08:00-12:00,11:00-13:00", "08:61-09:00", "08:00-25:00", "x"])
def test_stretches_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Refusal):
        read_stretches(text, field="x")


def test_a_season_day_is_month_and_day() -> None:
    assert [read_season_day(text, field="x") for text in ("05-01", "2/29", "12.31")] == [501, 229, 1231]
    for text in ("13-01", "2-30", "mai"):
        with pytest.raises(Refusal):
            read_season_day(text, field="x")


FORM = {
    "rate_startup_hour": "300", "rate_internal_hour": "100.5", "minimum": "50", "rush_factor": "1.5", "rush_hours": "24",
    "band0_name": "夜间", "band0_time": "22:00-24:00", "band0_days": "01234", "band0_factor": "0.5",
}  # fmt: skip


def test_a_new_version_counts_from_its_day_and_the_old_one_stays(
    engine: Engine, cast: Cast, manager: Actor, now: datetime
) -> None:
    today = date(2026, 11, 24)
    text = read_tariff(FORM | {"effective_on": "2026-12-01"}, today=today)
    with unit_of_work(engine) as session:
        scope = scope_of(session, manager, Level.EQUIPMENT, cast)
        price_lists.write_tariff(session, manager, scope, text, now=now)

    with read_session(engine) as session:
        entry = entry_of(session, cast)
        assert entry.price_fen == 40_000
        before, after = tariff_on(entry.tariffs, date(2026, 11, 30)), tariff_on(entry.tariffs, date(2026, 12, 1))
        assert before is not None
        assert after is not None
        assert before.id != after.id
        prices = {(rate.tier, rate.charge_unit): rate.price_fen for rate in after.rates}
        assert prices == {(Tier.STARTUP, ChargeUnit.HOUR): 30_000, (Tier.INTERNAL, ChargeUnit.HOUR): 10_050}
        assert [(band.name, band.factor_bp) for band in after.bands] == [("夜间", 5_000)]
    with unit_of_work(engine) as session:
        assert price_lists.refresh_due_prices(session, now=now + timedelta(days=7), limit=100) == 1
    with read_session(engine) as session:
        assert entry_of(session, cast).price_fen == 30_000


def test_an_instrument_without_prices_takes_its_labs(engine: Engine, cast: Cast, manager: Actor, now: datetime) -> None:
    with unit_of_work(engine) as session:
        scope = scope_of(session, manager, Level.LAB, cast)
        price_lists.write_tariff(session, manager, scope, read_tariff(FORM, today=date(2026, 11, 24)), now=now)
    with read_session(engine) as session:
        own = tariff_on(entry_of(session, cast).tariffs, date(2026, 11, 24))
        assert own is not None
        assert own.equipment_id == cast.sem.id
        others = [tariff for tariff in entry_of(session, cast).tariffs if tariff.equipment_id is None]
        assert tariff_on(others, date(2026, 11, 24)) is not None
        assert tariff_on(others, date(2026, 11, 23)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"rate_startup_hour": "", "rate_internal_hour": ""}, {"rate_startup_hour": "贵"}, {"rate_startup_hour": "-1"},
        {"effective_on": "2026-11-23"}, {"effective_on": "x"}, {"band0_factor": "11"}, {"band0_days": ""},
        {"band0_time": "22:00-23:00,01:00-02:00"}, {"rush_factor": "0.5"}, {"rush_hours": "-1"}, {"minimum": "1.234"},
    ],
)  # fmt: skip
def test_impossible_prices_are_refused_at_their_field(change: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refusal:
        read_tariff(FORM | change, today=date(2026, 11, 24))
    assert refusal.value.field


def test_a_price_cannot_begin_in_the_past() -> None:
    with pytest.raises(TariffInPast):
        read_tariff(FORM | {"effective_on": "2026-11-23"}, today=date(2026, 11, 24))


def test_a_version_is_never_changed(engine: Engine, cast: Cast) -> None:
    with pytest.raises(DBAPIError, match="append_only"), unit_of_work(engine) as session:
        session.execute(update(Tariff).values(minimum_fen=1))


def test_who_saves_second_is_told_what_the_first_saved(
    engine: Engine, cast: Cast, manager: Actor, now: datetime
) -> None:
    with read_session(engine) as session:
        version = entry_of(session, cast).version
    form = {"name_zh": "场发射电镜", "category": "electron-microscope", "voucher_eligible": "1"}
    with unit_of_work(engine) as session:
        scope = scope_of(session, manager, Level.EQUIPMENT, cast)
        describe(session, manager, scope, read_description(form, ["self"]), version=version, now=now)

    with pytest.raises(SavedMeanwhile) as refusal, unit_of_work(engine) as session:
        values = read_description(form | {"name_zh": "电镜"}, ["self"])
        describe(session, manager, scope, values, version=version, now=now)

    assert refusal.value.fields["name"] == "林静"
    assert refusal.value.details["theirs"] == {"name_zh": "场发射电镜"}
    with read_session(engine) as session:
        (change,) = queries.find_changes(session, cast.sem.id)
        assert change.fields["name_zh"] == ["扫描电子显微镜", "场发射电镜"]
        assert change.person_id == cast.manager.id


def test_the_last_unit_of_a_bookable_instrument_stays(
    engine: Engine, cast: Cast, manager: Actor, now: datetime
) -> None:
    with read_session(engine) as session:
        key = entry_of(session, cast).units[0].id
    with pytest.raises(LastUnit), unit_of_work(engine) as session:
        scope = scope_of(session, manager, Level.EQUIPMENT, cast)
        save_units(session, manager, scope, {key: "一号"}, {key}, [""], now=now)
    with unit_of_work(engine) as session:
        save_units(session, manager, scope, {key: "一号"}, {key}, ["二号"], now=now)
    with read_session(engine) as session:
        units = entry_of(session, cast).units
        assert [(unit.label, unit.retired_at is not None) for unit in units] == [("一号", True), ("二号", False)]


def test_approval_by_the_lab_can_be_set_for_a_whole_lab(
    engine: Engine, cast: Cast, manager: Actor, now: datetime
) -> None:
    with unit_of_work(engine) as session:
        scope = scope_of(session, manager, Level.LAB, cast)
        own = {"approval_mode": ApprovalMode.AUTOMATIC}
        changed = policies.set_rules(session, manager, scope, own, now=now)
        assert changed == 1
    with read_session(engine) as session:
        modes = session.scalars(select(Equipment.approval_mode).where(Equipment.lab_id == cast.sem.lab_id)).all()
        assert set(modes) == {ApprovalMode.AUTOMATIC}
