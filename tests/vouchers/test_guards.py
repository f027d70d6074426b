"""What the database refuses, whatever the program does. With positive controls."""

import threading
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from core.db import make_engine, read_session, unit_of_work
from core.ids import new_public_id
from tests import factories
from tests.cast import Cast
from tests.factories import NOW
from vouchers import queries
from vouchers.models import HoldEnd, Transfer


def transfer(source: int, target: int, amount: int, cause: str) -> Transfer:
    return Transfer(
        from_account_id=source, to_account_id=target, amount_fen=amount, cause=cause, entry_id=new_public_id(), at=NOW
    )


def test_an_account_never_falls_below_zero(engine: Engine, cast: Cast) -> None:
    voucher = cast.voucher

    with pytest.raises(DBAPIError, match="ledger_negative_balance"), unit_of_work(engine) as session:
        session.add(transfer(voucher.available_account_id, voucher.held_account_id, voucher.amount_fen + 1, "x"))
        session.flush()


@pytest.mark.parametrize(
    "change", [{"amount_fen": 0}, {"amount_fen": -5}, {"to_account_id": 1, "from_account_id": 1}, {"cause": "issue"}]
)
def test_a_transfer_moves_money_forward_between_two_accounts_once(
    engine: Engine, cast: Cast, change: dict[str, Any]
) -> None:
    voucher = cast.voucher
    row = transfer(voucher.available_account_id, voucher.held_account_id, 10, "issue")
    if "cause" in change:
        with unit_of_work(engine) as session:
            session.add(transfer(voucher.available_account_id, voucher.held_account_id, 10, "issue"))
    for name, value in change.items():
        setattr(row, name, value)

    with pytest.raises(DBAPIError), unit_of_work(engine) as session:
        session.add(row)
        session.flush()


@pytest.mark.parametrize(("captured", "released"), [(1, 0), (24_000, 1), (0, 0), (-1, 24_001)])
def test_a_hold_ends_whole(engine: Engine, cast: Cast, book: Any, captured: int, released: int) -> None:
    booking = book()
    with read_session(engine) as session:
        (hold,) = queries.find_open_holds(session, f"booking:{booking['id']}")

    with pytest.raises(DBAPIError), unit_of_work(engine) as session:
        session.add(HoldEnd(hold_id=hold.id, captured_fen=captured, released_fen=released, ended_at=NOW))
        session.flush()


@pytest.mark.parametrize("table", ["transfers", "holds", "audit_entries", "booking_events"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = id + 1"])
def test_what_is_written_once_stays(engine: Engine, cast: Cast, book: Any, table: str, statement: str) -> None:
    book()

    with pytest.raises(DBAPIError, match=f"{table}_written_once"), unit_of_work(engine) as session:
        session.execute(text(statement.format(table)))


def draw(url: str, voucher: Any, worker: int, barrier: threading.Barrier, done: list[int]) -> None:
    """Try to move 1,000 fen twenty times, without asking first."""
    engine = make_engine(url)
    barrier.wait()
    for turn in range(20):
        try:
            with engine.begin() as connection:
                connection.execute(
                    Transfer.__table__.insert(),  # type: ignore[attr-defined]
                    [
                        {
                            "from_account_id": voucher.available_account_id, "to_account_id": voucher.held_account_id,
                            "amount_fen": 1000, "cause": f"w{worker}:{turn}", "entry_id": new_public_id(),
                            "reference": "", "at": NOW,
                        }
                    ],
                )  # fmt: skip
            done.append(1000)
        except DBAPIError:
            continue
    engine.dispose()


def draw_with_eight(url: str, voucher: Any) -> int:
    barrier, done = threading.Barrier(8), list[int]()
    threads = [threading.Thread(target=draw, args=(url, voucher, n, barrier, done)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done)


def test_eight_writers_never_draw_more_than_there_is(engine: Engine, cast: Cast, database_url: str) -> None:
    with unit_of_work(engine) as session:
        voucher = cast.voucher
        session.add(
            transfer(voucher.available_account_id, voucher.held_account_id, voucher.amount_fen - 50_000, "most")
        )

    assert draw_with_eight(database_url, cast.voucher) == 50_000


def test_without_the_guard_they_do(postgresql_url: str) -> None:
    """The positive control: the same eight writers, the trigger gone."""
    engine = make_engine(postgresql_url)
    with unit_of_work(engine) as session:
        company = factories.make_organisation(session, factories.OrganisationKind.COMPANY, "企业")
        voucher = factories.make_voucher(session, factories.make_programme(session), company, 50_000)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER transfers_floor ON transfers"))

    assert draw_with_eight(postgresql_url, voucher) > 50_000
    engine.dispose()
