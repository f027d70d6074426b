"""Bring a database to this program's tables. One line of migrations; safe to start from several processes."""

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from core.config import ROOT

#: Any number, the same for all processes: who holds it on PostgreSQL migrates.
ADVISORY_LOCK = 7_046_210


def migrate(engine: Engine) -> None:
    """Upgrade to the head, whole or not at all."""
    writing = engine.execution_options(sqlite_begin="IMMEDIATE")
    with writing.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        command.upgrade(config(connection), "head")


def config(connection: Connection | None = None) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    if connection is not None:
        settings.attributes["connection"] = connection
    return settings


def current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@cache
def head() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()
