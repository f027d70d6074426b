"""Messages that are queued with the write that causes them and sent later by the clock.

A row is unique by (kind, subject, recipient): queued twice, it is one message. Delivery claims due rows under a lease,
so any number of processes may deliver; a process that dies gives its rows back when the lease ends. A kill between the
mail server's answer and `sent_at` sends once more, with the same Message-ID.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, String, Text, UniqueConstraint, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Instant, Key, PublicId, write_last, write_waiting
from core.ids import new_public_id

LEASE = timedelta(minutes=2)
#: How long messages rest when the mail server could not be reached.
GIVEN_BACK_FOR = timedelta(seconds=30)
BODY_KEPT_FOR = timedelta(days=90)
ATTEMPTS_MAX = 8


class OutboxMessage(Base):
    __tablename__ = "outbox_messages"
    __table_args__ = (
        UniqueConstraint("kind", "subject", "recipient"),
        Index("ix_outbox_messages_due", "sent_at", "dropped_at", "due_at"),
        Index("ix_outbox_messages_subject", "subject"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(PublicId, unique=True, default=new_public_id)
    #: What it says: `booking_requested`, `reminder_24h` ... `booking.notices` turns it into words when it is sent.
    kind: Mapped[str] = mapped_column(String(40))
    #: What it is about, with whatever makes it happen once: `booking:<id>:3`.
    subject: Mapped[str] = mapped_column(String(120))
    #: An address of a person.
    recipient: Mapped[str] = mapped_column(String(254))
    person_id: Mapped[int | None] = mapped_column(Key)
    locale: Mapped[str] = mapped_column(String(10))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    queued_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    #: Not sent, and why: obsolete (the booking ended or moved), or failed too often.
    dropped_at: Mapped[datetime | None] = mapped_column(Instant)
    last_error: Mapped[str] = mapped_column(String(300), default="")
    #: The message as sent (RFC 5322), blanked after 90 days.
    body: Mapped[str] = mapped_column(Text, default="")


def message(
    *,
    kind: str,
    subject: str,
    recipient: str,
    locale: str,
    now: datetime,
    due_at: datetime | None = None,
    person_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A message to be queued by `put`."""
    return {
        "public_id": new_public_id(),
        "kind": kind,
        "subject": subject,
        "recipient": recipient,
        "person_id": person_id,
        "locale": locale,
        "data": data or {},
        "queued_at": now,
        "due_at": due_at or now,
        "attempts": 0,
        "last_error": "",
        "body": "",
    }


def put(session: Session, messages: Sequence[dict[str, Any]]) -> None:
    """Queue messages at the end of the unit of work; of the same (kind, subject, recipient) the first counts."""
    write_last(session, _INSERT[session.get_bind().dialect.name], messages)


_INSERT = {
    name: dialect.insert(OutboxMessage.__table__).on_conflict_do_nothing()
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


def drop_pending(session: Session, *, subject_prefix: str, kinds: tuple[str, ...], now: datetime) -> None:
    """Drop unsent messages of some kinds about a subject (old reminders of a booking that moved or ended)."""
    write_waiting(session)
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.subject.startswith(subject_prefix, autoescape=True),
            OutboxMessage.kind.in_(kinds),
            OutboxMessage.sent_at.is_(None),
            OutboxMessage.dropped_at.is_(None),
        )
        .values(dropped_at=now, last_error="obsolete")
    )


def claim_due(session: Session, *, now: datetime, limit: int) -> list[OutboxMessage]:
    """Lease due messages, oldest first. `FOR UPDATE SKIP LOCKED` on PostgreSQL; SQLite's writer stands alone."""
    due = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.sent_at.is_(None),
            OutboxMessage.dropped_at.is_(None),
            OutboxMessage.due_at <= now,
            or_(OutboxMessage.lease_until.is_(None), OutboxMessage.lease_until < now),
        )
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    keys = list(session.scalars(due))
    if not keys:
        return []
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(keys))
        .values(lease_until=now + LEASE, attempts=OutboxMessage.attempts + 1)
    )
    rows = select(OutboxMessage).where(OutboxMessage.id.in_(keys)).order_by(OutboxMessage.due_at, OutboxMessage.id)
    return list(session.scalars(rows, execution_options={"populate_existing": True}))


def mark_sent(session: Session, message_id: int, *, body: str, now: datetime) -> None:
    session.execute(
        update(OutboxMessage).where(OutboxMessage.id == message_id).values(sent_at=now, body=body, last_error="")
    )


def mark_dropped(session: Session, message_id: int, *, reason: str, now: datetime) -> None:
    session.execute(
        update(OutboxMessage).where(OutboxMessage.id == message_id).values(dropped_at=now, last_error=reason[:300])
    )


def give_back(session: Session, message_ids: Sequence[int], *, now: datetime) -> None:
    """Give up the lease of messages that were not tried (the mail server is down): it costs them no attempt."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(message_ids), OutboxMessage.sent_at.is_(None))
        .values(lease_until=now + GIVEN_BACK_FOR, attempts=OutboxMessage.attempts - 1)
    )


def mark_failed(session: Session, message: OutboxMessage, *, error: str, now: datetime) -> None:
    """Try again later, each time later still; give up after ATTEMPTS_MAX."""
    wait = timedelta(minutes=min(2**message.attempts, 120))
    given_up = message.attempts >= ATTEMPTS_MAX
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == message.id)
        .values(
            lease_until=None,
            due_at=now + wait,
            last_error=error[:300],
            dropped_at=now if given_up else None,
        )
    )


def blank_old_bodies(session: Session, *, now: datetime, limit: int) -> int:
    """Job: 1. find messages sent over 90 days ago; 2. blank at most `limit` bodies; 3. say how many."""
    old = (
        select(OutboxMessage.id)
        .where(OutboxMessage.sent_at < now - BODY_KEPT_FOR, OutboxMessage.body != "")
        .limit(limit)
    )
    return session.execute(update(OutboxMessage).where(OutboxMessage.id.in_(old)).values(body="", data={})).rowcount  # type: ignore[attr-defined, no-any-return]
