"""Prices: bands of time, operator, start-up, minimum, rush; parts add up to the whole. Tables that a bookkeeper reads."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.pricing import (
    Line,
    LineKind,
    Use,
    is_rush,
    price_lines,
    price_use,
    read_quantities,
    split_by_bands,
    total_fen,
)
from equipment.models import ChargeUnit, ServiceMode, Tier

WUHAN = ZoneInfo("Asia/Shanghai")


@dataclass
class Rate:
    charge_unit: ChargeUnit
    price_fen: int
    tier: Tier = Tier.STARTUP


@dataclass
class Band:
    from_minute: int
    to_minute: int
    factor_bp: int
    weekdays: str = "0123456"
    name: str = "夜间"


@dataclass
class Tariff:
    rates: list[Rate]
    bands: list[Band] = field(default_factory=list)
    minimum_fen: int = 0
    setup_fen: int = 0
    operator_fen: int = 0
    rush_bp: int = 10_000
    rush_within_minutes: int = 0
    is_example: bool = False


def at(text: str) -> datetime:
    """Wall time in Wuhan."""
    return datetime.fromisoformat(text).replace(tzinfo=WUHAN).astimezone(UTC)


def use(start: str, end: str, mode: ServiceMode | None = None, *, rush: bool = False, **quantities: int) -> Use:
    amounts = {ChargeUnit(name): Decimal(number) for name, number in quantities.items()}
    return Use(at(start), at(end), WUHAN, amounts, mode, rush)


def shown(lines: list[Line]) -> list[tuple[str, str, int]]:
    return [(line.kind, line.quantity, line.amount_fen) for line in lines]


HOUR = [Rate(ChargeUnit.HOUR, 40_000)]
NIGHT = [Band(1320, 1440, 5_000), Band(0, 480, 5_000)]


def test_hours_are_split_where_the_night_begins() -> None:
    lines = price_lines(Tariff(HOUR, NIGHT), Tier.STARTUP, use("2026-11-24T20:00", "2026-11-25T01:00"))

    assert [(line.name, line.quantity, line.unit_price_fen, line.amount_fen) for line in lines] == [
        ("", "2", 40_000, 80_000), ("夜间", "2", 20_000, 40_000), ("夜间", "1", 20_000, 20_000)
    ]  # fmt: skip


def test_a_weekend_band_counts_on_its_days_and_the_first_band_wins() -> None:
    bands = [Band(0, 1440, 5_000, "56", "周末"), Band(540, 600, 15_000, "0123456", "高峰")]

    friday = price_lines(Tariff(HOUR, bands), Tier.STARTUP, use("2026-11-27T09:00", "2026-11-27T11:00"))
    saturday = price_lines(Tariff(HOUR, bands), Tier.STARTUP, use("2026-11-28T09:00", "2026-11-28T11:00"))

    assert [(line.name, line.amount_fen) for line in friday] == [("高峰", 60_000), ("", 40_000)]
    assert [(line.name, line.amount_fen) for line in saturday] == [("周末", 40_000)]


def test_operator_start_up_minimum_and_rush_stand_in_their_own_lines() -> None:
    tariff = Tariff(HOUR, minimum_fen=100_000, setup_fen=5_000, operator_fen=10_000, rush_bp=15_000)

    lines = price_lines(
        tariff, Tier.STARTUP, use("2026-11-24T09:00", "2026-11-24T10:00", ServiceMode.OPERATED, rush=True)
    )

    assert shown(lines) == [
        ("rate", "1", 40_000), ("operator", "1", 10_000), ("setup", "1", 5_000), ("minimum", "1", 45_000),
        ("rush", "1.5", 50_000),
    ]  # fmt: skip
    assert total_fen(lines) == 150_000


def test_who_runs_it_himself_pays_no_operator() -> None:
    lines = price_lines(
        Tariff(HOUR, operator_fen=9), Tier.STARTUP, use("2026-11-24T09:00", "2026-11-24T10:00", ServiceMode.SELF)
    )

    assert [line.kind for line in lines] == [LineKind.RATE]


@pytest.mark.parametrize(
    ("start", "rush"),
    [("2026-11-24T11:59", True), ("2026-11-25T09:59", True), ("2026-11-25T10:00", False), ("2026-11-23T10:00", False)],
)
def test_a_slot_is_in_a_rush_when_it_starts_soon(start: str, rush: bool) -> None:
    tariff = Tariff(HOUR, rush_bp=15_000, rush_within_minutes=24 * 60)

    assert is_rush(tariff, at(start), at("2026-11-24T10:00")) is rush


def test_without_a_tariff_or_a_rate_there_is_no_price() -> None:
    for tariff in (None, Tariff([Rate(ChargeUnit.HOUR, 1, Tier.INTERNAL)])):
        lines, _, broken = price_use(tariff, Tier.STARTUP, use("2026-11-24T09:00", "2026-11-24T10:00"), {})
        assert lines == []
        assert [error.code for error in broken] == ["price_missing"]


def test_the_hour_that_comes_twice_counts_twice() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 25, 0, 30, tzinfo=berlin).astimezone(UTC)
    night = Use(start, start + timedelta(hours=4), berlin, {})

    parts = split_by_bands(night, [Band(120, 180, 5_000)])

    assert [(band is not None, minutes) for band, minutes in parts] == [(False, 120), (True, 120)]


bands = st.lists(
    st.tuples(
        st.integers(0, 1438), st.integers(1, 1440), st.integers(0, 30_000), st.sampled_from(["01234", "56", "0123456"])
    )
    .filter(lambda found: found[0] < found[1])
    .map(lambda found: Band(*found)),
    max_size=4,
)


@given(bands, st.integers(0, 10_000), st.integers(1, 4_000), st.sampled_from(["Asia/Shanghai", "Australia/Lord_Howe"]))
def test_every_minute_lies_in_one_part(found: list[Band], start: int, minutes: int, zone: str) -> None:
    begin = datetime(2026, 9, 28, tzinfo=UTC) + timedelta(minutes=start)

    parts = split_by_bands(Use(begin, begin + timedelta(minutes=minutes), ZoneInfo(zone), {}), found)

    assert sum(number for _, number in parts) == minutes
    assert all(number > 0 for _, number in parts)


@given(st.integers(0, 10**7), st.integers(1, 3_000), st.integers(0, 10**6), st.integers(10_000, 30_000))
def test_lines_add_up_to_at_least_the_minimum(price: int, minutes: int, minimum: int, rush: int) -> None:
    begin = at("2026-11-24T09:00")
    asked = Use(begin, begin + timedelta(minutes=minutes), WUHAN, {}, None, is_rush=True)

    lines = price_lines(Tariff([Rate(ChargeUnit.HOUR, price)], minimum_fen=minimum, rush_bp=rush), Tier.STARTUP, asked)

    assert total_fen(lines) >= minimum
    assert all(line.amount_fen >= 0 for line in lines)


@pytest.mark.parametrize(
    ("unit", "raw", "code"),
    [
        ("sample", 1, ""), ("sample", "10", ""), ("sample", 2.0, ""), ("gram", "2.125", ""), ("gram", 0.5, ""),
        ("card_hour", 1.5, ""), ("sample", True, "quantity_invalid"), ("sample", "1_0", "quantity_invalid"),
        ("sample", "1e2", "quantity_invalid"), ("sample", "+1", "quantity_invalid"), ("sample", "１", "quantity_invalid"),
        ("sample", -1, "quantity_invalid"), ("gram", "0.0001", "quantity_invalid"), ("gram", 1e308, "quantity_invalid"),
        ("sample", 2.5, "quantity_not_whole"), ("run", "1.5", "quantity_not_whole"),
        ("channel_day", 0.5, "quantity_not_whole"), ("day", 2, "quantity_from_slot"), ("hour", 2, "quantity_from_slot"),
        ("metre", 2, "quantity_unknown"),
    ],
)  # fmt: skip
def test_a_quantity_is_a_plain_number_and_whole_where_things_are_counted(unit: str, raw: object, code: str) -> None:
    asked_unit = ChargeUnit(unit) if unit in set(ChargeUnit) else ChargeUnit.SAMPLE
    rates = {found: Rate(found, 100) for found in {asked_unit, ChargeUnit.HOUR}}

    _amounts, broken = read_quantities({unit: raw}, rates)

    assert [rule.code for rule in broken if rule.code != "quantity_missing"] == ([code] if code else [])
