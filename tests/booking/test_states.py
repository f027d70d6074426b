"""Every verb in every state, by JSON and by form: what does not follow gets its stable code and changes nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from booking import deciding
from booking.models import Awaiting, Booking, BookingEvent, Occupancy, State, Visit
from booking.states import TRANSITIONS
from core.db import read_session, unit_of_work
from core.outbox import OutboxMessage
from tests.cast import Cast, Stage, csrf_of
from vouchers.models import HoldEnd

MOVE = {"starts_at": "2026-11-30T06:00:00Z", "ends_at": "2026-11-30T08:00:00Z"}
MOVE_FORM = {"starts_at": "2026-11-30T14:00", "ends_at": "2026-11-30T16:00"}
#: verb -> (who may do it, method and path of JSON, its body, path of the form, its fields)
VERBS: dict[str, tuple[str, str, str, dict[str, Any], str, dict[str, str]]] = {
    "approved": ("manager", "POST", "/approval", {}, "/approval", {}),
    "declined": ("manager", "POST", "/refusal", {"reason": "检修"}, "/refusal", {"reason": "检修"}),
    "cancelled": ("owner", "POST", "/cancellation", {}, "/cancellation", {}),
    "moved": ("owner", "PATCH", "", MOVE, "/move", MOVE_FORM),
    "checked_in": ("manager", "POST", "/check-in", {}, "/check-in", {}),
    "checked_out": ("manager", "POST", "/check-out", {}, "/check-out", {}),
}
ILLEGAL = [(verb, state) for verb in VERBS for state in State if state not in TRANSITIONS[verb][0]]


def put(stage: Stage, booking: Any, state: State) -> int:
    """The booking in a state, whatever way it came there; says its version."""
    with unit_of_work(stage.engine) as session:
        row = session.scalars(select(Booking).where(Booking.public_id == UUID(booking["id"]))).one()
        row.state = state
        row.awaiting = Awaiting.LAB if state is State.REQUESTED else None
        if state in (State.IN_USE, State.COMPLETED):
            session.add(Visit(booking_id=row.id, checked_in_at=row.starts_at))
        session.flush()
        return row.version


def everything(stage: Stage) -> list[Any]:
    """All that a verb could have changed."""
    with read_session(stage.engine) as session:
        bookings = session.execute(select(Booking.state, Booking.awaiting, Booking.version, Booking.starts_at)).all()
        counts = [
            len(session.scalars(select(table.__table__.c[0])).all())
            for table in (BookingEvent, Occupancy, OutboxMessage, HoldEnd)
        ]
        return [*bookings, *counts]


@pytest.mark.parametrize(("verb", "state"), ILLEGAL, ids=lambda part: str(part))
def test_what_does_not_follow_is_refused_and_changes_nothing(
    stage: Stage, cast: Cast, book: Any, verb: str, state: State
) -> None:
    who, method, path, body, form_path, fields = VERBS[verb]
    booking = book()
    version = put(stage, booking, state)
    browser = stage.browser(getattr(cast, who))
    token = csrf_of(browser)
    before = everything(stage)

    version_too = {"version": version} if verb == "moved" else {}
    answer = stage.api(getattr(cast, who))(method, f"/bookings/{booking['id']}{path}", body | version_too)
    page = browser.post(f"/bookings/{booking['id']}{form_path}", data=fields | {"csrf": token, "version": str(version)})

    assert (answer.status_code, answer.json()["code"]) == (409, "state_changed")
    assert answer.json()["state"] == state.value
    assert page.status_code == 409 and "</html>" in page.text
    assert everything(stage) == before


@pytest.mark.parametrize("verb", ["approved", "declined", "moved"])
def test_a_stale_version_is_refused_and_changes_nothing(stage: Stage, cast: Cast, book: Any, verb: str) -> None:
    who, method, path, body, form_path, fields = VERBS[verb]
    booking = book()
    browser = stage.browser(getattr(cast, who))
    token = csrf_of(browser)
    before = everything(stage)
    stale = booking["version"] + 1

    answer = stage.api(getattr(cast, who))(method, f"/bookings/{booking['id']}{path}", body | {"version": stale})
    page = browser.post(f"/bookings/{booking['id']}{form_path}", data=fields | {"csrf": token, "version": str(stale)})

    assert (answer.status_code, answer.json()["code"]) == (409, "version_stale")
    assert page.status_code == 409
    assert everything(stage) == before


def test_the_clock_leaves_alone_what_no_longer_waits(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    for state in set(State) - {State.REQUESTED}:
        with unit_of_work(stage.engine) as session:
            row = session.scalars(select(Booking).where(Booking.public_id == UUID(booking["id"]))).one()
            row.state = state
        before = everything(stage)
        with unit_of_work(stage.engine) as session:
            late = stage.clock.at + timedelta(days=9)
            done = deciding.expire_requests(session, now=late, limit=9) + deciding.nudge_deciders(
                session, now=late, limit=9
            )
        assert done == 0 and everything(stage) == before
