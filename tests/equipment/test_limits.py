"""Limits of booking on their pages and as JSON: who may set them, what is kept, who saves second."""

import pytest

from core.db import read_session
from equipment import limiting, queries
from equipment.limits import Reach
from equipment.models import Lab, LimitSubject, Period
from tests.cast import Cast, Stage
from tests.equipment.test_level_pages import field
from tests.equipment.test_pages import Desk


def lab_path(stage: Stage, cast: Cast) -> str:
    with read_session(stage.engine) as session:
        return f"/labs/{session.get_one(Lab, cast.sem.lab_id).public_id}"


def test_limits_of_all_three_places_count_together(stage: Stage, cast: Cast) -> None:
    manager = Desk(stage, cast.manager)
    zone = Desk(stage, cast.zone)
    assert manager.post(f"/equipment/{cast.sem.public_id}/limits", person_day_bookings="1").status_code == 303
    assert manager.post(f"{lab_path(stage, cast)}/limits", company_week_minutes="20").status_code == 303
    assert zone.post("/zone/limits", company_month_bookings="30").status_code == 303

    with read_session(stage.engine) as session:
        entry = queries.get_equipment_by_id(session, cast.sem.id)
        found = limiting.find_limits(session, entry.id, entry.lab_id)
        elsewhere = limiting.find_limits(session, cast.foreign.id, cast.foreign.lab_id)

    assert list(found) == [
        (Reach.EQUIPMENT, LimitSubject.PERSON, Period.DAY, 1, None),
        (Reach.LAB, LimitSubject.COMPANY, Period.WEEK, None, 1200),
        (Reach.ZONE, LimitSubject.COMPANY, Period.MONTH, 30, None),
    ]
    assert [limit.reach for limit in elsewhere] == [Reach.ZONE]


def test_a_change_stands_in_the_history_and_in_the_trail(stage: Stage, cast: Cast) -> None:
    desk = Desk(stage, cast.manager)
    path = f"/equipment/{cast.sem.public_id}"
    desk.post(f"{path}/limits", person_day_bookings="1", company_month_minutes="2 d")

    history = desk.get(f"{path}/history").text

    assert "Limits changed" in history
    assert "Bookings of a person in a day" in history
    assert "2 days" in history
    assert "Limits set" in Desk(stage, cast.zone).get("/zone/audit").text


@pytest.mark.parametrize(
    "typed",
    [{"person_day_bookings": "0"}, {"person_day_bookings": "-1"}, {"person_day_bookings": "１"},
     {"company_day_minutes": "soon"}, {"company_month_minutes": "32 d"}, {"person_day_bookings": "99999999999"}],
)  # fmt: skip
def test_what_is_no_limit_is_refused_at_its_field(stage: Stage, cast: Cast, typed: dict[str, str]) -> None:
    desk = Desk(stage, cast.manager)

    refused = desk.post(f"/equipment/{cast.sem.public_id}/limits", **typed)

    assert refused.status_code == 422
    assert "up to 31 days" in refused.text
    assert f'value="{next(iter(typed.values()))}"' in refused.text


def test_who_saves_second_is_warned(stage: Stage, cast: Cast) -> None:
    desk = Desk(stage, cast.manager)
    path = f"{lab_path(stage, cast)}/limits"
    seen = field(desk.get(path).text, "seen")
    assert desk.post(path, seen=seen, person_day_bookings="1").status_code == 303

    warned = desk.post(path, seen=seen, person_day_bookings="2")

    assert warned.status_code == 409
    assert desk.post(path, seen=field(warned.text, "seen"), person_day_bookings="2").status_code == 303


def test_json_reads_and_sets_them_whole(stage: Stage, cast: Cast) -> None:
    api = stage.api(cast.manager)
    path = lab_path(stage, cast) + "/limits"
    limit = {"subject": "person", "period": "week", "bookings_max": 2, "minutes_max": None}

    written = api("PUT", path, {"limits": [limit]})
    stale = api("PUT", path, {"limits": [], "seen": "0"})
    emptied = api("PUT", path, {"limits": [], "seen": written.json()["seen"]})

    assert written.json()["limits"] == [limit]
    assert (stale.status_code, stale.json()["code"]) == (409, "saved_meanwhile")
    assert emptied.json()["limits"] == api.get(path).json()["limits"] == []
    of_week = limit | {"subject": "company"}
    assert api("PUT", f"/equipment/{cast.sem.public_id}/limits", {"limits": [of_week]}).status_code == 422


def test_the_same_limit_twice_is_refused(stage: Stage, cast: Cast) -> None:
    limit = {"subject": "person", "period": "week", "bookings_max": 2}

    refused = stage.api(cast.zone)("PUT", "/zone/limits", {"limits": [limit, limit]})

    assert (refused.status_code, refused.json()["code"]) == (422, "limit_invalid")


def test_a_foreign_lab_sets_nothing(stage: Stage, cast: Cast) -> None:
    limits = {"limits": [{"subject": "person", "period": "day", "bookings_max": 1}]}
    for path in (lab_path(stage, cast) + "/limits", f"/equipment/{cast.sem.public_id}/limits"):
        assert stage.api(cast.other_manager)("PUT", path, limits).status_code == 403
    assert stage.api(cast.auditor)("PUT", "/zone/limits", limits).status_code == 403
