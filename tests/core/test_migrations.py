"""A database of every earlier version, with rows in every table, comes to this version with all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from core.db import make_engine
from core.migrating import config, current, head, migrate
from tests import rows
from tests.conftest import execute

REVISIONS = [script.revision for script in reversed(list(ScriptDirectory.from_config(config()).walk_revisions()))]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without any table."""
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path / 'old.db'}")
        yield engine
        engine.dispose()
        return
    server: str = request.getfixturevalue("pg_server")
    execute(server, "CREATE DATABASE old")
    engine = make_engine(server % "old")
    yield engine
    engine.dispose()
    execute(server, "DROP DATABASE old WITH (FORCE)")


def upgrade(engine: Engine, revision: str) -> None:
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        command.upgrade(config(connection), revision)


def count(engine: Engine, tables: dict[str, int]) -> dict[str, int]:
    with engine.connect() as connection:
        return {name: connection.scalar(sa.text(f'SELECT count(*) FROM "{name}"')) or 0 for name in tables}


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_database_of_an_earlier_version_keeps_its_rows(empty: Engine, revision: str) -> None:
    upgrade(empty, revision)
    with empty.begin() as connection:
        written = rows.fill(connection)

    migrate(empty)

    with empty.connect() as connection:
        assert current(connection) == head()
    assert count(empty, written) == written


def test_what_was_there_before_the_search_index_is_found(empty: Engine) -> None:
    upgrade(empty, "0004")
    with empty.begin() as connection:
        rows.fill(connection)

    migrate(empty)

    with empty.connect() as connection:
        keys = connection.execute(sa.text("SELECT name_zh_key, name_en_key, model_key FROM equipment_search")).all()
    assert keys == [(" 透射电子显微镜 ", " electron microscope ", "jem2100plus")] * rows.ROWS


def test_a_run_of_an_import_without_an_institution_gets_one(empty: Engine) -> None:
    upgrade(empty, "0003")
    with empty.begin() as connection:
        rows.fill(connection)
        connection.execute(sa.text("UPDATE import_runs SET organisation_id = NULL"))

    migrate(empty)

    with empty.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM import_runs WHERE organisation_id IS NULL")) == 0
