"""Lengths, nights and codes as people type and read them."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from core.i18n import LANGS, Lang
from equipment.bands import Band, joined_bands, read_bands, split_band
from equipment.exporting.report import Finding, group_findings
from equipment.hour_words import opening_rows, week_stretches
from equipment.lengths import read_length, write_length
from equipment.rule_words import read_rule
from equipment.rules import RULES
from equipment.timetables import Hours, read_hours_text, read_stretches, split_nights
from equipment.words import country_name, value_text


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("3 d", 4320), ("48 h", 2880), ("30 min", 30), ("3 天", 4320), ("48 小时", 2880), ("30 分钟", 30), ("90", 90),
     ("1.5h", 90), ("1 天 12 小时", 2160), ("2 h 30 min", 150), ("３天", 4320), ("0", 0), ("2 Days", 2880)],
)  # fmt: skip
def test_a_length_is_read_as_people_write_it(text: str, minutes: int) -> None:
    assert read_length(text) == minutes


@pytest.mark.parametrize("text", ["", "x", "-3", "1 2", "3 d 5", "0.3 min", "3 weeks", "d", "1e9", "3 d!"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        read_length(text)


@given(minutes=st.integers(0, 900 * 1440), lang=st.sampled_from(LANGS))
def test_a_length_that_is_shown_is_read_back(minutes: int, lang: Lang) -> None:
    assert read_length(write_length(minutes, lang)) == minutes


def test_a_rule_in_days_takes_whole_days_with_and_without_their_unit() -> None:
    horizon = RULES["horizon_days"]
    assert [read_rule(horizon, text) for text in ("90", "90 天", "48 h")] == [90, 90, 2]
    for text in ("36 h", "soon"):
        with pytest.raises(Refusal):
            read_rule(horizon, text)


def test_a_night_is_kept_in_two_parts_and_shown_as_one() -> None:
    typed = {day: read_stretches("22:00-06:00", field="x", overnight=True) for day in range(5)}

    parts = [Hours(*part) for part in split_nights(typed, field="year_%s")]

    assert (0, 1320, 1440) in {(part.weekday, part.opens_minute, part.closes_minute) for part in parts}
    assert (5, 0, 360) in {(part.weekday, part.opens_minute, part.closes_minute) for part in parts}
    assert week_stretches(parts) == {day: [(1320, 1800)] for day in range(5)}
    assert opening_rows(parts, "zh-CN") == [{"label": "周一至周五", "value": "22:00–06:00"}]


def test_a_day_and_night_stays_whole() -> None:
    parts = [Hours(day, 0, 1440) for day in range(7)]
    assert opening_rows(parts, "en") == [{"label": "every day", "value": "00:00–24:00"}]


def test_a_night_that_runs_into_the_morning_is_refused_at_the_morning() -> None:
    typed = {0: [(1320, 1800)], 1: [(300, 720)]}
    with pytest.raises(Refusal) as refusal:
        split_nights(typed, field="year_%s")
    assert refusal.value.field == "year_1"


def test_a_band_across_midnight_is_two_rows_and_comes_back_as_one() -> None:
    form = {"band0_name": "夜间", "band0_time": "22:00-06:00", "band0_days": "0246", "band0_factor": "0.5"}

    rows = read_bands(form)

    assert [(row.weekdays, row.from_minute, row.to_minute) for row in rows] == [
        ("0246", 1320, 1440), ("0135", 0, 360)
    ]  # fmt: skip
    (band,) = joined_bands(rows)
    assert (band.weekdays, band.from_minute, band.to_minute, band.factor_bp) == ("0246", 1320, 1800, 5_000)


def test_bands_that_only_look_alike_stay_apart() -> None:
    evening, morning = Band("夜", "0", 1320, 1440, 5_000), Band("夜", "2", 0, 360, 5_000)
    assert joined_bands([evening, morning]) == [evening, morning]
    assert split_band(evening) == [evening]


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [("840", "美国", "United States"), ("DEU", "德国", "Germany"), ("jp", "日本", "Japan"), ("德国", "德国", "德国"),
     ("000", "000", "000")],
)  # fmt: skip
def test_a_country_is_named_and_a_text_stays(code: str, zh: str, en: str) -> None:
    assert (country_name(code, "zh-CN"), country_name(code, "en")) == (zh, en)


@dataclass(frozen=True)
class Case:
    name: str
    value: object
    zh: str
    en: str


@pytest.mark.parametrize(
    "case",
    [
        Case("lead_minutes", 4320, "3 天", "3 days"), Case("cancel_fee_bp", 1250, "12.5 %", "12.5 %"),
        Case("approval_mode", "lab", "实验室审批", "by the lab"), Case("country", "840", "美国", "United States"),
        Case("added", "csv", "来自清单", "from a list"), Case("is_bookable", True, "是", "yes"),
    ],
    ids=lambda case: case.name,
)  # fmt: skip
def test_a_value_is_told_in_the_readers_words(case: Case) -> None:
    assert value_text(case.value, case.name, "en") == case.en
    assert value_text(case.value, case.name, "zh-CN") == case.zh


def test_hours_of_the_history_are_read_back() -> None:
    assert read_hours_text("0501-0930 4 14:00-17:30*") == Hours(4, 840, 1050, False, 501, 930)
    assert read_hours_text("Friday") is None


def test_findings_stand_together_by_column_with_their_first_few() -> None:
    findings = [Finding(f"A{number}", "邮编", "missing") for number in range(900)]
    findings += [Finding("B", "仪器编号", "clash"), Finding("A1", "用户须知", "cut", "long", "lo")]

    groups = group_findings(findings)

    assert [(group.column, group.code, group.count) for group in groups] == [
        ("仪器编号", "clash", 1), ("邮编", "missing", 900), ("用户须知", "cut", 1)
    ]  # fmt: skip
    assert [finding.asset_number for finding in groups[1].first] == ["A0", "A1", "A2", "A3", "A4"]
