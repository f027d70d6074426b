"""Who is written to when a booking changes, and when a queued mail is no longer true."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import ColumnElement, Engine, select
from sqlalchemy.orm import Session

from booking import notices
from booking.models import Booking, Source, State
from core.db import unit_of_work, write_waiting
from core.outbox import OutboxMessage
from core.slot import Slot
from members.models import Membership, OrganisationKind, Role
from tests.factories_booking import NOW, Cast, make_booking, make_cast, make_organisation, make_person, tell_placed


@pytest.fixture
def cast_and_session(engine: Engine) -> object:
    with unit_of_work(engine) as session:
        yield make_cast(session), session


def messages(session: Session, *wanted: ColumnElement[bool]) -> list[OutboxMessage]:
    write_waiting(session)
    return list(session.scalars(select(OutboxMessage).where(*wanted).order_by(OutboxMessage.due_at)))


def queued(session: Session, *, dropped: bool = False) -> set[tuple[str, str]]:
    rows = messages(session)
    return {(row.kind, row.recipient.split("@")[0]) for row in rows if bool(row.dropped_at) == dropped}


def test_a_request_reaches_the_manager_who_decides_and_who_asked(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    booking = make_booking(session, cast, state=State.REQUESTED, decide_by=NOW + timedelta(days=2))

    tell_placed(session, booking)

    assert queued(session) == {("request_received", "member"), ("booking_requested", "lab")}


def test_a_lab_without_a_manager_has_its_operators_told(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    cast.manager.disabled_at = NOW
    session.flush()

    tell_placed(session, make_booking(session, cast, state=State.REQUESTED))

    assert ("booking_requested", "operator") in queued(session)


def test_an_approval_by_the_lab_is_no_news_to_the_lab(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session

    notices.approved(session, make_booking(session, cast), NOW + timedelta(hours=1))

    assert queued(session) == {("booking_approved", "member"), ("reminder_24h", "member"), ("reminder_1h", "member")}


def test_an_instrument_that_approves_by_itself_tells_the_lab(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session

    tell_placed(session, make_booking(session, cast))

    assert {("booking_approved", "lab"), ("booking_approved", "operator")} <= queued(session)


def test_what_the_lab_entered_is_not_told_to_the_lab(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session

    tell_placed(session, make_booking(session, cast, source=Source.LAB))

    assert not {reader for _, reader in queued(session)} & {"lab", "operator"}


@pytest.mark.parametrize(
    ("ahead", "kinds"),
    [
        (timedelta(days=3), {"reminder_24h", "reminder_1h"}),
        (timedelta(hours=24), {"reminder_1h"}),
        (timedelta(hours=2), {"reminder_1h"}),
        (timedelta(minutes=60), set()),
        (timedelta(minutes=30), set()),
    ],
)
def test_only_reminders_that_lie_ahead_are_queued(engine: Engine, ahead: timedelta, kinds: set[str]) -> None:
    with unit_of_work(engine) as session:
        cast = make_cast(session)

        tell_placed(session, make_booking(session, cast, starts_at=NOW + ahead))

        rows = messages(session, OutboxMessage.kind.startswith("reminder"))
        assert {row.kind for row in rows} == kinds
        assert all(row.due_at > NOW for row in rows)


def test_back_to_back_bookings_of_one_person_each_have_their_reminders(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    first = make_booking(session, cast)
    second = make_booking(session, cast, starts_at=first.ends_at)

    notices.approved(session, first, NOW + timedelta(hours=1))
    notices.approved(session, second, NOW + timedelta(hours=1))

    assert [row.due_at for row in messages(session, OutboxMessage.kind == "reminder_1h")] == [
        first.starts_at - timedelta(hours=1),
        second.starts_at - timedelta(hours=1),
    ]


def test_a_move_drops_the_old_reminders_and_queues_new_ones(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    booking = make_booking(session, cast)
    notices.approved(session, booking, NOW + timedelta(hours=1))

    was = move(session, booking, timedelta(days=1))
    notices.moved(session, booking, NOW + timedelta(hours=2), was=was)

    assert queued(session, dropped=True) == {("reminder_24h", "member"), ("reminder_1h", "member")}
    (live,) = messages(session, OutboxMessage.kind == "reminder_24h", OutboxMessage.dropped_at.is_(None))
    assert live.due_at == booking.starts_at - timedelta(hours=24)


def test_a_move_that_must_be_approved_again_has_no_reminders_and_asks_the_managers(
    cast_and_session: tuple[Cast, Session],
) -> None:
    cast, session = cast_and_session
    booking = make_booking(session, cast, state=State.REQUESTED)

    notices.moved(session, booking, NOW, was=booking.slot)

    assert queued(session) == {("booking_moved", "member"), ("booking_moved", "lab")}


def test_a_move_by_the_lab_is_told_to_who_booked_alone(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    booking = make_booking(session, cast)

    notices.moved(session, booking, NOW, was=booking.slot, by_lab=True)

    assert {reader for _, reader in queued(session)} == {"member"}


@pytest.mark.parametrize(("by_lab", "readers"), [(True, {"member"}), (False, {"member", "lab", "operator"})])
def test_a_cancellation_drops_reminders_and_tells_the_other_side(
    engine: Engine, by_lab: bool, readers: set[str]
) -> None:
    with unit_of_work(engine) as session:
        cast = make_cast(session)
        booking = make_booking(session, cast)
        notices.approved(session, booking, NOW + timedelta(hours=1))
        booking.state, booking.calendar_sequence = State.CANCELLED, 1
        session.flush()

        notices.cancelled(session, booking, NOW + timedelta(hours=2), by_lab=by_lab)

        assert {reader for kind, reader in queued(session) if kind == "booking_cancelled"} == readers
        assert queued(session, dropped=True) == {("reminder_24h", "member"), ("reminder_1h", "member")}


def test_the_receipt_goes_to_who_booked_and_to_the_owner_once_each(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session

    notices.completed(session, make_booking(session, cast, state=State.COMPLETED), NOW)
    notices.completed(session, make_booking(session, cast, state=State.COMPLETED, person_id=cast.owner.id), NOW)

    rows = messages(session, OutboxMessage.kind == "booking_completed")
    assert sorted(row.recipient.split("@")[0] for row in rows) == ["member", "owner", "owner"]


def test_the_same_notice_twice_is_one_mail(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    booking = make_booking(session, cast, state=State.NO_SHOW)

    notices.no_show(session, booking, NOW)
    notices.no_show(session, booking, NOW)

    assert len(messages(session)) == 3


def test_staff_of_another_lab_and_people_without_a_role_get_nothing(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    other = make_organisation(session, OrganisationKind.INSTITUTE, "邻所", "Neighbour")
    stranger = make_person(session, "外人", "stranger@example.com")
    session.add(Membership(person_id=stranger.id, organisation_id=other.id, role=Role.LAB_MANAGER))
    session.flush()

    booking = make_booking(session, cast, state=State.REQUESTED)
    tell_placed(session, booking)
    notices.expired(session, booking, NOW)

    assert "stranger" not in {reader for _, reader in queued(session)}


def test_mail_speaks_the_language_that_the_recipient_chose(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    cast.member.locale, cast.manager.locale = "en", ""
    session.flush()

    tell_placed(session, make_booking(session, cast, state=State.REQUESTED))

    locales = {row.recipient.split("@")[0]: row.locale for row in messages(session)}
    assert locales == {"member": "en", "lab": "zh-CN"}


def test_a_report_is_queued_once_per_lab_and_month(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    month = NOW.date().replace(day=1)

    for _ in range(2):
        notices.usage_report(session, cast.lab.id, cast.lab.public_id, month, NOW)

    assert queued(session) == {("usage_report", "lab")}
    assert len(messages(session)) == 1


@pytest.mark.parametrize(
    ("kind", "state", "sequence", "at", "is_true"),
    [
        ("booking_requested", State.REQUESTED, 0, 0, True),
        ("booking_requested", State.APPROVED, 0, 0, False),
        ("booking_requested", State.REQUESTED, 1, 0, False),
        ("booking_approved", State.IN_USE, 0, 0, True),
        ("booking_approved", State.CANCELLED, 1, 0, False),
        ("booking_approved", State.APPROVED, 1, 0, False),
        ("booking_cancelled", State.CANCELLED, 7, 0, True),
        ("reminder_1h", State.APPROVED, 0, 71, True),
        ("reminder_1h", State.APPROVED, 0, 72, False),
        ("reminder_1h", State.IN_USE, 0, 0, False),
        ("reminder_24h", State.NO_SHOW, 0, 0, False),
        ("booking_expired", State.EXPIRED, 0, 0, True),
        ("booking_no_show", State.COMPLETED, 0, 0, False),
    ],
)
def test_a_mail_is_true_only_of_the_state_and_time_it_was_queued_for(
    kind: str, state: State, sequence: int, at: int, is_true: bool
) -> None:
    booking = Booking(state=state, calendar_sequence=sequence, starts_at=NOW + timedelta(hours=72))

    assert notices.is_still_true(kind, {"sequence": 0}, booking, NOW + timedelta(hours=at)) is is_true


def move(session: Session, booking: Booking, by: timedelta) -> Slot:
    """What a move leaves in the row; returns the slot before."""
    was = booking.slot
    start: datetime = booking.starts_at + by
    booking.starts_at, booking.ends_at = start, booking.ends_at + by
    booking.calendar_sequence += 1
    session.flush()
    return was
