"""Check-outs that come late, past use without end, and who may lower a bill."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.db import read_session, unit_of_work
from equipment.models import Lab
from tests import factories
from tests.cast import ENDS, STARTS, Cast, Stage
from tests.factories import Prices
from web.checking import check_everything


@pytest.fixture
def running(stage: Stage, cast: Cast, book: Any) -> str:
    """The path of a visit of two booked hours, at its check-in."""
    path = f"/bookings/{book()['id']}"
    stage.api(cast.manager).post(f"{path}/approval")
    stage.clock.at = datetime.fromisoformat(STARTS)
    stage.api(cast.operator).post(f"{path}/check-in")
    return path


def test_a_forgotten_check_out_asks_when_the_use_ended(stage: Stage, cast: Cast, running: str) -> None:
    lab = stage.api(cast.operator)
    stage.clock.at += timedelta(days=3)

    refused = lab.post(f"{running}/check-out")
    done = lab.post(f"{running}/check-out", {"ended_at": ENDS})

    assert (refused.status_code, refused.json()["code"]) == (422, "visit_end_missing")
    assert done.json()["visit"]["price_fen"] == 80_000
    with read_session(stage.engine, snapshot=True) as session:
        assert check_everything(session) == []


def test_the_end_lies_between_check_in_and_now(stage: Stage, cast: Cast, running: str) -> None:
    lab = stage.api(cast.operator)
    stage.clock.at += timedelta(hours=1)

    early = lab.post(f"{running}/check-out", {"ended_at": "2026-11-01T00:00:00Z"})
    late = lab.post(f"{running}/check-out", {"ended_at": ENDS})

    assert early.json()["code"] == late.json()["code"] == "visit_end_invalid"


def test_the_form_proposes_the_slots_end_when_it_is_long_past(stage: Stage, cast: Cast, running: str) -> None:
    stage.clock.at += timedelta(days=3)

    page = stage.browser(cast.manager).get(running).text

    end = datetime.fromisoformat(ENDS) + timedelta(hours=8)
    assert f'value="{end:%Y-%m-%dT%H:%M}"' in page.split('name="ended_at"')[0][-300:]
    assert 'name="ended_at"' not in stage.browser(cast.owner).get(running).text


def test_who_pays_checks_out_now_and_names_no_other_end(stage: Stage, cast: Cast, running: str) -> None:
    owner = stage.api(cast.owner)
    stage.clock.at += timedelta(hours=1)

    earlier = owner.post(f"{running}/check-out", {"ended_at": STARTS})
    now = owner.post(f"{running}/check-out")

    assert (earlier.status_code, earlier.json()["code"]) == (403, "only_lab_shortens_visit")
    assert now.json()["visit"]["price_fen"] == 40_000


def test_who_pays_does_not_check_out_a_visit_long_after_its_end(stage: Stage, cast: Cast, running: str) -> None:
    stage.clock.at += timedelta(days=1)

    assert stage.api(cast.owner).post(f"{running}/check-out").json()["code"] == "only_lab_shortens_visit"


def test_who_pays_is_not_offered_a_check_out_that_only_the_lab_can_do(stage: Stage, cast: Cast, running: str) -> None:
    button = f'action="{running}/check-out"'
    stage.clock.at = datetime.fromisoformat(ENDS) + timedelta(hours=1.5)
    shortly_after = stage.browser(cast.owner).get(running).text
    stage.clock.at = datetime.fromisoformat(ENDS) + timedelta(hours=2.1)
    long_after = stage.browser(cast.owner).get(running).text

    assert button in shortly_after and "Ask the lab to check it out" not in shortly_after
    assert button not in long_after and "Ask the lab to check it out" in long_after
    assert button in stage.browser(cast.manager).get(running).text


def test_an_overdue_visit_is_marked_on_the_labs_desk_until_it_is_checked_out(
    stage: Stage, cast: Cast, running: str
) -> None:
    lab, badge = stage.browser(cast.manager), ">overdue<"
    stage.clock.at = datetime.fromisoformat(ENDS) + timedelta(minutes=59)
    assert badge not in lab.get("/lab").text + lab.get(running).text

    for later in (timedelta(minutes=61), timedelta(days=5)):
        stage.clock.at = datetime.fromisoformat(ENDS) + later
        assert badge in lab.get("/lab").text and badge in lab.get(running).text

    stage.api(cast.operator).post(f"{running}/check-out", {"ended_at": ENDS})
    assert badge not in lab.get("/lab").text + lab.get(running).text


def test_who_pays_lowers_no_quantity_below_the_agreed_one(stage: Stage, cast: Cast, book: Any) -> None:
    with unit_of_work(stage.engine) as session:
        lab = session.merge(cast.sem).lab_id
        entry = factories.make_equipment(
            session, session.get_one(Lab, lab), "质谱仪", prices=Prices(hour=0, sample=10_000)
        )
    path = f"/bookings/{book(equipment_id=str(entry.public_id), quantities={'sample': '5'})['id']}"
    stage.api(cast.manager).post(f"{path}/approval")
    stage.clock.at = datetime.fromisoformat(STARTS)
    owner = stage.api(cast.owner)
    owner.post(f"{path}/check-in")

    refused = owner.post(f"{path}/check-out", {"quantities": {"sample": "4"}})
    by_lab = stage.api(cast.operator).post(f"{path}/check-out", {"quantities": {"sample": "4"}})

    assert (refused.status_code, refused.json()["code"]) == (403, "only_lab_shortens_visit")
    assert by_lab.json()["visit"]["price_fen"] == 40_000


def test_past_use_is_at_most_a_day_at_once(stage: Stage, cast: Cast) -> None:
    past = {
        "equipment_id": str(cast.sem.public_id), "email": cast.owner.email, "reason": "补录",
        "starts_at": "2026-11-10T01:00:00Z", "ends_at": "2026-11-23T02:00:00Z",
    }  # fmt: skip
    lab = stage.api(cast.manager)

    refused = lab.post("/lab/past-use", past)
    day = lab.post("/lab/past-use", past | {"ends_at": "2026-11-11T01:00:00Z"})

    assert (refused.status_code, refused.json()["code"]) == (422, "past_use_too_long")
    assert day.status_code == 201
