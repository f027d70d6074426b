"""Every test that asks for `engine` runs on SQLite and on PostgreSQL, each on a fresh copy of a migrated database."""

import itertools
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.db import make_engine, unit_of_work
from core.migrating import migrate
from tests.postgres import NoPostgres, running_server

pytest_plugins = ["tests.cast"]
_numbers = itertools.count()


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str]:
    try:
        with running_server() as url:
            yield url
    except NoPostgres as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def pg_template(pg_server: str) -> str:
    """The name of a migrated database to copy."""
    name = f"template_{os.getpid()}"
    execute(pg_server, f"CREATE DATABASE {name}")
    engine = make_engine(pg_server % name)
    migrate(engine)
    engine.dispose()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = make_engine(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "yixiang.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(pg_server: str, pg_template: str) -> Iterator[str]:
    name = f"t{os.getpid()}_{next(_numbers)}"
    execute(pg_server, f"CREATE DATABASE {name} TEMPLATE {pg_template} STRATEGY file_copy")
    yield pg_server % name
    execute(pg_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database on each engine in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """One unit of work for a whole test of services."""
    with unit_of_work(engine) as session:
        yield session


@pytest.fixture
def now() -> datetime:
    """Tuesday, 24 November 2026, 10:00 in Wuhan."""
    return datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def execute(server: str, statement: str) -> None:
    engine = make_engine(server % "postgres").execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
