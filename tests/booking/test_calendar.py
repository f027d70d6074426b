"""Calendar objects, read back by parsers that are not ours."""

from datetime import UTC, datetime, timedelta

import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from booking.calendar import Entry, Mailbox, Method, Status, make_feed, make_invitation
from core.slot import Slot

START = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)
ORGANIZER, GUEST = Mailbox("仪享", "yixiang@example.com"), Mailbox('李"想"', "member@example.com")


def entry(**changes: object) -> Entry:
    values: dict[str, object] = {
        "uid": "0123456789abcdef0123456789abcdef",
        "sequence": 0,
        "slot": Slot(START, START + timedelta(hours=2)),
        "status": Status.CONFIRMED,
        "summary": "扫描电子显微镜",
        "location": "江城理工大学",
        "description": "改期",
        "url": "http://127.0.0.1:8000/bookings/1",
        "stamped_at": START - timedelta(days=1, microseconds=7),
    }
    return Entry(**(values | changes))  # type: ignore[arg-type]


def invite(method: Method = Method.REQUEST, **changes: object) -> bytes:
    return make_invitation(entry(**changes), method, organizer=ORGANIZER, attendee=GUEST)


def unfolded(body: bytes) -> list[str]:
    return body.replace(b"\r\n ", b"").decode().split("\r\n")


def test_an_invitation_has_what_rfc_5546_demands_of_a_request() -> None:
    calendar = Calendar.from_ical(invite())
    event = calendar.walk("VEVENT")[0]

    assert calendar["METHOD"] == "REQUEST" and calendar["VERSION"] == "2.0"
    for name in ("ORGANIZER", "ATTENDEE", "DTSTAMP", "DTSTART", "UID", "SUMMARY", "SEQUENCE", "STATUS"):
        assert name in event
    assert event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert event["ORGANIZER"] == "mailto:yixiang@example.com"
    assert event["DTSTAMP"].dt == (START - timedelta(days=1, seconds=1)).replace(microsecond=0)


def test_times_are_utc_so_that_no_zone_is_needed() -> None:
    lines = unfolded(invite())

    assert "DTSTART:20261126T060000Z" in lines
    assert "DTEND:20261126T080000Z" in lines
    assert not any("TZID" in line for line in lines)


def test_a_cancellation_keeps_the_uid_and_says_so_in_both_places() -> None:
    first = Calendar.from_ical(invite()).walk("VEVENT")[0]
    calendar = Calendar.from_ical(invite(Method.CANCEL, status=Status.CANCELLED, sequence=2))
    event = calendar.walk("VEVENT")[0]

    assert calendar["METHOD"] == "CANCEL"
    assert event["STATUS"] == "CANCELLED" and event["SEQUENCE"] == 2
    assert event["UID"] == first["UID"] and event["ORGANIZER"] == first["ORGANIZER"]
    assert not event.walk("VALARM")


def test_lines_are_crlf_and_at_most_75_octets_and_never_cut_inside_a_character() -> None:
    body = invite(summary="电镜🔬" * 60, location="𠮷" * 80, description="，；\\n" * 50)

    assert body.endswith(b"\r\n") and b"\n" not in body.replace(b"\r\n", b"")
    for line in body.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    assert Calendar.from_ical(body).walk("VEVENT")[0]["SUMMARY"] == "电镜🔬" * 60


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=200))
def test_any_text_survives_folding_and_escaping(text: str) -> None:
    event = Calendar.from_ical(invite(summary="x" + text, description=text)).walk("VEVENT")[0]

    kept = "x" + "".join(" " if (ord(c) < 32 and c != "\n") or c == "\x7f" else c for c in _newlines(text))
    assert str(event["SUMMARY"]) == kept


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_text_cannot_smuggle_in_properties() -> None:
    body = invite(summary="SEM\r\nATTENDEE:mailto:evil@example.com", location="a\nEND:VEVENT")

    assert len(Calendar.from_ical(body).walk("VEVENT")) == 1
    assert not any(line.startswith("ATTENDEE:mailto:evil") for line in unfolded(body))


def test_a_name_with_quotes_and_line_ends_stays_a_parameter() -> None:
    body = make_invitation(entry(), Method.REQUEST, organizer=ORGANIZER, attendee=Mailbox('a"\r\nX:1', "m@example.com"))

    guest = Calendar.from_ical(body).walk("VEVENT")[0]["ATTENDEE"]
    assert guest == "mailto:m@example.com" and '"' not in guest.params["CN"]


def test_a_feed_has_no_method_and_names_itself_for_old_and_new_clients() -> None:
    body = make_feed([entry(), entry(uid="b" * 32, status=Status.TENTATIVE)], name="仪享 · 我的预约")
    calendar = Calendar.from_ical(body)

    assert "METHOD" not in calendar
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "仪享 · 我的预约"
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT30M" in unfolded(body)
    assert [event["STATUS"] for event in calendar.walk("VEVENT")] == ["CONFIRMED", "TENTATIVE"]
    assert "ATTENDEE" not in calendar.walk("VEVENT")[0]


def test_a_second_parser_finds_the_feeds_events_at_their_times() -> None:
    calendar = Calendar.from_ical(make_feed([entry(), entry(uid="b" * 32)], name="x"))

    found = recurring_ical_events.of(calendar).between(START, START + timedelta(minutes=1))
    assert len(found) == 2
    assert not recurring_ical_events.of(calendar).between(START + timedelta(hours=2), START + timedelta(hours=3))


def test_an_empty_feed_is_still_a_calendar() -> None:
    assert Calendar.from_ical(make_feed([], name="x")).walk("VEVENT") == []
