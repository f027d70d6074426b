"""Whole messages: words per audience and language against golden files, and the calendar parts as clients read them.

Golden files are written anew with YIXIANG_WRITE_GOLDEN=1; read the difference before keeping it.
"""

import os
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest
from icalendar import Calendar
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from booking import queries
from booking.letters import Audience
from booking.mail import Office, compose
from booking.models import Booking, State, Visit
from booking.papers.models import Message as BookingMessage
from booking.papers.models import Question
from booking.wording import WORDING
from core import outbox
from core.config import ROOT
from core.db import unit_of_work
from core.i18n import LANGS, chinese
from core.mail import MailRefused
from core.outbox import OutboxMessage
from core.rendering import Renderer
from members.models import Note, Person
from tests.factories_booking import NOW, Cast, make_booking, make_cast, shanghai

GOLDEN = ROOT / "tests" / "golden" / "mail"
OFFICE = Office(
    Renderer(zone="Asia/Shanghai", static=Path("web/static")), "http://127.0.0.1:8000", "yixiang@zone.example"
)
STATE_OF = {
    "booking_requested": State.REQUESTED,
    "request_received": State.REQUESTED,
    "booking_declined": State.DECLINED,
    "booking_cancelled": State.CANCELLED,
    "booking_expired": State.EXPIRED,
    "booking_completed": State.COMPLETED,
    "booking_no_show": State.NO_SHOW,
    "visit_overdue": State.IN_USE,
    "owner_expired": State.EXPIRED,
    **dict.fromkeys(("request_with_owner", "owner_asked", "owner_agreed", "owner_reminder"), State.REQUESTED),
    **dict.fromkeys(("lab_reminder", "decision_late"), State.REQUESTED),
}
RECIPIENT = {Audience.HOLDER: "member", Audience.LAB: "manager", Audience.OWNER: "owner", Audience.ZONE: "manager"}


class Desk:
    """A cast with one booking, and rows about it with ids that never change."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.cast: Cast = make_cast(session)
        session.add(Note(id=1, body="断口形貌，需液氮 & <冷台>", salt=b"0" * 16, written_at=NOW))
        session.add(Note(id=2, body="冷却水报警，本周停机", salt=b"0" * 16, written_at=NOW))
        session.flush()
        self.booking: Booking = make_booking(
            session,
            self.cast,
            public_id=UUID("01900000-0000-7000-8000-00000000000a"),
            calendar_uid="0123456789abcdef0123456789abcdef",
            decide_by=NOW + timedelta(days=2),
            purpose_note_id=1,
        )
        self._number = 0

    def row(
        self, kind: str, audience: Audience = Audience.HOLDER, lang: str = "zh-CN", **data: object
    ) -> OutboxMessage:
        person: Person = getattr(self.cast, RECIPIENT[audience])
        self._number += 1
        row = OutboxMessage(
            public_id=UUID(int=self._number),
            kind=kind,
            subject=f"{self.booking.reference}:{self._number}",
            recipient=person.email,
            person_id=person.id,
            locale=lang,
            data={
                "booking": str(self.booking.public_id),
                "sequence": self.booking.calendar_sequence,
                "audience": audience.value,
                **data,
            },
            queued_at=NOW,
            due_at=NOW,
        )
        self.session.add(row)
        self.session.flush()
        return row

    def set(self, state: State, sequence: int = 0) -> None:
        self.booking.state, self.booking.calendar_sequence = state, sequence
        self.session.flush()

    def compose(self, row: OutboxMessage, now: datetime = NOW) -> EmailMessage:
        message = compose(self.session, row, OFFICE, now=now)
        assert message is not None
        parsed = message_from_bytes(message.as_bytes(), policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@pytest.fixture
def desk(engine: Engine) -> Iterator[Desk]:
    with unit_of_work(engine) as session:
        yield Desk(session)


def part(message: EmailMessage, kind: str) -> EmailMessage | None:
    return next((found for found in message.walk() if found.get_content_type() == kind), None)


def calendar_of(message: EmailMessage) -> Calendar | None:
    found = part(message, "text/calendar")
    return Calendar.from_ical(found.get_payload(decode=True)) if found is not None else None


def as_golden(message: EmailMessage) -> str:
    heads = [f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Message-ID", "Content-Language")]
    tree = " ".join(found.get_content_type() for found in message.walk())
    text = part(message, "text/plain")
    assert text is not None
    calendar = part(message, "text/calendar")
    shown = calendar.get_payload(decode=True).decode().replace("\r\n", "\n") if calendar is not None else ""
    return "\n".join([*heads, f"Parts: {tree}", "", text.get_content().replace("\r\n", "\n"), shown])


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("YIXIANG_WRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def write_all(desk: Desk, audience: Audience, lang: str) -> str:
    """Every mail that an audience can get, one after the other, each about the booking in the state it tells of."""
    session, booking = desk.session, desk.booking
    earlier = desk.row("booking_approved", Audience.HOLDER, lang)
    out = []
    for kind, reader, by_lab in WORDING:
        if reader != audience:
            continue
        changed = kind in ("booking_moved", "booking_cancelled")
        desk.set(STATE_OF.get(kind, State.APPROVED), sequence=int(changed))
        data: dict[str, object] = {"by_lab": True} if by_lab else {}
        if by_lab and kind != "booking_moved":
            data["note"] = 2
        if kind == "booking_moved":
            start, end = booking.starts_at - timedelta(days=1), booking.ends_at - timedelta(days=1)
            data["before"] = [start.isoformat(), end.isoformat()]
        if kind == "booking_declined" and by_lab:
            start, end = booking.starts_at + timedelta(days=1), booking.ends_at + timedelta(days=1)
            data["proposed"] = [[start.isoformat(), end.isoformat()]]
        heading = f"=== {kind}{' by the lab' if by_lab else ''} ==="
        out.append(f"{heading}\n{as_golden(desk.compose(desk.row(kind, audience, lang, **data)))}")
        session.expire(earlier)
    return "\n".join(out)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("audience", Audience)
def test_the_words_for_each_audience_are_those_of_its_golden_file(desk: Desk, audience: Audience, lang: str) -> None:
    visit = Visit(
        booking_id=desk.booking.id,
        checked_in_at=desk.booking.starts_at,
        checked_out_at=desk.booking.ends_at - timedelta(minutes=15),
        price_fen=70_000,
        voucher_fen=21_000,
        own_fen=49_000,
    )
    desk.session.add(visit)
    desk.session.flush()
    desk.session.expire_all()
    desk.booking = queries.get_booking_by_id(desk.session, desk.booking.id)

    check_golden(f"{audience}.{lang}.txt", write_all(desk, audience, lang))


@pytest.mark.parametrize("lang", LANGS)
def test_the_monthly_report_is_that_of_its_golden_file(desk: Desk, lang: str) -> None:
    row = desk.row("usage_report", Audience.LAB, lang)
    row.data = {"lab": str(desk.cast.lab.public_id), "month": date(2026, 11, 1).isoformat()}
    desk.session.flush()

    text = as_golden(desk.compose(row, shanghai(2026, 12, 1, 8))).replace(str(desk.cast.lab.public_id), "LAB")

    check_golden(f"usage_report.{lang}.txt", text)


def test_html_says_the_same_words_as_the_text(desk: Desk) -> None:
    message = desk.compose(desk.row("booking_requested", Audience.LAB) if desk.set(State.REQUESTED) is None else None)
    html, text = part(message, "text/html"), part(message, "text/plain")
    assert html is not None and text is not None
    check_golden("letter.html", html.get_content().replace("\r\n", "\n"))

    words = _Words()
    words.feed(html.get_content())
    said = " ".join(words.found)
    for line in text.get_content().splitlines():
        for piece in re.split(r"[:：]\s?", line, maxsplit=1):
            assert piece.strip().removeprefix("—") in said or piece.startswith("//127")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name == "href"]


def test_the_tree_is_the_one_that_all_clients_read(desk: Desk) -> None:
    message = desk.compose(desk.row("booking_approved"))

    assert [found.get_content_type() for found in message.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics",
    ]  # fmt: skip
    calendar, attached = part(message, "text/calendar"), part(message, "application/ics")
    assert calendar is not None and attached is not None
    assert calendar.get_param("method") == "REQUEST" and calendar.get_content_charset() == "utf-8"
    assert calendar.get_payload(decode=True) == attached.get_payload(decode=True)
    assert b"METHOD:REQUEST\r\n" in calendar.get_payload(decode=True)
    assert message["Auto-Submitted"] == "auto-generated"


def test_every_part_is_plain_ascii_on_the_wire_and_lines_are_short(desk: Desk) -> None:
    message = compose(desk.session, desk.row("booking_approved"), OFFICE, now=NOW)
    assert message is not None
    wire = message.as_bytes()

    wire.decode("ascii")
    assert all(len(line) <= 998 for line in wire.split(b"\r\n"))
    assert {found["Content-Transfer-Encoding"] for found in message.walk() if not found.is_multipart()} == {"base64"}


def test_the_organiser_is_the_sender_and_the_attendee_is_the_reader(desk: Desk) -> None:
    message = desk.compose(desk.row("booking_approved"))
    calendar = calendar_of(message)
    assert calendar is not None
    event = calendar.walk("VEVENT")[0]

    assert event["ORGANIZER"] == f"mailto:{message['From'].addresses[0].addr_spec}"
    assert event["ATTENDEE"] == f"mailto:{message['To'].addresses[0].addr_spec}"
    body = calendar.to_ical().decode().replace("\r\n ", "")
    assert "owner@" not in body and "lab@" not in body and "陈晓" not in body


def test_one_booking_keeps_its_uid_through_move_and_cancellation(desk: Desk) -> None:
    seen = []
    for kind, state, sequence in (
        ("booking_approved", State.APPROVED, 0),
        ("booking_moved", State.APPROVED, 1),
        ("booking_cancelled", State.CANCELLED, 2),
    ):
        desk.set(state, sequence)
        calendar = calendar_of(desk.compose(desk.row(kind)))
        assert calendar is not None
        event = calendar.walk("VEVENT")[0]
        seen.append((str(calendar["METHOD"]), str(event["UID"]), int(event["SEQUENCE"]), str(event["STATUS"])))

    uid = desk.booking.calendar_uid
    assert seen == [
        ("REQUEST", uid, 0, "CONFIRMED"),
        ("REQUEST", uid, 1, "CONFIRMED"),
        ("CANCEL", uid, 2, "CANCELLED"),
    ]


def test_nobody_is_uninvited_who_was_never_invited(desk: Desk) -> None:
    desk.set(State.DECLINED)

    assert calendar_of(desk.compose(desk.row("booking_declined", by_lab=True))) is None


def test_an_approval_that_was_dropped_was_no_invitation(desk: Desk) -> None:
    dropped = desk.row("booking_approved")
    outbox.mark_dropped(desk.session, dropped.id, reason="obsolete", now=NOW)
    desk.set(State.CANCELLED, 1)

    assert calendar_of(desk.compose(desk.row("booking_cancelled"))) is None


def test_a_booking_that_waits_again_after_a_move_is_tentative_and_its_refusal_takes_it_out(desk: Desk) -> None:
    desk.row("booking_approved")
    desk.set(State.REQUESTED, 1)
    moved = calendar_of(desk.compose(desk.row("booking_moved")))
    desk.set(State.DECLINED, 1)
    declined = calendar_of(desk.compose(desk.row("booking_declined", by_lab=True)))

    assert moved is not None and declined is not None
    assert moved["METHOD"] == "REQUEST" and moved.walk("VEVENT")[0]["STATUS"] == "TENTATIVE"
    assert declined["METHOD"] == "CANCEL"
    assert declined.walk("VEVENT")[0]["SEQUENCE"] > moved.walk("VEVENT")[0]["SEQUENCE"]


def test_the_lab_and_the_owner_get_no_invitation(desk: Desk) -> None:
    for audience in (Audience.LAB, Audience.OWNER):
        kind = "booking_approved" if audience is Audience.LAB else "booking_completed"
        desk.set(STATE_OF.get(kind, State.APPROVED))
        assert calendar_of(desk.compose(desk.row(kind, audience))) is None


def test_a_second_try_has_the_same_id_and_the_same_bytes(desk: Desk) -> None:
    row = desk.row("booking_approved")

    first, second = (compose(desk.session, row, OFFICE, now=NOW) for _ in range(2))
    later = compose(desk.session, row, OFFICE, now=NOW + timedelta(minutes=5))

    assert first is not None and second is not None and later is not None
    assert first.as_bytes() == second.as_bytes()
    assert later["Message-ID"] == first["Message-ID"] == f"<{row.public_id}@zone.example>"


def test_what_is_no_longer_true_is_not_written(desk: Desk) -> None:
    desk.set(State.CANCELLED, 1)

    assert compose(desk.session, desk.row("reminder_1h", sequence=0), OFFICE, now=NOW) is None


@pytest.mark.parametrize(
    ("hours_before", "said"),
    [(24, "24"), (22, "24"), (21.9, "21"), (13.5, "13"), (12, "12"), (11.9, None), (1.4, None)],
)
def test_a_late_reminder_says_the_hours_that_are_left(desk: Desk, hours_before: float, said: str | None) -> None:
    now = desk.booking.starts_at - timedelta(hours=hours_before)
    chinese_row, english_row = desk.row("reminder_24h"), desk.row("reminder_24h", lang="en")

    if said is None:
        assert compose(desk.session, chinese_row, OFFICE, now=now) is None
        return
    assert str(desk.compose(chinese_row, now)["Subject"]).startswith(f"{said} 小时后：")
    assert str(desk.compose(english_row, now)["Subject"]).startswith(f"In {said} hours: ")


def test_who_has_left_gets_no_mail(desk: Desk) -> None:
    desk.cast.member.disabled_at = NOW
    desk.session.flush()

    assert compose(desk.session, desk.row("booking_approved"), OFFICE, now=NOW) is None


def test_names_cannot_add_headers(desk: Desk) -> None:
    desk.cast.member.name = "李\r\nBcc: evil@example.com"
    desk.cast.equipment.name_zh = "SEM\r\n\r\nX: 1" + "长" * 150
    desk.session.flush()

    message = desk.compose(desk.row("booking_approved"))

    assert message["Bcc"] is None and message["X"] is None
    assert "SEM X: 1" in str(message["Subject"])


@pytest.mark.parametrize("address", ["a@b.c\r\nRCPT TO:<x@y.z>", "a b@example.com", "<a@b.c>", "a@b.c,d@e.f"])
def test_an_unsafe_address_is_refused_not_written_to(desk: Desk, address: str) -> None:
    row = desk.row("booking_approved")
    row.recipient = address

    with pytest.raises(MailRefused):
        compose(desk.session, row, OFFICE, now=NOW)


def test_an_erased_reason_is_not_sent(desk: Desk) -> None:
    desk.set(State.DECLINED)
    row = desk.row("booking_declined", by_lab=True, note=2)
    note = desk.session.get(Note, 2)
    assert note is not None
    note.body = ""
    desk.session.flush()

    text = part(desk.compose(row), "text/plain")
    assert text is not None and "理由" not in text.get_content()


def test_a_time_in_another_zone_says_which(desk: Desk) -> None:
    desk.cast.lab.zone = "Europe/Berlin"
    desk.session.flush()

    text = part(desk.compose(desk.row("booking_approved", lang="en")), "text/plain")
    assert text is not None and "03:00–05:00 (Europe/Berlin)" in text.get_content()


def test_every_wording_is_translated() -> None:
    words = {text for wording in WORDING.values() for text in vars(wording).values()}

    assert not [text for text in words if text not in chinese()]


@pytest.mark.parametrize(
    "name",
    ["电镜 GeminiSEM 500; 𠮷，A–B  c", "SEM, Thu 26 Nov 10:00–12:00", "长" * 120, "a" * 70 + " – " + "b" * 70],
)
def test_a_subject_arrives_as_it_was_written(desk: Desk, name: str) -> None:
    desk.cast.equipment.name_zh = name
    desk.session.flush()

    subject = str(desk.compose(desk.row("booking_approved"))["Subject"])

    assert subject == f"已通过：{' '.join(name.split())}，11 月 26 日 周四 10:00–12:00"


def test_a_mixed_name_arrives_as_it_was_written(desk: Desk) -> None:
    desk.cast.member.name = 'Ünal "U" 李 van der Berg-Schneider, 实验室'
    desk.session.flush()

    message = compose(desk.session, desk.row("booking_approved"), OFFICE, now=NOW)
    assert message is not None
    raw = message_from_bytes(message.as_bytes(), policy=policy.compat32)["To"]

    assert str(make_header(decode_header(raw))) == f"{desk.cast.member.name} <member@example.com>"


@pytest.mark.parametrize("lang", LANGS)
def test_messages_and_questions_are_those_of_their_golden_file(desk: Desk, lang: str) -> None:
    session, cast = desk.session, desk.cast
    session.add(BookingMessage(
        booking_id=desk.booking.id, person_id=cast.member.id, by_lab=False, at=NOW, bundle_at=NOW, note_id=1
    ))  # fmt: skip
    question = Question(
        public_id=UUID("01900000-0000-7000-8000-00000000000b"), equipment_id=cast.equipment.id,
        person_id=cast.member.id, asked_at=NOW, note_id=1,
    )  # fmt: skip
    session.add(question)
    session.flush()
    of_bundle = {"by_lab": False, "bundle_at": NOW.isoformat()}
    asked = {"question": str(question.public_id)}
    letters = [as_golden(desk.compose(desk.row("booking_message", Audience.LAB, lang, **of_bundle)))]
    letters.append(as_golden(desk.compose(desk.row("question_asked", Audience.LAB, lang, **asked))))
    question.answered_at, question.answer_note_id = NOW, 2
    session.flush()
    letters.append(as_golden(desk.compose(desk.row("question_answered", Audience.HOLDER, lang, **asked))))

    text = "\n\n".join(letters).replace(str(cast.equipment.public_id), "INSTRUMENT")

    check_golden(f"papers.{lang}.txt", text)
