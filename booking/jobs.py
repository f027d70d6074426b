"""Due work of booking: mails, overdue visits, monthly reports. Bounded, safe to run twice, safe to run late."""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, exists, func, select
from sqlalchemy.orm import Session

from booking import months, notices, queries, visits
from booking.mail import Office, compose
from core import outbox
from core.db import read_session, unit_of_work
from core.errors import Unavailable
from core.mail import MailNotSent, MailRefused, MailServerDown, Sender, SmtpServer, open_sender
from core.outbox import OutboxMessage
from core.slot import Slot, local_date, local_day
from equipment import queries as catalogue
from equipment.models import Equipment, Lab, LabStaff

log = logging.getLogger("yixiang.mail")

#: How long one batch may take before the rest is given back: well inside the lease, with room for one slow send.
BATCH_S = 30.0
WARN_EVERY_S = 600.0
#: A message that was sent but not marked goes out twice, so a busy database is asked again.
MARK_ATTEMPTS = 5
REPORT_HOUR = 8


@dataclass
class Post:
    """Where mail leaves the house."""

    office: Office
    #: None: there is no mail server.
    server: SmtpServer | None
    #: Without a server: True keeps every mail as sent (the demonstration's mailbox), False lets it wait.
    keeps: bool
    _warned_at: float = field(default=float("-inf"), repr=False)

    @property
    def is_closed(self) -> bool:
        return self.server is None and not self.keeps


def deliver_messages(engine: Engine, post: Post, *, now: datetime, limit: int) -> int:
    """Job, with its own units of work because sockets stay outside of them:

    1. without a mail server say how many messages wait, and stop;
    2. claim at most `limit` due messages under a lease, in one unit of work;
    3. for each: look whether it is still true and write it, in a short read; drop it if it is obsolete;
    4. hand it to the mail server, in no transaction;
    5. mark it sent, or to be tried later, or given up, in a unit of work of its own;
    6. when the server is down or the batch takes too long, give the rest back;
    7. say how many were dealt with.

    A process that dies between 4 and 5 leaves its lease to run out: the message goes out once more, with the same
    Message-ID.
    """
    if post.is_closed:
        _warn_of_waiting(engine, post, now)
        return 0
    with unit_of_work(engine) as session:
        rows = outbox.claim_due(session, now=now, limit=limit)
    if not rows:
        return 0
    started = time.monotonic()
    done = 0
    with open_sender(post.server) as sender:
        for row in rows:
            if time.monotonic() - started > BATCH_S:
                break
            try:
                _deliver(engine, post.office, sender, row, now)
            except MailServerDown as error:
                log.warning("mail server down, %d messages wait: %s", len(rows) - done, error)
                break
            done += 1
    if done < len(rows):
        with unit_of_work(engine) as session:
            outbox.give_back(session, [row.id for row in rows[done:]], now=now)
    return done


def queue_usage_reports(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find labs with staff whose month before has no report yet; 2. leave those whose first workday, 8 o'clock,
    is still to come; 3. queue the report for the managers of at most `limit` labs; 4. say how many mails."""
    queued = seen = 0
    for lab in _find_labs_without_report(session, now):
        zone = ZoneInfo(lab.zone)
        today = local_date(now, zone)
        month = months.month_of(today)
        window = Slot(local_day(month, zone).starts_at, local_day(months.next_month(month), zone).ends_at)
        due_on = months.first_workday(month, catalogue.read_calendar(session, window).days)
        if today < due_on or (today == due_on and now.astimezone(zone).hour < REPORT_HOUR):
            continue
        queued += notices.usage_report(session, lab.id, lab.public_id, months.previous_month(month), now)
        seen += 1
        if seen >= limit:
            break
    return queued


def tell_of_overdue_visits(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find visits that go on an hour after their slot; 2. leave those that the lab was told of; 3. queue one
    mail to each of the lab's staff, for at most `limit` visits; 4. say how many visits."""
    overdue = queries.find_open_visits(session, ended_before=now - visits.OVERDUE_AFTER)
    subjects = [notices.subject_of(booking) for booking in overdue]
    told = set(
        session.scalars(
            select(OutboxMessage.subject).where(
                OutboxMessage.kind == notices.VISIT_OVERDUE, OutboxMessage.subject.in_(subjects)
            )
        )
    )
    done = 0
    for booking, subject in zip(overdue, subjects, strict=True):
        if done < limit and subject not in told and notices.visit_overdue(session, booking, now):
            done += 1
    return done


def _deliver(engine: Engine, office: Office, sender: Sender, row: OutboxMessage, now: datetime) -> None:
    """One message, from the look to the mark. Raises MailServerDown alone."""
    body = ""
    failure: Exception | None = None
    try:
        with read_session(engine) as session:
            message = compose(session, row, office, now=now)
        if message is not None:
            sender.send(message)
            body = message.as_bytes().decode("ascii")
    except MailServerDown:
        raise
    except MailNotSent as error:
        log.warning("mail %s not taken: %s", row.public_id, error)
        failure = error
    except Exception as error:  # one message that cannot be written must not keep back the others
        log.exception("mail %s cannot be written", row.public_id)
        failure = error
    for attempt in range(MARK_ATTEMPTS):
        try:
            with unit_of_work(engine) as session:
                _mark(session, row, body, failure, now)
            return
        except Unavailable:
            if attempt == MARK_ATTEMPTS - 1:
                raise


def _mark(session: Session, row: OutboxMessage, body: str, failure: Exception | None, now: datetime) -> None:
    if isinstance(failure, MailRefused):
        outbox.mark_dropped(session, row.id, reason=str(failure), now=now)
    elif failure is not None:
        outbox.mark_failed(session, row, error=f"{type(failure).__name__}: {failure}", now=now)
    elif body:
        outbox.mark_sent(session, row.id, body=body, now=now)
    else:
        outbox.mark_dropped(session, row.id, reason="obsolete", now=now)


def _find_labs_without_report(session: Session, now: datetime) -> list[Lab]:
    """Labs with staff and something to book, without a report about the month before, in order of id.

    The month is looked up in each lab's own zone; labs of one zone share one query.
    """
    found: list[Lab] = []
    for zone in session.scalars(select(Lab.zone).distinct().order_by(Lab.zone)):
        month = months.previous_month(months.month_of(local_date(now, ZoneInfo(zone))))
        sent = select(OutboxMessage.subject).where(
            OutboxMessage.kind == notices.USAGE_REPORT, OutboxMessage.queued_at > now - timedelta(days=62)
        )
        subjects = set(session.scalars(sent))
        statement = (
            select(Lab)
            .where(
                Lab.zone == zone,
                exists().where(LabStaff.lab_id == Lab.id),
                exists().where(Equipment.lab_id == Lab.id, Equipment.is_bookable),
            )
            .order_by(Lab.id)
        )
        found += [
            lab for lab in session.scalars(statement) if notices.usage_subject(lab.public_id, month) not in subjects
        ]
    return found


def _warn_of_waiting(engine: Engine, post: Post, now: datetime) -> None:
    """At most every ten minutes, so that the log stays readable."""
    if time.monotonic() - post._warned_at < WARN_EVERY_S:
        return
    post._warned_at = time.monotonic()
    with read_session(engine) as session:
        waiting = session.scalar(
            select(func.count())
            .select_from(OutboxMessage)
            .where(OutboxMessage.sent_at.is_(None), OutboxMessage.dropped_at.is_(None), OutboxMessage.due_at <= now)
        )
    if waiting:
        log.warning("mails that wait: %d; set YIXIANG_SMTP_URL to smtp://user:password@host:port to send them", waiting)
