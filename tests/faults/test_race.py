"""Eight contenders for one slot, many times, through two server processes: exactly one gets it.

With two positive controls: with the check in Python left out the database alone still lets one through; with the
database's guard gone as well the same contest finds double bookings.
"""

from pathlib import Path

from sqlalchemy import Engine

from core.db import read_session
from tests.faults.contest import ROUNDS, contest, count_double_bookings, drop_database_guard, lay_out
from tests.faults.servers import running_servers
from web.checking import check_everything

CONTROL_ROUNDS = 20
UNSAFE = {"unsafe_no_overlap_guard": "1", "testing": "1"}


def test_one_of_eight_gets_the_slot_every_time(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine)

    with running_servers(database_url, tmp_path, 2) as addresses:
        outcomes = contest(addresses, ground, ROUNDS)

    assert [outcome.statuses for outcome in outcomes] == [{201: 1, 409: 7}] * ROUNDS
    assert {code for outcome in outcomes for code in outcome.codes} == {"", "slot_taken"}
    assert count_double_bookings(engine) == 0
    with read_session(engine, snapshot=True) as session:
        assert check_everything(session) == []


def test_the_database_alone_lets_one_through(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine)

    with running_servers(database_url, tmp_path, 2, **UNSAFE) as addresses:
        outcomes = contest(addresses, ground, CONTROL_ROUNDS)

    assert [outcome.statuses for outcome in outcomes] == [{201: 1, 409: 7}] * CONTROL_ROUNDS
    assert count_double_bookings(engine) == 0


def test_without_any_guard_the_contest_finds_double_bookings(engine: Engine, database_url: str, tmp_path: Path) -> None:
    ground = lay_out(engine)
    drop_database_guard(engine)

    with running_servers(database_url, tmp_path, 2, **UNSAFE) as addresses:
        contest(addresses, ground, CONTROL_ROUNDS)

    assert count_double_bookings(engine) > 0
