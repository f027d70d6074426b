"""The demonstration's mailbox: what was sent, what waits, and the invitation as a calendar program reads it."""

import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from icalendar import Calendar
from sqlalchemy import Engine, select

from booking import notices
from booking.jobs import Post, deliver_messages
from booking.mail import Office
from booking.models import State
from core.clock import Clock
from core.config import Settings
from core.db import read_session, unit_of_work
from core.http import Site, install_error_answers
from core.middleware import Surroundings
from core.outbox import OutboxMessage
from core.rendering import Renderer
from tests.factories_booking import NOW, make_booking, make_cast, tell_placed
from web.demo import mailbox

RENDERER = Renderer(zone="Asia/Shanghai", static=Path("web/static"))


class FixedClock(Clock):
    def now(self) -> datetime:
        return NOW


class Reader:
    """A browser at the mailbox, after an approval, a cancellation and a reminder that no longer holds."""

    def __init__(self, engine: Engine) -> None:
        post = Post(Office(RENDERER, "http://127.0.0.1:8000", "yixiang@zone.example"), None, keeps=True)
        with unit_of_work(engine) as session:
            cast = make_cast(session)
            session.merge(cast.equipment).name_zh = "<b>电镜</b>"
            tell_placed(session, make_booking(session, cast))
        deliver_messages(engine, post, now=NOW, limit=20)
        with unit_of_work(engine) as session:
            cancelled = make_booking(session, cast, starts_at=NOW + timedelta(days=5), state=State.APPROVED)
            tell_placed(session, cancelled)
            cancelled.state, cancelled.calendar_sequence = State.CANCELLED, 1
            session.flush()
            notices.cancelled(session, cancelled, NOW, by_lab=True)
        deliver_messages(engine, post, now=NOW, limit=20)
        self.engine = engine
        app = FastAPI()
        settings = Settings(demo=True, _env_file=None)  # type: ignore[call-arg]
        app.state.site = Site(engine, settings, FixedClock(), RENDERER, b"secret")
        app.include_router(mailbox.router)
        install_error_answers(app)
        app.add_middleware(Surroundings)
        self.client = TestClient(app)

    def get(self, path: str = "", lang: str = "zh-CN") -> Any:
        return self.client.get(f"/demo/mailbox{path}", headers={"accept-language": lang})

    def row(self, kind: str, *, sent: bool = True) -> OutboxMessage:
        with read_session(self.engine) as session:
            statement = select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)
            return next(row for row in session.scalars(statement) if bool(row.sent_at) == sent)


@pytest.fixture
def reader(engine: Engine) -> Reader:
    return Reader(engine)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_list_shows_what_was_sent_what_waits_and_what_was_dropped(reader: Reader, lang: str) -> None:
    words = {"sent": ("已发送", "Sent"), "waiting": ("定时发送", "Scheduled"), "dropped": ("未发送", "Not sent")}
    for shelf, (chinese, english) in words.items():
        answer = reader.get(f"?show={shelf}", lang)

        assert answer.status_code == 200 and answer.text.count("<tr>") > 2
        assert f">{chinese if lang == 'zh-CN' else english}</span>" in answer.text
        assert "<b>电镜</b>" not in answer.text and "style=" not in answer.text


def test_the_list_is_narrowed_to_one_reader(reader: Reader) -> None:
    mine, theirs = reader.get("?to=member@example.com").text, reader.get("?to=lab@example.com").text

    assert 'data-label="收件人">member@example.com' in mine and 'data-label="收件人">lab@example.com' not in mine
    assert 'data-label="收件人">lab@example.com' in theirs
    assert "还没有邮件" in reader.get("?to=nobody@example.com").text


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize(("kind", "method"), [("booking_approved", "REQUEST"), ("booking_cancelled", "CANCEL")])
def test_a_mail_shows_its_words_and_its_invitation(reader: Reader, kind: str, method: str, lang: str) -> None:
    row = reader.row(kind)
    page = reader.get(f"/{row.public_id}", lang)

    # The approval of the cancelled booking was dropped, so its cancellation carries nothing to take back.
    assert page.status_code == 200 and "http://127.0.0.1:8000/bookings/" in page.text
    assert (f">{method}<" in page.text) is (kind == "booking_approved")
    assert "<b>电镜</b>" not in page.text and "&lt;b&gt;电镜&lt;/b&gt;" in page.text


def test_the_invitation_and_the_whole_message_are_files(reader: Reader) -> None:
    row = reader.row("booking_approved")
    ics, eml = reader.get(f"/{row.public_id}.ics"), reader.get(f"/{row.public_id}.eml")

    assert Calendar.from_ical(ics.content)["METHOD"] == "REQUEST"
    assert ics.headers["content-type"].startswith("text/calendar")
    message = message_from_bytes(eml.content, policy=policy.default)
    assert message["Message-ID"] == f"<{row.public_id}@zone.example>"


def test_a_mail_that_waits_says_when_it_goes_out(reader: Reader) -> None:
    row = reader.row("reminder_24h", sent=False)
    page = reader.get(f"/{row.public_id}")

    assert page.status_code == 200 and "member@example.com" in page.text
    assert reader.get(f"/{row.public_id}.eml").status_code == 404


def test_what_was_sent_last_stands_first_whenever_it_was_queued(reader: Reader) -> None:
    with unit_of_work(reader.engine) as session:
        reminder = session.merge(reader.row("reminder_24h", sent=False))
        reminder.sent_at = NOW + timedelta(days=2)

    first = re.search(r"/demo/mailbox/([0-9a-f-]{36})", reader.get().text)
    assert first is not None and first[1] == str(reminder.public_id)


def test_a_page_too_far_and_a_wrong_tab_are_empty_or_the_first(reader: Reader) -> None:
    assert reader.get("?page=99").status_code == 200
    assert reader.get("?show=nonsense").status_code == 200
    assert reader.get("?page=0").status_code == 422


def test_unknown_mails_are_not_found(reader: Reader) -> None:
    for path in ("/01900000-0000-7000-8000-000000000000", "/x", "/x.eml", "/01900000-0000-7000-8000-000000000000.ics"):
        assert reader.get(path).status_code == 404
    assert reader.get(f"/{reader.row('booking_approved').public_id}.pdf").status_code == 404
