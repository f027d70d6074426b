"""The demonstration's catalogue on both engines, for tests that ask what people would find."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from core.db import make_engine
from tests.conftest import execute
from tests.factories import NOW
from web.demo.catalogue import load_catalogue


@contextmanager
def loaded_catalogue(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Engine]]:
    """Loaded once for a module; by name of the engine."""
    module = request.module.__name__.rpartition(".")[2]
    path = tmp_path_factory.mktemp("catalogue") / "c.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    server, template = request.getfixturevalue("pg_server"), request.getfixturevalue("pg_template")
    name = f"{module}_{template}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    engines = {"sqlite": make_engine(f"sqlite:///{path}"), "postgresql": make_engine(server % name)}
    for engine in engines.values():
        load_catalogue(engine, now=NOW, tick=lambda _name: None)
    yield engines
    for engine in engines.values():
        engine.dispose()
