"""Column types, durability settings and the order of locks."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from core.clock import ClockOffset
from core.db import Base, Instant, PublicId, lock_rows, make_engine, read_session, sqlite_journal, unit_of_work
from core.errors import Unavailable
from core.ids import new_public_id
from equipment.models import Unit
from members.models import Organisation
from tests.cast import Cast


def test_every_connection_is_durable(engine: Engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            if engine.dialect.name == "sqlite":
                assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
                assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
                assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
                assert connection.execute(text("PRAGMA mmap_size")).scalar() in (0, None)
            else:
                assert connection.execute(text("SHOW lock_timeout")).scalar() == "4s"


@pytest.mark.parametrize(
    ("version", "journal"),
    [
        ((3, 40, 1), "TRUNCATE"), ((3, 44, 5), "TRUNCATE"), ((3, 44, 6), "WAL"), ((3, 45, 0), "TRUNCATE"),
        ((3, 50, 7), "WAL"), ((3, 51, 2), "TRUNCATE"), ((3, 51, 3), "WAL"), ((3, 53, 4), "WAL"),
    ],
)  # fmt: skip
def test_wal_only_where_its_bug_is_mended(version: tuple[int, ...], journal: str) -> None:
    assert sqlite_journal(version) == journal


def test_instants_and_ids_come_back_as_they_went(engine: Engine, cast: Cast) -> None:
    at = datetime(2026, 11, 24, 10, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=8)))
    with engine.connect() as connection:
        dialect = connection.dialect
    bound = Instant().process_bind_param(at, dialect)
    assert Instant().process_result_value(bound, dialect) == at.astimezone(UTC)
    key = new_public_id()
    assert PublicId().process_result_value(PublicId().process_bind_param(key, dialect), dialect) == key
    with pytest.raises(AssertionError, match="naive"):
        Instant().process_bind_param(datetime(2026, 11, 24), dialect)  # noqa: DTZ001


def test_public_ids_are_version_seven_and_in_order() -> None:
    made = [new_public_id() for _ in range(3)]

    assert {key.version for key in made} == {7}
    assert made[0].int >> 80 <= made[2].int >> 80


def test_locks_are_taken_in_one_order(engine: Engine, cast: Cast) -> None:
    with unit_of_work(engine) as session:
        lock_rows(session, Organisation, [cast.startup.id])
        lock_rows(session, Unit, [1])
        with pytest.raises(AssertionError, match="too late"):
            lock_rows(session, Organisation, [cast.startup.id])


def test_a_unit_of_work_that_fails_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(RuntimeError), unit_of_work(engine) as session:
        session.add(ClockOffset(id=1, seconds=5))
        session.flush()
        raise RuntimeError

    with read_session(engine) as session:
        assert session.get(ClockOffset, 1) is None


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    engine = make_engine(f"postgresql+psycopg://postgres@/postgres?host={tmp_path}")

    with pytest.raises(Unavailable), unit_of_work(engine) as session:
        session.execute(text("SELECT 1"))
    with pytest.raises(Unavailable), read_session(engine) as session:
        session.execute(text("SELECT 1"))


def test_models_and_migrations_say_the_same(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _p: not (kind == "table" and str(name).startswith("equipment_grams"))
            },
        )
        different = [
            change
            for change in compare_metadata(context, Base.metadata)
            if not (change[0] == "remove_index" and "equipment_grams" in str(change[1].name))
        ]
    assert different == []
