"""The one source of time. A request or job asks once and passes `now` down."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Key, read_session

ADVANCE_MAX = timedelta(days=366)


class ClockOffset(Base):
    """How far the demonstration's clock is ahead of the true one; one row, shared by all processes."""

    __tablename__ = "clock_offsets"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    seconds: Mapped[int]


class Clock:
    """The true time in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class DemoClock(Clock):
    """The true time plus an offset in the database, so that every process sees the same moved clock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def now(self) -> datetime:
        with read_session(self._engine) as session:
            seconds = session.scalar(select(ClockOffset.seconds)) or 0
        return datetime.now(UTC) + timedelta(seconds=seconds)


def advance(session: Session, by: timedelta) -> None:
    """Move the demonstration's clock forward. It never goes back: what has happened has happened."""
    assert by >= timedelta(0), "the clock goes forward"
    row = session.get(ClockOffset, 1)
    if row is None:
        session.add(ClockOffset(id=1, seconds=int(by.total_seconds())))
    else:
        row.seconds += int(by.total_seconds())
    session.flush()
