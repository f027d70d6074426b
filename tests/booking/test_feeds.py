"""The calendar behind a secret address: whose, what, and for how long it is the same."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import recurring_ical_events
from fastapi import FastAPI
from fastapi.testclient import TestClient
from icalendar import Calendar
from sqlalchemy import Engine

from booking import feeds
from booking.models import State
from core.clock import Clock
from core.config import Settings
from core.db import unit_of_work
from core.http import Site, install_error_answers
from core.middleware import Surroundings
from core.rendering import Renderer
from members.models import AccessToken
from members.service import hash_token
from tests.factories_booking import NOW, Cast, add_event, make_booking, make_cast


class FixedClock(Clock):
    def now(self):  # type: ignore[no-untyped-def]
        return NOW


class Reader:
    """A calendar program, and the cast whose feeds it reads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with unit_of_work(engine) as session:
            self.cast: Cast = make_cast(session)
            for person in ("member", "manager", "operator"):
                who = getattr(self.cast, person)
                session.add(
                    AccessToken(
                        token_hash=hash_token(f"secret-{person}"), purpose="feed", person_id=who.id, created_at=NOW
                    )
                )
        app = FastAPI()
        settings = Settings(base_url="http://127.0.0.1:8000", _env_file=None)  # type: ignore[call-arg]
        renderer = Renderer(zone="Asia/Shanghai", static=Path("web/static"))
        app.state.site = Site(engine, settings, FixedClock(), renderer, b"secret")
        app.include_router(feeds.router)
        install_error_answers(app)
        app.add_middleware(Surroundings)
        self.client = TestClient(app)

    def get(self, who: str, **headers: str):  # type: ignore[no-untyped-def]
        return self.client.get(f"/feeds/secret-{who}.ics", headers=headers)

    def events(self, who: str) -> list[tuple[str, str]]:
        calendar = Calendar.from_ical(self.get(who).content)
        return [(str(event["UID"]), str(event["STATUS"])) for event in calendar.walk("VEVENT")]


@pytest.fixture
def reader(engine: Engine) -> Iterator[Reader]:
    yield Reader(engine)


def test_a_feed_holds_ones_own_bookings_by_state(reader: Reader) -> None:
    with unit_of_work(reader.engine) as session:
        for number, state in enumerate(State):
            make_booking(session, reader.cast, state=state, calendar_uid=state, starts_at=NOW + timedelta(days=number))
        make_booking(session, reader.cast, person_id=reader.cast.owner.id, calendar_uid="of the owner")

    assert reader.events("member") == [
        ("requested", "TENTATIVE"),
        ("approved", "CONFIRMED"),
        ("in_use", "CONFIRMED"),
        ("completed", "CONFIRMED"),
    ]


def test_only_what_can_be_changed_says_how(reader: Reader) -> None:
    with unit_of_work(reader.engine) as session:
        for day, state in ((1, State.APPROVED), (-1, State.COMPLETED)):
            make_booking(session, reader.cast, state=state, starts_at=NOW + timedelta(days=day))

    calendar = Calendar.from_ical(reader.get("member").content)

    described = {event.start > NOW: event.get("description", "") for event in calendar.events}
    assert "/bookings/" in described[True]
    assert described[False] == ""


def test_a_feed_reaches_from_90_days_back_to_a_year_ahead(reader: Reader) -> None:
    with unit_of_work(reader.engine) as session:
        for days in (-91, -89, 0, 365, 367):
            make_booking(session, reader.cast, calendar_uid=str(days), starts_at=NOW + timedelta(days=days))

    assert [uid for uid, _ in reader.events("member")] == ["-89", "0", "365"]


@pytest.mark.parametrize("who", ["manager", "operator"])
def test_a_labs_feed_names_no_person(reader: Reader, who: str) -> None:
    with unit_of_work(reader.engine) as session:
        make_booking(session, reader.cast, calendar_uid="a")

    body = reader.get(who).text.replace("\r\n ", "")
    assert reader.events(who) == [("a", "CONFIRMED")]
    assert "星环传感" in body
    for secret in ("李想", "陈晓", "member@", "owner@", "ATTENDEE", "ORGANIZER"):
        assert secret not in body


def test_a_second_parser_reads_the_feed(reader: Reader) -> None:
    with unit_of_work(reader.engine) as session:
        booking = make_booking(session, reader.cast)

    calendar = Calendar.from_ical(reader.get("member").content)
    found = recurring_ical_events.of(calendar).between(booking.starts_at, booking.ends_at)
    assert [(event["DTSTART"].dt, event["DTEND"].dt) for event in found] == [(booking.starts_at, booking.ends_at)]


def test_a_feed_that_has_not_changed_is_not_sent_again(reader: Reader) -> None:
    with unit_of_work(reader.engine) as session:
        booking = make_booking(session, reader.cast)
    first = reader.get("member")
    again = reader.get("member", **{"If-None-Match": f'W/{first.headers["etag"]}, "other"'})

    assert first.status_code == 200 and first.headers["content-type"] == "text/calendar; charset=utf-8"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])

    with unit_of_work(reader.engine) as session:
        session.merge(booking).calendar_sequence = 1
        add_event(session, booking, "moved", State.APPROVED, NOW + timedelta(minutes=1))
    assert reader.get("member", **{"If-None-Match": first.headers["etag"]}).status_code == 200


def test_an_unknown_revoked_expired_or_foreign_token_looks_like_nothing(reader: Reader) -> None:
    with unit_of_work(reader.engine) as session:
        for name, change in (
            ("revoked", {"revoked_at": NOW}),
            ("expired", {"expires_at": NOW - timedelta(seconds=1)}),
            ("api", {"purpose": "api"}),
        ):
            values = {"purpose": "feed", "person_id": reader.cast.member.id, "created_at": NOW} | change
            session.add(AccessToken(token_hash=hash_token(f"secret-{name}"), **values))
        session.merge(reader.cast.operator).disabled_at = NOW

    for who in ("nobody", "revoked", "expired", "api", "operator", "x" * 3000):
        assert reader.client.get(f"/feeds/secret-{who}.ics", headers={"accept": "text/calendar"}).status_code == 404


def test_head_answers_like_get_without_a_body(reader: Reader) -> None:
    answer = reader.client.head("/feeds/secret-member.ics")

    assert answer.status_code == 200 and answer.headers["etag"] == reader.get("member").headers["etag"]


def test_the_log_does_not_hold_the_secret_address(reader: Reader, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        reader.get("member")

    (line,) = [record.getMessage() for record in caplog.records if record.name == "yixiang.request"]
    assert line.startswith("GET /feeds/... 200")
