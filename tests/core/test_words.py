"""Dates, slots and money in both languages; every text has its Chinese."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic_core._pydantic_core import list_all_errors

from core.formats import format_date, format_instant, format_length, format_money, format_slot, format_soon
from core.i18n import Lang, chinese, choose_language
from core.pydantic_texts import PYDANTIC_TEXTS
from core.slot import Slot
from web.checks import check_inline, check_templates, check_translations

WUHAN = ZoneInfo("Asia/Shanghai")
SLOT = Slot(datetime(2026, 11, 26, 6, tzinfo=UTC), datetime(2026, 11, 26, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("lang", "expected"), [("zh-CN", "11 月 26 日 周四 14:00–16:00"), ("en", "Thu 26 Nov 14:00–16:00")]
)
def test_a_slot_reads_as_people_say_it(lang: Lang, expected: str) -> None:
    assert format_slot(SLOT, lang, WUHAN) == expected


def test_midnight_is_the_end_of_its_day() -> None:
    slot = Slot(datetime(2026, 11, 26, 12, tzinfo=UTC), datetime(2026, 11, 26, 16, tzinfo=UTC))
    over = Slot(datetime(2026, 11, 26, 12, tzinfo=UTC), datetime(2026, 11, 26, 18, tzinfo=UTC))

    assert format_slot(slot, "zh-CN", WUHAN) == "11 月 26 日 周四 20:00–24:00"
    assert format_slot(over, "en", WUHAN) == "Thu 26 Nov 20:00 – Fri 27 Nov 02:00"


def test_near_times_are_short() -> None:
    now = datetime(2026, 11, 24, 2, tzinfo=UTC)

    assert format_soon(now, "zh-CN", WUHAN, now=now) == "今天 10:00"
    assert format_soon(SLOT.starts_at, "zh-CN", WUHAN, now=now) == "周四 14:00"
    assert format_soon(datetime(2026, 12, 2, 6, tzinfo=UTC), "en", WUHAN, now=now) == "Wed 2 Dec 14:00"


def test_lengths_money_and_dates() -> None:
    assert [format_length(m, "zh-CN") for m in (30, 60, 90, 4320)] == ["30 分钟", "1 小时", "1.5 小时", "3 天"]
    assert format_money(-123_456) == "−¥1,234.56"
    assert format_date(SLOT.starts_at.date(), "en", year=True) == "Thu 26 Nov 2026"
    assert format_instant(SLOT.starts_at, "zh-CN", WUHAN, year=True) == "2026 年 11 月 26 日 周四 14:00"


@pytest.mark.parametrize(
    ("chosen", "asked", "expected"),
    [
        ("en", "zh-CN", "en"), (None, "zh-TW;q=0.9,en;q=0.8", "zh-CN"), (None, "en-GB", "en"), (None, "", "zh-CN"),
        (None, "fr;q=1,en;q=x,*", "zh-CN"), ("xx", "en", "en"),
    ],
)  # fmt: skip
def test_the_language_is_chosen_then_asked_then_chinese(chosen: str | None, asked: str, expected: str) -> None:
    assert choose_language(chosen, asked) == expected


def test_every_text_has_its_chinese_and_every_template_compiles() -> None:
    assert [*check_templates(), *check_translations(), *check_inline()] == []


def test_every_error_of_pydantic_has_a_sentence_in_both_languages() -> None:
    kinds = {error["type"] for error in list_all_errors()}

    assert kinds - PYDANTIC_TEXTS.keys() == set()
    assert [text for text in PYDANTIC_TEXTS.values() if not chinese().get(text)] == []
