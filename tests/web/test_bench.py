"""The bench itself works: it fills, measures, writes figures, and spares a database that is not its own."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Engine

from tests.cast import Cast
from web.bench import NotABenchDatabase, Size, run

SMALL = Size(units=6, bookings=120, seconds=0.4, clients=2, servers=1)


def test_a_small_bench_measures_every_kind(database_url: str, tmp_path: Path) -> None:
    out = tmp_path / "bench.json"

    measures = run(database_url, SMALL, console=Console(file=StringIO()), out=out)

    assert [row.name for row in measures] == [
        "creates",
        "refusals",
        "week of one instrument",
        "day of 100 instruments",
        "searches",
        "availability",
    ]
    assert all(row.requests > 0 and row.wrong == 0 for row in measures), measures
    assert json.loads(out.read_text())["units"] == 6


def test_a_database_with_data_is_spared(engine: Engine, cast: Cast, database_url: str) -> None:
    with pytest.raises(NotABenchDatabase):
        run(database_url, SMALL, console=Console(file=StringIO()), out=None)
