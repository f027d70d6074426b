"""The waiting list: in order, once, and never two for one slot."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from booking import waitlist
from booking.models import Occupancy, OccupancyKind
from booking.wishes import Answer, Offer
from core.db import read_session, unit_of_work
from members.models import Person
from tests.cast import ENDS, STARTS, Cast, Stage

Book = Callable[..., dict[str, Any]]
ROUNDS = 8


def wish(stage: Stage, cast: Cast, person: Person, **changes: Any) -> dict[str, Any]:
    body = {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS, "minutes": 120} | changes
    answer = stage.api(person).post("/wishes", body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def tend(stage: Stage) -> int:
    return waitlist.tend_waitlist(stage.engine, now=stage.clock.now(), limit=50)


def offer_of(stage: Stage, person: Person) -> dict[str, Any] | None:
    items = stage.api(person).get("/wishes").json()["items"]
    found: dict[str, Any] | None = items[0]["offer"] if items else None
    return found


def test_what_becomes_free_is_offered_in_order_and_lapses_to_the_next(stage: Stage, cast: Cast, book: Book) -> None:
    booking = book()
    wish(stage, cast, cast.stranger)
    stage.clock.at += timedelta(minutes=1)
    wish(stage, cast, cast.member)
    assert tend(stage) == 0

    stage.api(cast.owner).post(f"/bookings/{booking['id']}/cancellation")
    assert (tend(stage), tend(stage)) == (1, 0)

    offer = offer_of(stage, cast.stranger)
    assert offer is not None and (offer["starts_at"], offer["ends_at"]) == (STARTS, ENDS)
    assert offer_of(stage, cast.member) is None
    taken = stage.api(cast.owner).post(
        "/bookings", {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS}
    )
    assert taken.json()["code"] == "slot_taken"
    stage.clock.at += waitlist.STANDS
    assert tend(stage) == 1
    assert offer_of(stage, cast.stranger) is None
    assert offer_of(stage, cast.member) is not None
    late = stage.api(cast.stranger).post(f"/offers/{offer['id']}/acceptance")
    assert (late.status_code, late.json()["code"]) == (409, "offer_answered")


def test_an_accepted_offer_is_a_request_like_any_other(stage: Stage, cast: Cast) -> None:
    made = wish(stage, cast, cast.stranger)
    tend(stage)
    offer = offer_of(stage, cast.stranger)
    assert offer is not None
    assert stage.api(cast.member).post(f"/offers/{offer['id']}/acceptance").status_code == 404

    answer = stage.api(cast.stranger).post(f"/offers/{offer['id']}/acceptance")

    assert answer.status_code == 201, answer.text
    assert (answer.json()["starts_at"], answer.json()["state"]) == (STARTS, "requested")
    assert stage.api(cast.stranger).get("/wishes").json()["items"] == []
    assert tend(stage) == 0
    with read_session(stage.engine) as session:
        assert [row.kind for row in session.scalars(select(Occupancy))] == [OccupancyKind.BOOKING]
    assert made["state"] == "waiting"


def test_who_declines_waits_on_and_is_not_offered_the_same_again(stage: Stage, cast: Cast) -> None:
    wish(stage, cast, cast.stranger)
    tend(stage)
    offer = offer_of(stage, cast.stranger)
    assert offer is not None

    assert stage.api(cast.stranger).post(f"/offers/{offer['id']}/refusal").json()["answer"] == "declined"

    assert tend(stage) == 0
    assert stage.api(cast.stranger).post(f"/offers/{offer['id']}/refusal").status_code == 409
    with read_session(stage.engine) as session:
        assert session.scalars(select(Occupancy)).all() == []


def test_a_wish_ends_when_it_is_withdrawn_or_past(stage: Stage, cast: Cast) -> None:
    made = wish(stage, cast, cast.stranger)
    tend(stage)
    assert stage.api(cast.member)("DELETE", f"/wishes/{made['id']}").status_code == 404
    assert stage.api(cast.stranger)("DELETE", f"/wishes/{made['id']}").json()["state"] == "withdrawn"
    with read_session(stage.engine) as session:
        assert session.scalars(select(Occupancy)).all() == []
    wish(stage, cast, cast.member)
    stage.clock.at += timedelta(days=5)
    tend(stage)
    assert stage.api(cast.member).get("/wishes").json()["items"] == []


def test_a_wish_is_asked_once_and_keeps_to_hours_and_days(stage: Stage, cast: Cast) -> None:
    wish(stage, cast, cast.stranger, starts_at="2026-11-26T00:00:00Z", ends_at="2026-12-03T00:00:00Z", minutes=60,
         day_from=900, day_to=1020, weekdays=[0])  # fmt: skip
    again = stage.api(cast.stranger).post(
        "/wishes", {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS, "minutes": 120}
    )
    assert again.json()["code"] == "wish_exists"

    tend(stage)

    offer = offer_of(stage, cast.stranger)
    assert offer is not None and offer["starts_at"] == "2026-11-30T07:00:00Z"


def test_the_lab_sees_who_waits_and_offers_by_hand(stage: Stage, cast: Cast) -> None:
    wish(stage, cast, cast.stranger)
    made = wish(stage, cast, cast.member)

    page = stage.browser(cast.manager).get("/lab").text
    assert page.count('class="request wish"') == 2
    assert stage.api(cast.other_manager).post(f"/wishes/{made['id']}/offer").status_code == 404
    assert stage.api(cast.operator).post(f"/wishes/{made['id']}/offer").status_code == 403
    assert stage.api(cast.manager).post(f"/wishes/{made['id']}/offer").status_code == 201

    assert offer_of(stage, cast.member) is not None
    assert stage.api(cast.manager).post(f"/wishes/{made['id']}/offer").json()["code"] == "offer_open"
    assert tend(stage) == 0


def test_pages_join_and_answer(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.stranger)
    page = browser.get(f"/waiting?equipment={cast.sem.public_id}").text
    token = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    form = {"csrf": token, "equipment": str(cast.sem.public_id), "starts_at": "2026-11-27T14:00",
            "ends_at": "2026-11-27T16:00", "minutes": "120"}  # fmt: skip
    assert browser.post("/waiting", data=form).status_code == 303
    assert "/offers/" not in browser.get("/waiting").text
    tend(stage)
    href = browser.get("/waiting").text.split('action="/offers/', 1)[1].split("/", 1)[0]
    answer = browser.post(f"/offers/{href}/acceptance", data={"csrf": token})
    assert answer.headers["location"].startswith("/bookings/")


def race(*acts: Callable[[], Any]) -> list[Any]:
    """Everything at once; what each answered."""
    gate, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        gate.wait()
        found[place] = act()

    threads = [threading.Thread(target=run, args=row) for row in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_accepting_against_lapsing_ends_in_one_of_both(stage: Stage, cast: Cast) -> None:
    for number in range(ROUNDS):
        start = stage.clock.now().replace(hour=6, minute=0) + timedelta(days=7 * (number + 1) - 1)
        ends = start + timedelta(hours=2)
        made = wish(stage, cast, cast.stranger, starts_at=start.isoformat(), ends_at=ends.isoformat())
        tend(stage)
        offer = offer_of(stage, cast.stranger)
        assert offer is not None, number
        api = stage.api(cast.stranger)
        lapse_at = stage.clock.now() + waitlist.STANDS

        answer, _ = race(
            lambda api=api, id=offer["id"]: api.post(f"/offers/{id}/acceptance"),  # type: ignore[misc]
            lambda at=lapse_at: waitlist.tend_waitlist(stage.engine, now=at, limit=50),  # type: ignore[misc]
        )

        with read_session(stage.engine) as session:
            row = session.scalars(select(Offer).where(Offer.starts_at == start)).one()
            claims = session.scalars(
                select(Occupancy.kind).where(Occupancy.starts_at == start)
            ).all()  # fmt: skip
        expected = (201, Answer.ACCEPTED, [OccupancyKind.BOOKING])
        assert (answer.status_code, row.answer, list(claims)) in (expected, (409, Answer.LAPSED, [])), answer.text
        api("DELETE", f"/wishes/{made['id']}")


def test_two_jobs_at_once_offer_a_slot_once(stage: Stage, cast: Cast) -> None:
    wish(stage, cast, cast.stranger)
    wish(stage, cast, cast.member)

    made = race(*[lambda: tend(stage)] * 4)

    assert sum(made) == 1
    with unit_of_work(stage.engine) as session:
        assert len(session.scalars(select(Offer)).all()) == 1
