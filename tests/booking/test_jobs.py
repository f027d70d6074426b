"""Due work: mails go out once, survive a crash and a broken server; reports are queued on the first workday."""

import logging
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from email import message_from_string, policy
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from booking import jobs, notices
from booking.jobs import Post, deliver_messages, queue_usage_reports, tell_of_overdue_visits
from booking.mail import Office, compose
from booking.models import Booking, State, Visit
from core import outbox
from core.db import read_session, unit_of_work
from core.mail import SmtpServer, open_sender
from core.outbox import ATTEMPTS_MAX, LEASE, OutboxMessage
from core.rendering import Renderer
from equipment.models import CalendarDay, DayKind
from tests.booking.sink import Sink, running_sink
from tests.factories_booking import NOW, Cast, make_booking, make_cast, shanghai

OFFICE = Office(
    Renderer(zone="Asia/Shanghai", static=Path("web/static")), "http://127.0.0.1:8000", "yixiang@zone.example"
)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture
def cast(engine: Engine) -> Cast:
    with unit_of_work(engine) as session:
        return make_cast(session)


def post_to(sink: Sink) -> Post:
    return Post(OFFICE, SmtpServer.parse(sink.url), keeps=False)


def approve(engine: Engine, cast: Cast, **changes: object) -> Booking:
    """An approved booking whose mails are queued; the approval was given an hour after the request."""
    with unit_of_work(engine) as session:
        booking = make_booking(session, cast, requested_at=NOW - timedelta(hours=1), **changes)
        notices.approved(session, booking, NOW)
        return booking


def rows(engine: Engine, kind: str = "") -> list[OutboxMessage]:
    with read_session(engine) as session:
        statement = select(OutboxMessage).order_by(OutboxMessage.id)
        return [row for row in session.scalars(statement) if not kind or row.kind == kind]


def test_a_due_mail_is_sent_once_and_kept_as_sent(engine: Engine, cast: Cast, sink: Sink) -> None:
    approve(engine, cast)

    first = deliver_messages(engine, post_to(sink), now=NOW, limit=20)
    second = deliver_messages(engine, post_to(sink), now=NOW + timedelta(minutes=5), limit=20)

    assert (first, second, len(sink.messages)) == (1, 0, 1)
    (row,) = rows(engine, "booking_approved")
    assert row.sent_at == NOW and sink.envelopes == [("yixiang@zone.example", ("member@example.com",))]
    kept = message_from_string(row.body, policy=policy.default)
    assert kept["Message-ID"] == sink.messages[0]["Message-ID"] == f"<{row.public_id}@zone.example>"


def test_reminders_go_out_when_they_are_due(engine: Engine, cast: Cast, sink: Sink) -> None:
    booking = approve(engine, cast)
    subjects = []
    for before in (timedelta(hours=24, seconds=1), timedelta(hours=24), timedelta(hours=1)):
        sink.messages.clear()
        deliver_messages(engine, post_to(sink), now=booking.starts_at - before, limit=20)
        subjects.append([str(message["Subject"])[:6] for message in sink.messages])

    assert subjects == [["已通过：场发"], ["24 小时后"], ["1 小时后："]]


@pytest.mark.parametrize(
    ("state", "sequence", "late"),
    [(State.CANCELLED, 1, 0), (State.APPROVED, 1, 0), (State.IN_USE, 0, 0), (State.APPROVED, 0, 61)],
)
def test_a_reminder_that_is_no_longer_true_is_dropped(
    engine: Engine, cast: Cast, sink: Sink, state: State, sequence: int, late: int
) -> None:
    booking = approve(engine, cast)
    deliver_messages(engine, post_to(sink), now=NOW, limit=20)
    sink.messages.clear()
    with unit_of_work(engine) as session:
        row = session.get_one(Booking, booking.id)
        row.state, row.calendar_sequence = state, sequence

    due = booking.starts_at - timedelta(hours=1) + timedelta(minutes=late)
    deliver_messages(engine, post_to(sink), now=due, limit=20)

    assert sink.messages == []
    assert {row.last_error for row in rows(engine) if row.kind in notices.REMINDERS} == {"obsolete"}


def visit(engine: Engine, cast: Cast, *, checked_out: bool = False, came: float = 0) -> Booking:
    """A visit of a slot of two hours that begins at NOW, checked in so many hours later."""
    with unit_of_work(engine) as session:
        state = State.COMPLETED if checked_out else State.IN_USE
        booking = make_booking(session, cast, starts_at=NOW, state=state)
        ended_at = booking.ends_at if checked_out else None
        session.add(Visit(booking_id=booking.id, checked_in_at=NOW + timedelta(hours=came), checked_out_at=ended_at))
        return booking


def tell(engine: Engine, hours: float, limit: int = 10) -> int:
    with unit_of_work(engine) as session:
        return tell_of_overdue_visits(session, now=NOW + timedelta(hours=hours), limit=limit)


def test_the_lab_is_told_once_of_a_visit_that_nobody_checked_out(engine: Engine, cast: Cast, sink: Sink) -> None:
    visit(engine, cast)

    told = [tell(engine, hours) for hours in (3, 3.01, 3.02, 50)]
    deliver_messages(engine, post_to(sink), now=NOW + timedelta(hours=4), limit=20)

    assert told == [0, 1, 0, 0]
    assert {to for _, (to,) in sink.envelopes} == {"lab@example.com", "operator@example.com"}
    assert all(str(message["Subject"]).startswith("未签退：") for message in sink.messages)


def test_nobody_is_told_of_a_visit_that_was_checked_out(engine: Engine, cast: Cast) -> None:
    visit(engine, cast, checked_out=True)

    assert tell(engine, 50) == 0


def test_who_came_late_is_overdue_an_hour_after_the_check_in(engine: Engine, cast: Cast) -> None:
    visit(engine, cast, came=10)

    assert [tell(engine, hours) for hours in (11, 11.01)] == [0, 1]


def test_overdue_visits_are_told_in_batches(engine: Engine, cast: Cast) -> None:
    for _ in range(3):
        visit(engine, cast)

    assert [tell(engine, 4, limit=2) for _ in range(3)] == [2, 1, 0]


def test_a_check_out_in_the_meantime_makes_the_mail_obsolete(engine: Engine, cast: Cast, sink: Sink) -> None:
    booking = visit(engine, cast)
    tell(engine, 4)
    with unit_of_work(engine) as session:
        session.get_one(Booking, booking.id).state = State.COMPLETED

    deliver_messages(engine, post_to(sink), now=NOW + timedelta(hours=4), limit=20)

    assert sink.messages == []
    assert {row.last_error for row in rows(engine, "visit_overdue")} == {"obsolete"}


def test_a_process_killed_between_sending_and_marking_sends_again_with_the_same_id(
    engine: Engine, cast: Cast, sink: Sink
) -> None:
    approve(engine, cast)
    with unit_of_work(engine) as session:
        (claimed,) = outbox.claim_due(session, now=NOW, limit=20)
    with read_session(engine) as session:
        message = compose(session, claimed, OFFICE, now=NOW)
    assert message is not None
    with open_sender(SmtpServer.parse(sink.url)) as sender:
        sender.send(message)
    # Here the process dies: nothing was marked, the lease stands.

    assert deliver_messages(engine, post_to(sink), now=NOW + LEASE, limit=20) == 0
    assert deliver_messages(engine, post_to(sink), now=NOW + LEASE + timedelta(seconds=1), limit=20) == 1

    assert len(sink.messages) == 2 and len(sink.ids()) == 1
    assert rows(engine, "booking_approved")[0].attempts == 2


def deliver_in_four_threads(engine: Engine, cast: Cast, sink: Sink, mails: int) -> list[BaseException]:
    """Queue receipts, let four threads deliver them all, and say what went wrong."""
    with unit_of_work(engine) as session:
        for number in range(mails):
            starts_at = NOW + timedelta(hours=3 * number + 1)
            booking = make_booking(session, cast, starts_at=starts_at, state=State.COMPLETED, person_id=cast.owner.id)
            notices.completed(session, booking, NOW)
    failures: list[BaseException] = []
    together = threading.Barrier(4)

    def work() -> None:
        try:
            together.wait(10)
            while deliver_messages(engine, post_to(sink), now=NOW, limit=7):
                pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return failures


def test_four_threads_deliver_two_hundred_mails_without_a_duplicate(engine: Engine, cast: Cast, sink: Sink) -> None:
    assert deliver_in_four_threads(engine, cast, sink, 200) == []

    assert len(sink.messages) == 200 and set(sink.ids().values()) == {1}
    assert all(row.sent_at and row.attempts == 1 for row in rows(engine))


def test_without_the_lease_the_same_threads_do_send_duplicates(
    engine: Engine, cast: Cast, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LEASE", timedelta(seconds=-1))

    assert deliver_in_four_threads(engine, cast, sink, 40) == []

    assert max(sink.ids().values()) > 1


def test_a_refused_reader_does_not_hold_up_the_others(engine: Engine, cast: Cast, sink: Sink) -> None:
    approve(engine, cast)
    approve(engine, cast, person_id=cast.owner.id, starts_at=NOW + timedelta(days=4))
    sink.rcpt_answers["member@example.com"] = "550 no such user"

    assert deliver_messages(engine, post_to(sink), now=NOW, limit=20) == 2

    first, second = rows(engine, "booking_approved")
    assert first.dropped_at == NOW and first.last_error == "550 no such user"
    assert second.sent_at == NOW


def test_a_delayed_mail_is_tried_later_and_later_and_at_last_given_up(engine: Engine, cast: Cast, sink: Sink) -> None:
    approve(engine, cast, starts_at=NOW + timedelta(days=30))
    sink.rcpt_answers["member@example.com"] = "451 try later"
    waits, now = [], NOW
    for _ in range(ATTEMPTS_MAX):
        deliver_messages(engine, post_to(sink), now=now, limit=20)
        (row,) = rows(engine, "booking_approved")
        waits.append(row.due_at - now)
        now = row.due_at

    assert waits == sorted(waits) and waits[0] == timedelta(minutes=2)
    assert row.dropped_at and not row.sent_at and "451" in row.last_error


def test_a_server_that_is_down_costs_no_attempt_and_is_asked_again(engine: Engine, cast: Cast, sink: Sink) -> None:
    approve(engine, cast)
    approve(engine, cast, starts_at=NOW + timedelta(days=4))
    down = Post(OFFICE, SmtpServer("127.0.0.1", 1), keeps=False)

    assert deliver_messages(engine, down, now=NOW, limit=20) == 0
    assert {row.attempts for row in rows(engine)} == {0}

    assert deliver_messages(engine, post_to(sink), now=NOW + timedelta(minutes=1), limit=20) == 2
    assert len(sink.messages) == 2


def test_a_batch_that_takes_too_long_gives_the_rest_back(
    engine: Engine, cast: Cast, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(engine, cast)
    monkeypatch.setattr(jobs, "BATCH_S", -1.0)

    assert deliver_messages(engine, post_to(sink), now=NOW, limit=20) == 0
    assert rows(engine, "booking_approved")[0].attempts == 0


def test_a_mail_that_cannot_be_written_does_not_hold_up_the_others(
    engine: Engine, cast: Cast, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    with unit_of_work(engine) as session:
        stray = outbox.message(
            kind="unheard_of", subject="x", recipient="member@example.com", person_id=cast.member.id, locale="en",
            now=NOW - timedelta(minutes=1),
        )  # fmt: skip
        outbox.put(session, [stray])
    approve(engine, cast)

    assert deliver_messages(engine, post_to(sink), now=NOW, limit=20) == 2
    assert len(sink.messages) == 1
    assert rows(engine, "unheard_of")[0].last_error.startswith("KeyError")


def test_in_the_demonstration_mails_are_kept_as_sent_without_a_server(engine: Engine, cast: Cast) -> None:
    approve(engine, cast)

    assert deliver_messages(engine, Post(OFFICE, None, keeps=True), now=NOW, limit=20) == 1
    (row,) = rows(engine, "booking_approved")
    assert row.sent_at == NOW and "text/calendar" in row.body


def test_without_a_server_mails_wait_and_the_log_says_what_to_set(
    engine: Engine, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    approve(engine, cast)
    post = Post(OFFICE, None, keeps=False)

    with caplog.at_level(logging.WARNING, "yixiang.mail"):
        for _ in range(3):
            assert deliver_messages(engine, post, now=NOW, limit=20) == 0

    assert [record.getMessage() for record in caplog.records] == [
        "mails that wait: 1; set YIXIANG_SMTP_URL to smtp://user:password@host:port to send them"
    ]
    assert rows(engine, "booking_approved")[0].sent_at is None


@pytest.mark.parametrize(
    ("now", "queued"),
    [
        (shanghai(2026, 11, 1, 12), 0),  # a Sunday
        (shanghai(2026, 11, 2, 7, 59), 0),
        (shanghai(2026, 11, 2, 8), 1),
        (shanghai(2026, 11, 20, 3), 1),  # late, after a stop
        (shanghai(2026, 10, 8, 12), 0),  # 1 to 8 October are off here
        (shanghai(2026, 10, 9, 9), 1),
    ],
)
def test_the_report_is_queued_on_the_first_workday_once(engine: Engine, cast: Cast, now: datetime, queued: int) -> None:
    with unit_of_work(engine) as session:
        session.add_all(CalendarDay(on=date(2026, 10, day), kind=DayKind.OFF) for day in range(1, 9))

    for expected in (queued, 0):
        with unit_of_work(engine) as session:
            assert queue_usage_reports(session, now=now, limit=10) == expected


def test_the_report_is_about_the_month_before_and_reads_as_a_mail(engine: Engine, cast: Cast, sink: Sink) -> None:
    now = shanghai(2026, 11, 2, 9)
    with unit_of_work(engine) as session:
        make_booking(session, cast, starts_at=shanghai(2026, 10, 12, 9), state=State.COMPLETED)
        queue_usage_reports(session, now=now, limit=10)

    deliver_messages(engine, post_to(sink), now=now, limit=20)

    (message,) = sink.messages
    assert message["To"].addresses[0].addr_spec == "lab@example.com"
    assert "2026 年 10 月" in str(message["Subject"])
