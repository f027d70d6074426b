"""Terms of use: versions at three levels, asked with the request, kept with the booking, readable for good."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db import read_session, unit_of_work
from equipment import terms
from equipment.models import Equipment, Lab
from equipment.models.terms import PARTS
from equipment.scopes import Level, find_scope
from members.models import Organisation
from tests.booking.test_search_page import counted
from tests.cast import ENDS, STARTS, Cast, Stage, actor_of
from tests.equipment.test_pages import Desk

TEXTS = {name: f"{name} 约定" for name in PARTS}


@pytest.fixture
def desk(stage: Stage, cast: Cast) -> Desk:
    return Desk(stage, cast.manager)


def publish(stage: Stage, cast: Cast, level: Level = Level.EQUIPMENT, days: int = 0, **changes: str) -> str:
    """A version at a level of the microscope; its public id."""
    now = stage.clock.now()
    actor = actor_of(stage.engine, cast.manager)
    with unit_of_work(stage.engine) as session:
        entry = session.get_one(Equipment, cast.sem.id)
        keys = {
            Level.EQUIPMENT: entry.public_id,
            Level.LAB: session.get_one(Lab, entry.lab_id).public_id,
            Level.INSTITUTION: session.get_one(Organisation, entry.owner_id).public_id,
        }
        scope = find_scope(session, actor, level, keys[level])
        on = terms.today_of(now) + timedelta(days=days)
        version = terms.publish(session, actor, scope, terms.TermsText(on, TEXTS | changes), now=now)
        return str(version.public_id)


def ask(stage: Stage, cast: Cast, **more: Any) -> Any:
    body = {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS}
    return stage.api(cast.owner).post("/bookings", body | more)


def asked_by(stage: Stage, cast: Cast) -> str | None:
    answer: str | None = stage.api(None).get(f"/equipment/{cast.sem.public_id}").json()["terms_version"]
    return answer


def test_where_nothing_is_published_nothing_is_asked(stage: Stage, cast: Cast) -> None:
    booking = ask(stage, cast)

    assert booking.status_code == 201
    assert booking.json()["terms_version"] is None


def test_a_request_accepts_the_version_that_counts(stage: Stage, cast: Cast) -> None:
    version = publish(stage, cast)

    without, wrong = ask(stage, cast), ask(stage, cast, terms_version="01990000-0000-7000-8000-000000000000")
    booking = ask(stage, cast, terms_version=version)

    assert (without.status_code, without.json()["code"]) == (422, "terms_not_accepted")
    assert without.json()["field"] == "terms_version" and without.json()["terms_version"] == version
    assert (wrong.status_code, wrong.json()["code"]) == (409, "terms_changed")
    assert booking.status_code == 201
    assert booking.json()["terms_version"] == version
    assert booking.json()["terms_accepted_at"] == "2026-11-24T02:00:00Z"


def test_a_version_published_meanwhile_must_be_read_anew(stage: Stage, cast: Cast) -> None:
    shown = publish(stage, cast)
    newer = publish(stage, cast, damage="赔偿按实际损失")

    refused = ask(stage, cast, terms_version=shown)

    assert (refused.status_code, refused.json()["code"]) == (409, "terms_changed")
    assert refused.json()["terms_version"] == newer == asked_by(stage, cast)


def test_what_was_accepted_stays_readable_as_it_was(stage: Stage, cast: Cast) -> None:
    first = publish(stage, cast)
    booking = ask(stage, cast, terms_version=first).json()
    publish(stage, cast, content="另一份内容")

    kept = stage.api(cast.owner).get(f"/bookings/{booking['id']}").json()["terms_version"]

    assert kept == first
    assert stage.api(None).get(f"/terms/{first}").json()["content"] == TEXTS["content"]
    assert TEXTS["content"] in stage.browser(None).get(f"/terms/{first}").text


@pytest.mark.parametrize("statement", ["UPDATE terms SET content = 'x'", "DELETE FROM terms"])
def test_a_version_is_never_changed(stage: Stage, cast: Cast, statement: str) -> None:
    publish(stage, cast)

    with pytest.raises(DBAPIError, match="terms_written_once"), unit_of_work(stage.engine) as session:
        session.execute(text(statement))


def test_the_nearest_level_counts(stage: Stage, cast: Cast) -> None:
    institution = publish(stage, cast, Level.INSTITUTION)
    assert asked_by(stage, cast) == institution
    lab = publish(stage, cast, Level.LAB)
    assert asked_by(stage, cast) == lab
    own = publish(stage, cast)
    publish(stage, cast, Level.INSTITUTION)

    assert asked_by(stage, cast) == own
    with read_session(stage.engine) as session:
        other = session.get_one(Equipment, cast.foreign.id)
        assert other.terms_version is None, "another institution's instrument"


def test_a_version_to_come_counts_from_its_day_on(stage: Stage, cast: Cast) -> None:
    first = publish(stage, cast)
    later = publish(stage, cast, days=2)
    assert asked_by(stage, cast) == first

    stage.clock.at += timedelta(days=2)
    with unit_of_work(stage.engine) as session:
        assert terms.keep_all_current(session, now=stage.clock.now(), limit=500) == 1
        assert terms.keep_all_current(session, now=stage.clock.now(), limit=500) == 0

    assert asked_by(stage, cast) == later


def test_ended_terms_leave_the_next_level(stage: Stage, cast: Cast, desk: Desk) -> None:
    lab = publish(stage, cast, Level.LAB)
    publish(stage, cast)
    path = f"/equipment/{cast.sem.public_id}/terms"

    assert desk.post(f"{path}/end").status_code == 303

    assert asked_by(stage, cast) == lab
    assert desk.post(f"{path}/end").status_code == 409


def test_the_form_shows_the_terms_and_keeps_the_tick(stage: Stage, cast: Cast) -> None:
    version = publish(stage, cast)
    startup = Desk(stage, cast.owner)
    page = startup.get(f"/equipment/{cast.sem.public_id}").text
    typed = {"equipment_id": str(cast.sem.public_id), "starts_at": "2026-11-27T14:00", "ends_at": "2026-11-27T16:00"}

    unread = startup.post("/bookings", **typed)
    closed = startup.post("/bookings", **typed | {"ends_at": "2026-11-27T23:00", "terms_version": version})
    done = startup.post("/bookings", **typed, terms_version=version)

    assert TEXTS["damage"] in page and f'value="{version}"' in page
    assert unread.status_code == 422 and "Read the terms of use and accept them." in unread.text
    assert closed.status_code == 422 and f'value="{version}" checked' in closed.text
    assert done.status_code == 303
    story = startup.get(done.headers["location"]).text
    assert "Accepted by" in story and f"/terms/{version}" in story


def test_what_the_lab_enters_waits_for_the_startup(stage: Stage, cast: Cast, desk: Desk) -> None:
    version = publish(stage, cast)
    body = {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS, "email": cast.owner.email}
    booking = stage.api(cast.manager).post("/lab/bookings", body).json()
    address = f"/bookings/{booking['id']}"
    assert (booking["terms_version"], booking["terms_accepted_at"]) == (version, None)
    assert "not accepted yet" in stage.browser(cast.manager).get(address).text

    by_lab = stage.api(cast.manager).post(f"{address}/terms", {"terms_version": version})
    other = stage.api(cast.stranger).post(f"{address}/terms", {"terms_version": version})
    wrong = stage.api(cast.member).post(f"{address}/terms", {"terms_version": booking["id"]})
    accepted = Desk(stage, cast.member).post(f"{address}/terms", terms_version=version)
    again = stage.api(cast.owner).post(f"{address}/terms", {"terms_version": version})

    assert (by_lab.status_code, other.status_code) == (403, 404)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "terms_changed")
    assert accepted.status_code == 303
    assert again.status_code == 200 and again.json()["terms_accepted_at"] is not None
    page = stage.browser(cast.owner).get(address).text
    assert f"Accepted by {cast.member.name}" in page, "the first acceptance counts"
    assert page.count("Terms of use accepted") == 1


def test_the_lab_sees_who_accepted_what(stage: Stage, cast: Cast, desk: Desk) -> None:
    version = publish(stage, cast)
    ask(stage, cast, terms_version=version)

    page = desk.get(f"/equipment/{cast.sem.public_id}/terms").text

    assert cast.owner.name in page and "Who accepted what" in page
    assert TEXTS["confidentiality"] in page, "the form begins with the version that counts"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"damage": " "}, "Write each of the four parts"),
        ({"content": "长" * 2001}, "At most 2000 characters."),
        ({"effective_on": "2026-11-23"}, "Terms count from today"),
        ({"effective_on": "9999-12-31"}, "Terms count from today"),
        ({"effective_on": "soon"}, "Terms count from today"),
    ],
)
def test_unfit_terms_are_refused_at_their_field(
    stage: Stage, cast: Cast, desk: Desk, changes: dict[str, str], says: str
) -> None:
    answer = desk.post(f"/equipment/{cast.sem.public_id}/terms", **TEXTS | changes)

    assert answer.status_code == 422 and says in answer.text
    assert asked_by(stage, cast) is None


def test_who_publishes_second_is_told(stage: Stage, cast: Cast, desk: Desk) -> None:
    path = f"/equipment/{cast.sem.public_id}/terms"
    seen = desk.get(path).text.split('name="seen" value="', 1)[1].split('"', 1)[0]
    assert desk.post(path, **TEXTS, seen=seen).status_code == 303

    assert desk.post(path, **TEXTS, seen=seen).status_code == 409


def test_asking_for_terms_costs_a_booking_no_statement(stage: Stage, cast: Cast) -> None:
    times = {"starts_at": "2026-11-30T06:00:00Z", "ends_at": "2026-11-30T07:00:00Z"}
    ask(stage, cast, starts_at="2026-12-01T06:00:00Z", ends_at="2026-12-01T07:00:00Z")
    with counted(stage) as without:
        assert ask(stage, cast).status_code == 201
    version = publish(stage, cast)

    with counted(stage) as asked:
        assert ask(stage, cast, terms_version=version, **times).status_code == 201

    assert len(asked) == len(without)
