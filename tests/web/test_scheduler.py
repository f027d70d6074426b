"""The clock: it calls every job, outlives their failures, and stops when told."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from booking.models import Booking, State
from core import clock
from core.clock import DemoClock
from core.config import Settings
from core.db import read_session, unit_of_work
from core.http import Site
from core.outbox import OutboxMessage
from core.rendering import Renderer
from tests.booking.sink import running_sink
from tests.factories_booking import make_booking, make_cast, tell_placed
from web import scheduler
from web.scheduler import JOBS, Clockwork, Job, make_clockwork, start_clock


def make_site(engine: Engine, **changes: object) -> Site:
    settings = Settings(_env_file=None, **({"demo": True} | changes))  # type: ignore[arg-type]
    renderer = Renderer(zone="Asia/Shanghai", static=Path("web/static"))
    return Site(engine, settings, DemoClock(engine), renderer, b"secret")


def ask(engine: Engine, site: Site) -> Booking:
    """A request that the lab has an hour to decide on."""
    now = site.clock.now()
    with unit_of_work(engine) as session:
        cast = make_cast(session)
        booking = make_booking(
            session,
            cast,
            starts_at=now + timedelta(days=3),
            state=State.REQUESTED,
            requested_at=now,
            decide_by=now + timedelta(hours=1),
        )
        tell_placed(session, booking, now)
        return booking


def kinds(engine: Engine) -> dict[str, bool]:
    """Kind of mail to who asked -> whether it was sent."""
    with read_session(engine) as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.recipient == "member@example.com"))
        return {row.kind: bool(row.sent_at) for row in rows}


def test_moving_the_clock_makes_due_work_happen_and_its_mail_go_out(engine: Engine) -> None:
    site = make_site(engine)
    ask(engine, site)
    clockwork = make_clockwork(site)

    clockwork.tick_all()
    assert kinds(engine) == {"request_received": True}

    with unit_of_work(engine) as session:
        clock.advance(session, timedelta(hours=2))
    clockwork.tick_all()
    assert kinds(engine) == {"request_received": True, "booking_expired": True}
    assert {name for name, last in clockwork.last_runs.items() if not last.error} == {job.name for job in JOBS}


def test_a_job_that_fails_is_written_down_and_does_not_stop_the_clock(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_session: Session, *, now: object, limit: int) -> int:
        raise KeyError(limit)

    clockwork = make_clockwork(make_site(engine))

    assert clockwork.tick(Job("fails", 5, 1, fail)) == 0
    assert clockwork.last_runs["fails"].error == "KeyError"
    assert "fails failed" in caplog.text


def test_a_full_batch_is_followed_by_another_until_nothing_is_due(engine: Engine) -> None:
    left = [7]

    def work(_session: Session, *, now: object, limit: int) -> int:
        done = min(limit, left[0])
        left[0] -= done
        return done

    assert make_clockwork(make_site(engine)).tick(Job("work", 5, 3, work)) == 7


def test_an_endless_queue_does_not_hold_up_the_other_jobs(engine: Engine) -> None:
    clockwork = make_clockwork(make_site(engine))

    assert clockwork.tick(Job("endless", 5, 1, lambda _session, *, now, limit: limit)) == scheduler.ROUNDS_MAX


def test_a_wrong_mail_address_stops_the_start_not_the_first_mail(engine: Engine) -> None:
    with pytest.raises(ValueError):
        make_clockwork(make_site(engine, smtp_url="mail.example.com"))


def test_the_running_clock_sends_mail_and_stops(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "JOBS", tuple(replace(job, every_s=1) for job in JOBS))
    with running_sink() as sink:
        site = make_site(engine, smtp_url=sink.url, mail_from="yixiang@zone.example")
        ask(engine, site)
        stop = start_clock(site)
        deadline = time.monotonic() + 20
        while len(sink.messages) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        stop()

    assert len(sink.messages) == 2 and set(sink.ids().values()) == {1}
    assert not [thread for thread in threading.enumerate() if "APScheduler" in thread.name]


def test_two_clocks_on_one_database_do_the_work_once(engine: Engine) -> None:
    site = make_site(engine)
    ask(engine, site)
    with unit_of_work(engine) as session:
        clock.advance(session, timedelta(hours=2))
    clocks: list[Clockwork] = [make_clockwork(site) for _ in range(2)]

    threads = [threading.Thread(target=clockwork.tick_all) for clockwork in clocks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    clocks[0].tick_all()

    with read_session(engine) as session:
        rows = session.scalars(select(OutboxMessage)).all()
        assert sorted(row.kind for row in rows if row.kind == "booking_expired") == ["booking_expired"] * 2
        assert all(row.attempts <= 1 for row in rows)
