"""Rules, hours and prices on their pages: who saves second is told, what is kept comes back in words."""

import re
from datetime import timedelta
from typing import Any

import pytest

from core.db import read_session
from equipment import queries
from equipment.models import Lab
from members.models import Organisation
from tests.cast import Cast, Stage
from tests.equipment.test_pages import FACTS, Desk, edit_path


@pytest.fixture
def desk(stage: Stage, cast: Cast) -> Desk:
    return Desk(stage, cast.manager)


def field(page: str, name: str) -> str:
    """The value of the first input of a name, as it stands on a page."""
    tag = next(tag for tag in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in tag)
    return tag.split('value="', 1)[1].split('"', 1)[0]


def level_paths(stage: Stage, cast: Cast) -> list[str]:
    with read_session(stage.engine) as session:
        lab = session.get_one(Lab, cast.sem.lab_id).public_id
        owner = session.get_one(Organisation, cast.sem.owner_id).public_id
    return [f"/equipment/{cast.sem.public_id}", f"/labs/{lab}", f"/institutions/{owner}"]


TYPED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "rules": ({"own": ["lead_minutes"], "lead_minutes": "3 d"}, {"own": ["lead_minutes"], "lead_minutes": "5 h"}, "3 days"),
    "hours": ({"year_0": "09:00-10:00"}, {"year_0": "13:00-14:00"}, "09:00-10:00"),
    "prices": ({"rate_startup_hour": "311"}, {"rate_startup_hour": "322"}, "¥311.00/hour"),
}  # fmt: skip


@pytest.mark.parametrize("part", list(TYPED))
def test_who_saves_a_level_second_is_warned_and_keeps_what_was_typed(
    stage: Stage, cast: Cast, desk: Desk, part: str
) -> None:
    first, second, theirs = TYPED[part]
    for level in level_paths(stage, cast):
        path = f"{level}/{part}"
        seen = field(desk.get(path).text, "seen")
        assert desk.post(path, **first, seen=seen).status_code == 303

        warned = desk.post(path, **second, seen=seen)

        assert warned.status_code == 409, path
        assert "林静 saved this meanwhile" in warned.text
        assert theirs in warned.text
        typed = next(value for name, value in second.items() if name != "own")
        assert f'value="{typed}"' in warned.text
        assert desk.post(path, **second, seen=field(warned.text, "seen")).status_code == 303


def test_a_refused_form_still_knows_what_its_reader_saw(stage: Stage, cast: Cast, desk: Desk) -> None:
    path = edit_path(cast, "hours")
    seen = field(desk.get(path).text, "seen")
    assert desk.post(path, year_0="09:00-10:00", seen=seen).status_code == 303

    refused = desk.post(path, year_0="9-5", seen=seen)

    assert refused.status_code == 422
    assert desk.post(path, year_0="09:00-17:00", seen=field(refused.text, "seen")).status_code == 409


def test_lengths_are_typed_with_their_units(cast: Cast, desk: Desk) -> None:
    rules = edit_path(cast, "rules")
    names = ["lead_minutes", "horizon_days", "decide_minutes"]
    assert (
        desk.post(rules, own=names, lead_minutes="30 min", horizon_days="60 天", decide_minutes="2 天").status_code
        == 303
    )
    page = desk.get(rules).text
    for words in ('value="30 min"', 'value="60 days"', 'value="2 days"'):
        assert words in page
    wrong = desk.post(rules, own=["lead_minutes"], lead_minutes="soon")
    assert wrong.status_code == 422
    assert "30 min, 48 h or 3 d" in wrong.text


def test_hours_across_midnight_come_back_as_typed(stage: Stage, cast: Cast, desk: Desk) -> None:
    hours = edit_path(cast, "hours")
    assert desk.post(hours, year_0="08:30-12:00, 22:00-06:00", year_6="20:00-24:00").status_code == 303
    page = desk.get(hours).text
    assert 'value="08:30-12:00, 22:00-06:00"' in page
    with read_session(stage.engine) as session:
        rows = {
            (h.weekday, h.opens_minute, h.closes_minute)
            for h in queries.get_equipment_by_id(session, cast.sem.id).hours
        }
    assert rows == {(0, 510, 720), (0, 1320, 1440), (1, 0, 360), (6, 1200, 1440)}
    assert desk.post(hours, year_0="22:00-06:00", year_1="05:00-09:00").status_code == 422


def test_a_closed_day_shows_nothing_that_looks_like_hours(stage: Stage, cast: Cast, desk: Desk) -> None:
    equipment, lab, _ = level_paths(stage, cast)
    assert desk.post(f"{lab}/hours", year_1="10:00-11:00").status_code == 303
    assert desk.post(f"{equipment}/hours").status_code == 303
    page = desk.get(f"{equipment}/hours").text
    assert "placeholder" not in page
    assert "Those of the lab count:" in page
    assert "10:00–11:00" in page


def test_a_version_to_come_is_begun_from_replaced_and_withdrawn(stage: Stage, cast: Cast, desk: Desk) -> None:
    path = edit_path(cast, "prices")
    on = (stage.clock.now() + timedelta(days=40)).date().isoformat()
    assert desk.post(path, rate_startup_hour="555", effective_on=on).status_code == 303
    page = desk.get(path).text
    assert field(page, "rate_startup_hour") == "555.00"
    assert field(page, "effective_on") == on
    assert "to come" in page
    tariff = field(page, "tariff")

    assert desk.post(f"{path}/withdrawal", tariff=tariff).status_code == 303

    page = desk.get(path).text
    assert field(page, "rate_startup_hour") == "400.00"
    assert "as before" in page
    assert "replaced" in page
    assert 'name="tariff"' not in page
    assert desk.post(f"{path}/withdrawal", tariff="x").status_code == 404
    assert desk.post(f"{path}/withdrawal", tariff="01990000-0000-7000-8000-000000000000").status_code == 409


def test_prices_of_a_level_that_had_none_cannot_be_withdrawn(stage: Stage, cast: Cast, desk: Desk) -> None:
    path = f"{level_paths(stage, cast)[1]}/prices"
    on = (stage.clock.now() + timedelta(days=40)).date().isoformat()
    assert desk.post(path, rate_startup_hour="555", effective_on=on).status_code == 303
    assert 'name="tariff"' not in desk.get(path).text


def test_more_bands_than_two_are_entered_one_save_after_the_other(cast: Cast, desk: Desk) -> None:
    path = edit_path(cast, "prices")
    bands: dict[str, Any] = {}
    for number in range(4):
        bands |= {f"band{number}_name": f"夜 {number}", f"band{number}_time": "22:00-06:00",
                  f"band{number}_days": [str(number)], f"band{number}_factor": "0.5"}  # fmt: skip
        assert f'name="band{number}_name"' in desk.get(path).text
        assert desk.post(path, rate_startup_hour="300", **bands).status_code == 303
    page = desk.get(path).text
    assert field(page, "band3_time") == "22:00-06:00"
    assert 'name="band5_name"' in page
    assert "22:00–06:00" in desk.get(f"/equipment/{cast.sem.public_id}").text


def test_the_history_speaks_words(stage: Stage, cast: Cast, desk: Desk) -> None:
    on = (stage.clock.now() + timedelta(days=40)).date()
    assert desk.post(edit_path(cast), **FACTS, version="1", country="840").status_code == 303
    assert desk.post(edit_path(cast, "hours"), year_0="08:30-12:00", year_1="08:30-12:00").status_code == 303
    assert desk.post(edit_path(cast, "rules"), own=["lead_minutes"], lead_minutes="3 d").status_code == 303
    assert desk.post(edit_path(cast, "prices"), rate_startup_hour="400", effective_on=on.isoformat()).status_code == 303

    english = desk.get(edit_path(cast, "history")).text
    chinese = Desk(stage, cast.manager, "zh-CN").get(edit_path(cast, "history")).text

    for words in ("Mon–Tue 08:30–12:00", "3 days", "not set here", "¥400.00/hour", "United States"):
        assert words in english
    for words in ("周一至周二 08:30–12:00", "3 天", "此处未设", "¥400.00/小时", "美国"):
        assert words in chinese
    assert "0 08:30" not in english
    with read_session(stage.engine) as session:
        keys = [str(tariff.public_id) for tariff in queries.get_equipment_by_id(session, cast.sem.id).tariffs]
    assert not any(key in english for key in keys)


@pytest.mark.parametrize(("name", "value"), [("contact_email", "<script>"), ("class_code", "999999")])
def test_what_is_no_address_and_no_class_is_refused(cast: Cast, desk: Desk, name: str, value: str) -> None:
    assert desk.post(edit_path(cast), **(FACTS | {name: value}), version="1").status_code == 422


def test_a_list_of_days_in_which_nothing_was_read_is_not_saved(stage: Stage, cast: Cast) -> None:
    zone = Desk(stage, cast.zone)
    assert zone.post("/zone/calendar/days", year="2027", days="abc").status_code == 422
    assert zone.post("/zone/calendar/days", year="2027", days="日期,类型\nabc, off").status_code == 422
