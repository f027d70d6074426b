"""Engine, column types, units of work and locks, for SQLite and PostgreSQL alike.

Every write is one `unit_of_work`: `BEGIN IMMEDIATE` behind one lock per process on SQLite, row locks taken in one
order on PostgreSQL. The word `commit` stands here and nowhere else.
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import ModuleType
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import psycopg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Dialect,
    Engine,
    FromClause,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    SQLColumnExpression,
    String,
    Table,
    any_,
    bindparam,
    create_engine,
    event,
    literal,
    select,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TIMESTAMP, TypeDecorator, TypeEngine

from core.errors import Unavailable

try:
    import pysqlite3
except ImportError:  # no wheel for this platform (Linux on ARM): the system's library serves, without WAL if it is old
    pysqlite3 = None

log = logging.getLogger(__name__)

LOCK_TIMEOUT_S = 4
#: A PostgreSQL connection that was not used for so long is asked whether it lives.
IDLE_S = 1.0
SQLITE: ModuleType = pysqlite3 or sqlite3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_sqlite_writer = threading.Lock()


class Instant(TypeDecorator[datetime]):
    """An aware instant: integer microseconds on SQLite, timestamptz on PostgreSQL. Naive values are refused."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        assert value.tzinfo is not None, "a naive datetime at the column"
        return value if dialect.name == "postgresql" else (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else EPOCH + timedelta(microseconds=value)


class PublicId(TypeDecorator[UUID]):
    """A UUID in 16 bytes on both engines."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return value if value is None or dialect.name == "postgresql" else UUID(bytes=bytes(value))


class Code(TypeDecorator[StrEnum]):
    """A member of a StrEnum as its text; read back as the member, so that `is` holds."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum], length: int) -> None:
        super().__init__(length)
        self.kind = kind

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


#: Primary and foreign keys: bigint on PostgreSQL; INTEGER on SQLite, where only that one counts up by itself.
Key = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    #: Every integer column is 64 bits: fen of a fund do not fit into 32.
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def sqlite_journal(version: tuple[int, ...]) -> str:
    """WAL where the library has the fix of the WAL-reset bug (3.51.3, 3.50.7, 3.44.6 and later), else TRUNCATE."""
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return "WAL" if fixed else "TRUNCATE"


def make_engine(url: str, *, threads: int = 16) -> Engine:
    """An engine whose pool holds one connection per thread; a connection not had in 2 s is a 503, not a wait."""
    if url.startswith("sqlite"):
        return _sqlite_engine(url, threads)
    options = f"-c lock_timeout={LOCK_TIMEOUT_S}s -c statement_timeout=60s -c timezone=UTC"
    engine = create_engine(url, pool_size=threads, max_overflow=4, pool_timeout=2, connect_args={"options": options})
    _ping_after_idleness(engine)
    return engine


def _ping_after_idleness(engine: Engine) -> None:
    """Ask a connection whether it lives before it is used again, unless it was in use a moment ago: under load a ping
    for each use costs as much as a short query. The moment's risk is a 503, after which the pool is new."""

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used_at", -IDLE_S) < IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


def _sqlite_engine(url: str, threads: int) -> Engine:
    engine = create_engine(
        url,
        module=SQLITE,
        pool_size=threads,
        max_overflow=4,
        pool_timeout=2,
        connect_args={"timeout": LOCK_TIMEOUT_S, "check_same_thread": False, "isolation_level": None},
    )
    journal = sqlite_journal(SQLITE.sqlite_version_info)
    if journal != "WAL":
        log.warning("SQLite %s lacks the WAL-reset fix: journal_mode=TRUNCATE", SQLITE.sqlite_version)

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={LOCK_TIMEOUT_S * 1000}",
            f"journal_mode={journal}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Session]:
    """One write, whole or not at all; ends before the answer is sent.

    Raises Unavailable when a lock, the writer's turn or a connection is not to be had within 4 s.
    """
    with _writers_turn(engine), _busy_is_unavailable():
        session = Session(engine.execution_options(sqlite_begin="IMMEDIATE"), expire_on_commit=False)
        try:
            yield session
            write_waiting(session)
            session.commit()
        except BaseException:
            _roll_back(session)
            raise
        finally:
            session.close()


def _roll_back(session: Session) -> None:
    """psycopg's own rollback forgets every prepared statement of the connection, in case a table was changed before.
    Nothing here changes tables, and planning all statements anew costs more than the refusal that led here."""
    with contextlib.suppress(SQLAlchemyError, psycopg.Error):
        raw = session.connection().connection.dbapi_connection
        if isinstance(raw, psycopg.Connection):
            raw.pgconn.exec_(b"ROLLBACK")
    session.rollback()


@contextmanager
def read_session(engine: Engine, *, snapshot: bool = False) -> Iterator[Session]:
    """A read that never writes; give it back before waiting for anything.

    `snapshot`: all its statements see the same instant. SQLite always does; on PostgreSQL each statement otherwise sees
    what is there when it begins, without the cost of a transaction around it.
    """
    level = "REPEATABLE READ" if snapshot else "AUTOCOMMIT"
    with _busy_is_unavailable():
        bind = engine.execution_options(isolation_level=level) if engine.dialect.name == "postgresql" else engine
        session = Session(bind, autoflush=False, expire_on_commit=False)
        try:
            yield session
        finally:
            session.close()


@contextmanager
def _writers_turn(engine: Engine) -> Iterator[None]:
    if engine.dialect.name != "sqlite":
        yield
        return
    if not _sqlite_writer.acquire(timeout=LOCK_TIMEOUT_S):
        raise Unavailable
    try:
        yield
    finally:
        _sqlite_writer.release()


@contextmanager
def _busy_is_unavailable() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable from error
    except (OperationalError, DBAPIError) as error:
        if _is_busy(error):
            raise Unavailable from error
        raise


def _is_busy(error: DBAPIError) -> bool:
    """Lock not had, deadlock victim, serialisation failure, or the server going away."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in {"55P03", "40P01", "40001", "57P01", "57P02", "57P03", "57014"} or state.startswith("08")
    text = str(error.orig)
    # Without a state the server said nothing: it is not there, starts up, or the connection broke.
    gone = isinstance(error, OperationalError) and "connection" in text
    return error.connection_invalidated or gone or "database is locked" in text


def broken_constraint(error: DBAPIError) -> str:
    """What the database named when it refused: a constraint's name, or the word a trigger raised."""
    diagnostic = getattr(error.orig, "diag", None)
    return (getattr(diagnostic, "constraint_name", None) or str(error.orig)) if diagnostic else str(error.orig)


_LAST = "write_last"


def write_last(session: Session, statement: Insert, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows at the end of the unit of work, all of one statement together and in the order given.

    For what is only appended and not read again before the commit: trail, events, mail. `statement` is one that is made
    once and used by all who write to its table.
    """
    session.info.setdefault(_LAST, {}).setdefault(statement, []).extend(rows)


def one_of(session: Session, column: InstrumentedAttribute[int], keys: Iterable[int]) -> ColumnElement[bool]:
    """`column IN (keys)` for many keys: PostgreSQL takes them as one array, so that the statement stays short."""
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(literal(list(keys), ARRAY(BigInteger)))
    return column.in_(list(keys))


def one_of_named(dialect: str, column: SQLColumnExpression[int], name: str) -> ColumnElement[bool]:
    """The same for a statement that is made once: the list of keys is given as `name` when it is run."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(BigInteger)))
    return column.in_(bindparam(name, expanding=True))


def table_of(model: type[Base]) -> Table:
    """The table of a model, for statements that need no entities."""
    assert isinstance(model.__table__, Table)
    return model.__table__


def write_waiting(session: Session) -> None:
    """Write now what waits for the end: before the commit, or because it is read again."""
    session.flush()
    for statement, rows in session.info.pop(_LAST, {}).items():
        session.connection().execute(statement, rows)


Row = TypeVar("Row", bound=Base)

#: The one order in which rows are locked. A caller that holds a later kind never asks for an earlier one.
LOCK_ORDER = ("organisations", "units", "bookings", "ledger_accounts", "programmes")


def lock_rows(session: Session, model: type[Base], keys: Iterable[int]) -> None:
    """Lock rows by id, ascending; what is read after it is as it is now. On SQLite the unit of work is the lock.

    `FOR NO KEY UPDATE`, so that rows which only refer to a locked one can still be inserted.
    Kinds are locked in the order of LOCK_ORDER; a wrong order is a programmer's mistake.
    """
    _keep_order(session, model)
    connection = session.connection()
    connection.execute(_locking((model,), connection.dialect.name), {model.__tablename__: sorted(set(keys))})


def lock_row(session: Session, model: type[Row], key: int) -> Row:
    """Lock one row and return it as it is now."""
    lock_rows(session, model, [key])
    return session.get_one(model, key, populate_existing=True)


def lock_both(session: Session, first: type[Base], key: int, second: type[Base], keys: Sequence[int]) -> None:
    """Lock one row of the first kind, then rows of the second, as `lock_rows` twice, in one statement.

    Only where each kind has a row: nothing is locked where one of them has none.
    """
    _keep_order(session, first)
    _keep_order(session, second)
    asked = {first.__tablename__: [key], second.__tablename__: sorted(set(keys))}
    connection = session.connection()
    connection.execute(_locking((first, second), connection.dialect.name), asked)


def _keep_order(session: Session, model: type[Base]) -> None:
    rank = LOCK_ORDER.index(model.__tablename__)
    assert session.info.setdefault("lock_rank", 0) <= rank, f"{model.__tablename__} locked too late"
    session.info["lock_rank"] = rank


@cache
def _locking(models: tuple[type[Base], ...], dialect: str) -> Select[*tuple[Any, ...]]:
    """Rows of one kind, or the pairs of two, in order of id: the database locks them in the order in which it finds
    them, and of each pair the first kind first."""
    keys = [table_of(model).c.id for model in models]
    wanted = [one_of_named(dialect, key, model.__tablename__) for key, model in zip(keys, models, strict=True)]
    pairs: FromClause = table_of(models[0])
    for model in models[1:]:
        pairs = pairs.join(table_of(model), true())
    return select(*keys).select_from(pairs).where(*wanted).order_by(*keys).with_for_update(key_share=True)
