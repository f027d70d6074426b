"""A chosen slot is held for some minutes: for one, once, and never for ever."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from booking import holds
from booking.models import Occupancy, OccupancyKind
from core.db import read_session, unit_of_work
from members.models import Person
from tests.booking.test_waitlist import race
from tests.cast import ENDS, STARTS, Cast, Stage, csrf_of

Book = Callable[..., dict[str, Any]]
ROUNDS = 20


def body_of(cast: Cast, **changes: str) -> dict[str, str]:
    return {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS} | changes


def hold(stage: Stage, cast: Cast, person: Person, **changes: str) -> Any:
    return stage.api(person).post("/slot-holds", body_of(cast, **changes))


def kinds(stage: Stage) -> list[OccupancyKind]:
    with read_session(stage.engine) as session:
        return list(session.scalars(select(Occupancy.kind).order_by(Occupancy.id)))


def test_a_held_slot_is_taken_for_others_and_free_for_its_person(stage: Stage, cast: Cast) -> None:
    answer = hold(stage, cast, cast.stranger)
    assert answer.status_code == 201, answer.text
    assert answer.json()["seconds_left"] == 300

    assert hold(stage, cast, cast.owner).json()["code"] == "slot_taken"
    refused = stage.api(cast.owner).post("/bookings", body_of(cast))
    assert refused.json()["code"] == "slot_taken"
    assert all(slot["starts_at"] != STARTS for slot in refused.json()["alternatives"])
    assert stage.api(cast.stranger).post("/quotes", body_of(cast)).json()["problems"] == []
    assert stage.api(cast.stranger).post("/bookings", body_of(cast)).status_code == 201

    assert kinds(stage) == [OccupancyKind.BOOKING]
    assert stage.api(cast.stranger).get("/slot-holds/current").json()["code"] == "hold_not_found"


def test_a_person_holds_one_slot_and_gives_it_back(stage: Stage, cast: Cast) -> None:
    hold(stage, cast, cast.stranger)
    later = hold(stage, cast, cast.stranger, starts_at=ENDS, ends_at="2026-11-27T09:00:00Z")
    assert later.status_code == 201, later.text

    assert kinds(stage) == [OccupancyKind.HOLD]
    assert stage.api(cast.stranger).get("/slot-holds/current").json()["starts_at"] == ENDS
    assert hold(stage, cast, cast.owner).status_code == 201
    assert stage.api(cast.stranger)("DELETE", "/slot-holds/current").status_code == 204
    assert stage.api(cast.stranger)("DELETE", "/slot-holds/current").status_code == 204
    assert stage.api(cast.stranger).get("/slot-holds/current").status_code == 404


def test_a_hold_ends_by_itself_and_gives_way(stage: Stage, cast: Cast) -> None:
    hold(stage, cast, cast.stranger)
    stage.clock.at += holds.STANDS
    assert stage.api(cast.stranger).get("/slot-holds/current").status_code == 404

    assert hold(stage, cast, cast.owner).status_code == 201
    assert kinds(stage) == [OccupancyKind.HOLD]
    stage.clock.at += holds.STANDS
    with unit_of_work(stage.engine) as session:
        assert holds.drop_expired_holds(session, now=stage.clock.now(), limit=10) == 1
        assert holds.drop_expired_holds(session, now=stage.clock.now(), limit=10) == 0
    assert kinds(stage) == []


def test_a_slot_is_not_held_for_ever(stage: Stage, cast: Cast) -> None:
    first = datetime.fromisoformat(hold(stage, cast, cast.stranger).json()["expires_at"])
    for _ in range(4):
        stage.clock.at += timedelta(minutes=3)
        answer = hold(stage, cast, cast.stranger)
    last = datetime.fromisoformat(answer.json()["expires_at"])
    assert last - first == holds.IN_A_ROW - holds.STANDS

    stage.api(cast.stranger)("DELETE", "/slot-holds/current")
    stage.clock.at += timedelta(minutes=3)
    spent = hold(stage, cast, cast.stranger)

    assert (spent.status_code, spent.json()["code"]) == (409, "hold_spent")
    stage.clock.at += holds.PAUSE
    assert hold(stage, cast, cast.stranger).status_code == 201


def test_only_who_may_book_holds_and_only_what_keeps_the_rules(stage: Stage, cast: Cast, book: Book) -> None:
    assert hold(stage, cast, cast.manager).json()["code"] == "may_not_book"
    assert hold(stage, cast, cast.owner, ends_at="2026-11-27T06:07:00Z").json()["code"] == "rules_broken"
    book()
    assert hold(stage, cast, cast.stranger).json()["code"] == "slot_taken"


def test_pages_hold_show_and_say_until_when(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.stranger)
    form = {"csrf": csrf_of(browser), "equipment_id": str(cast.sem.public_id), "starts_at": "2026-11-27T14:00",
            "ends_at": "2026-11-27T16:00"}  # fmt: skip
    answer = browser.post("/slot-holds", data=form)
    assert answer.status_code == 303
    assert "Held for you until" in browser.get(answer.headers["location"]).text
    script = browser.post("/slot-holds", data=form, headers={"accept": "application/json"})
    assert script.json()["seconds_left"] == 300

    other = stage.browser(cast.owner)
    page = other.get(f"/equipment/{cast.sem.public_id}?week=2026-11-27").text
    assert "held until" in page
    assert cast.stranger.name not in page
    refused = other.post("/slot-holds", data=form | {"csrf": csrf_of(other)})
    assert (refused.status_code, "Already taken" in refused.text) == (409, True)
    assert "held until" in stage.browser(cast.manager).get("/lab?on=2026-11-27").text
    assert browser.post("/slot-holds/release", data=form).status_code == 303
    assert kinds(stage) == []


def test_two_people_cannot_hold_one_slot(stage: Stage, cast: Cast) -> None:
    for number in range(ROUNDS):
        people = (cast.stranger, cast.owner) if number % 2 else (cast.owner, cast.stranger)
        found = race(*[lambda person=person: hold(stage, cast, person) for person in people])  # type: ignore[misc]
        assert sorted(answer.status_code for answer in found) == [201, 409], number
        assert kinds(stage) == [OccupancyKind.HOLD]
        for person in people:
            stage.api(person)("DELETE", "/slot-holds/current")
        stage.clock.at += holds.IN_A_ROW + holds.PAUSE


def test_a_hold_against_a_request_leaves_one_claim(stage: Stage, cast: Cast) -> None:
    for number in range(ROUNDS):
        held, placed = race(
            lambda: hold(stage, cast, cast.stranger),
            lambda: stage.api(cast.owner).post("/bookings", body_of(cast)),
        )
        assert sorted([held.status_code, placed.status_code]) == [201, 409], (number, held.text, placed.text)
        assert kinds(stage) == [OccupancyKind.HOLD if held.status_code == 201 else OccupancyKind.BOOKING]
        if placed.status_code == 201:
            stage.api(cast.owner).post(f"/bookings/{placed.json()['id']}/cancellation")
        stage.api(cast.stranger)("DELETE", "/slot-holds/current")
        stage.clock.at += holds.IN_A_ROW + holds.PAUSE
