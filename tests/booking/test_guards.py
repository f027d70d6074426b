"""Time on a unit, straight in SQL: what the database refuses and what it takes."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from booking.models import Occupancy, OccupancyKind
from core.db import unit_of_work
from equipment.models import Unit
from tests.cast import Cast

START = datetime(2026, 12, 1, tzinfo=UTC)


def row(unit: int, start: int, end: int, *, block: bool = False) -> Occupancy:
    return Occupancy(
        unit_id=unit, starts_at=START + timedelta(minutes=start), ends_at=START + timedelta(minutes=end),
        kind=OccupancyKind.BLOCK if block else OccupancyKind.BOOKING, exclusive=not block,
    )  # fmt: skip


@pytest.fixture
def unit(engine: Engine, cast: Cast) -> int:
    with unit_of_work(engine) as session:
        found = session.scalar(select(Unit.id).where(Unit.equipment_id == cast.sem.id))
    assert found
    return found


def add(engine: Engine, *rows: Occupancy) -> None:
    for one in rows:
        with unit_of_work(engine) as session:
            session.add(one)


@pytest.mark.parametrize(("start", "end"), [(0, 60), (30, 90), (-30, 1), (59, 61), (10, 20), (-10, 100)])
def test_claims_never_overlap(engine: Engine, unit: int, start: int, end: int) -> None:
    add(engine, row(unit, 0, 60))

    with pytest.raises(DBAPIError, match="no_overlap"):
        add(engine, row(unit, start, end))


def test_touching_claims_other_units_and_blocks_are_fine(engine: Engine, unit: int) -> None:
    add(engine, row(unit, 0, 60), row(unit, 60, 120), row(unit, -60, 0), row(unit + 1, 0, 60))

    add(engine, row(unit, 30, 200, block=True), row(unit, 0, 90, block=True))


def test_a_claim_that_meets_a_block_is_refused(engine: Engine, unit: int) -> None:
    add(engine, row(unit, 0, 60, block=True))

    with pytest.raises(DBAPIError, match="unit_blocked"):
        add(engine, row(unit, 30, 90))
    add(engine, row(unit, 60, 90))


def test_a_moved_claim_is_checked_too(engine: Engine, unit: int) -> None:
    add(engine, row(unit, 0, 60), row(unit, 60, 120))

    with pytest.raises(DBAPIError, match="no_overlap"), unit_of_work(engine) as session:
        second = session.scalars(select(Occupancy).order_by(Occupancy.starts_at.desc())).first()
        assert second is not None
        second.starts_at = START + timedelta(minutes=59)
        session.flush()


@pytest.mark.parametrize(("start", "end"), [(0, 0), (60, 0)])
def test_empty_and_inverted_time_is_refused(engine: Engine, unit: int, start: int, end: int) -> None:
    with pytest.raises(DBAPIError):
        add(engine, row(unit, start, end))


def test_a_block_is_never_exclusive(engine: Engine, unit: int) -> None:
    wrong = row(unit, 0, 60)
    wrong.kind = OccupancyKind.BLOCK

    with pytest.raises(DBAPIError):
        add(engine, wrong)
