"""The clock that calls due work. In memory, one in each process that serves or works.

It holds nothing: what is due stands in rows, and jobs claim rows, so any number of processes may tick. A tick that is
late or missed is made up for by the next one.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from booking import deciding, holds, visits, waitlist
from booking import jobs as booking_jobs
from booking.jobs import Post
from booking.mail import Office
from core import idempotency, outbox
from core.db import unit_of_work
from core.errors import Unavailable
from core.http import Site
from core.mail import SmtpServer
from core.trace import request_id
from equipment import price_lists, terms
from equipment.importing import staging
from vouchers import jobs as voucher_jobs
from web.demo import story

log = logging.getLogger("yixiang.clock")

#: Threads of the clock; the connection pool keeps four for it beside those of the requests.
THREADS = 2
#: A late job is run all the same unless it is this late, and then the next tick does its work.
GRACE_S = 300
#: At most so many batches of one job per tick, so that a long queue does not hold up the others.
ROUNDS_MAX = 50

DueWork = Callable[..., int]


@dataclass(frozen=True)
class Job:
    """One kind of due work: how often to look, and how much to do in one unit of work."""

    name: str
    every_s: int
    batch: int
    #: `(session, *, now, limit) -> int`; None for delivery, which has units of work of its own.
    run: DueWork | None
    #: True: `(engine, *, now, limit) -> int`, with units of work of its own.
    takes_engine: bool = False


JOBS: tuple[Job, ...] = (
    Job("deliver_messages", 5, 20, None),
    Job("expire_requests", 15, 1, deciding.expire_requests),
    Job("nudge_deciders", 30, 1, deciding.nudge_deciders),
    Job("mark_no_shows", 15, 1, visits.mark_no_shows),
    Job("tell_of_overdue_visits", 60, 50, booking_jobs.tell_of_overdue_visits),
    Job("lapse_vouchers", 60, 50, voucher_jobs.lapse_vouchers),
    Job("queue_usage_reports", 600, 20, booking_jobs.queue_usage_reports),
    Job("drop_expired_holds", 15, 100, holds.drop_expired_holds),
    Job("tend_waitlist", 5, 50, waitlist.tend_waitlist, takes_engine=True),
    Job("stage_imports", 2, 1, staging.stage_waiting, takes_engine=True),
    Job("refresh_due_prices", 600, 500, price_lists.refresh_due_prices),
    Job("keep_terms_current", 60, 500, terms.keep_all_current),
    Job("forget_old_keys", 900, 500, idempotency.forget_old_keys),
    Job("blank_old_bodies", 900, 200, outbox.blank_old_bodies),
)
#: The demonstration goes on by itself: others come to their visits, and whenever it is quiet somebody books.
DEMO_JOBS: tuple[Job, ...] = (
    Job("play_visits", 5, 200, story.play_visits, takes_engine=True),
    Job("keep_lively", 30, 300, story.keep_lively, takes_engine=True),
)


def jobs_of(site: Site) -> tuple[Job, ...]:
    return JOBS + DEMO_JOBS if site.settings.demo else JOBS


@dataclass
class LastRun:
    """What the last tick of a job did; for the diagnostics page of this process."""

    at: datetime | None = None
    done: int = 0
    took_ms: int = 0
    error: str = ""


@dataclass
class Clockwork:
    """All due work over one site."""

    site: Site
    post: Post
    last_runs: dict[str, LastRun] = field(default_factory=dict)

    def tick(self, job: Job) -> int:
        """Run one job until nothing is due, and never raise: the clock goes on."""
        token = request_id.set(f"job:{job.name}")
        last = LastRun(at=self.site.clock.now())
        started = time.perf_counter()
        try:
            last.done = self._run_rounds(job)
        except Unavailable:
            last.error = "busy"
            log.info("%s: the database is busy; the next tick does it", job.name)
        except Exception as error:  # the next tick tries again; the log keeps the trace
            last.error = type(error).__name__
            log.exception("%s failed", job.name)
        finally:
            last.took_ms = round((time.perf_counter() - started) * 1000)
            self.last_runs[job.name] = last
            request_id.reset(token)
        if last.done:
            log.info("%s: %d done in %d ms", job.name, last.done, last.took_ms)
        return last.done

    def tick_all(self) -> int:
        """Everything that is due now, once, in order; then the mails that it caused."""
        deliver, *others = JOBS
        return sum(self.tick(job) for job in (*others, deliver))

    def _run_rounds(self, job: Job) -> int:
        total = 0
        for _ in range(ROUNDS_MAX):
            done = self._run_once(job, self.site.clock.now())
            total += done
            if done < job.batch:
                break
        return total

    def _run_once(self, job: Job, now: datetime) -> int:
        engine = self.site.engine
        if job.run is not None and job.takes_engine:
            return job.run(engine, now=now, limit=job.batch)
        if job.run is None:
            return booking_jobs.deliver_messages(engine, self.post, now=now, limit=job.batch)
        with unit_of_work(engine) as session:
            return job.run(session, now=now, limit=job.batch)


def make_clockwork(site: Site) -> Clockwork:
    """Raises ValueError for an SMTP address that cannot be read: better at the start than at the first mail."""
    settings = site.settings
    office = Office(site.renderer, settings.base_url, settings.mail_from)
    server = SmtpServer.parse(settings.smtp_url) if settings.smtp_url else None
    return Clockwork(site, Post(office, server, keeps=settings.demo))


def start_clock(site: Site) -> Callable[[], None]:
    """Start ticking in threads of this process; the answer stops it and waits for the jobs that are running."""
    clockwork = make_clockwork(site)
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(THREADS)},
        job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": GRACE_S},
        timezone="UTC",
    )
    for job in jobs_of(site):
        scheduler.add_job(
            clockwork.tick, "interval", args=[job], seconds=job.every_s, jitter=min(job.every_s // 5, 10), id=job.name
        )
    scheduler.start()
    return lambda: scheduler.shutdown(wait=True)
