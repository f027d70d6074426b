"""The ledger under any order of verbs: sums to zero, nothing negative, each hold ends once. On both engines."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from core.db import make_engine, read_session, unit_of_work
from core.errors import Refusal
from members.models import OrganisationKind
from tests import factories
from vouchers import queries, service
from vouchers.check import check_ledger
from vouchers.models import PaidTo

START = datetime(2026, 11, 24, 2, tzinfo=UTC)
amounts = st.integers(1, 400_000)


class LedgerMachine(RuleBasedStateMachine):
    """Two programmes, two companies; bookings are references with a hold."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.open: list[str] = []
        self.ended: list[str] = []
        self.count = 0

    @initialize()
    def begin(self) -> None:
        with unit_of_work(self.engine) as session:
            self.lab = factories.make_organisation(session, OrganisationKind.UNIVERSITY, "机构")
            self.companies = [
                factories.make_organisation(session, OrganisationKind.COMPANY, name) for name in ("企业甲", "企业乙")
            ]
            self.programmes = [
                factories.make_programme(session, budget_fen=3_000_000, cap_per_company_fen=1_500_000),
                factories.make_programme(
                    session, paid_to=PaidTo.COMPANY, budget_fen=1_000_000, cap_per_company_fen=1_000_000, share_bp=5000,
                    last_use_on=(START + timedelta(days=3)).date(), redeem_by_on=(START + timedelta(days=6)).date(),
                ),
            ]  # fmt: skip

    @rule(company=st.integers(0, 1), programme=st.integers(0, 1), amount=amounts)
    def issue(self, company: int, programme: int, amount: int) -> None:
        self.attempt(
            lambda session: service.issue_voucher(
                session, None, self.programmes[programme], self.companies[company], amount_fen=amount, now=self.now
            )
        )

    @rule(company=st.integers(0, 1), price=st.integers(1, 2_000_000))
    def hold(self, company: int, price: int) -> None:
        reference = f"booking:{self.count}"
        self.count += 1

        def act(session: Any) -> int:
            plan = service.plan_share(
                session,
                organisation_id=self.companies[company].id,
                eligible_fen=price,
                ends_on=self.now.date(),
                now=self.now,
            )
            return service.place_holds(session, plan, reference=reference, now=self.now)

        if self.attempt(act):
            self.open.append(reference)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), amount=amounts)
    def capture(self, data: st.DataObject, amount: int) -> None:
        reference = data.draw(st.sampled_from(self.open))
        with read_session(self.engine) as session:
            held = service.held_fen(session, reference)
        captured = self.attempt(
            lambda session: service.capture_holds(
                session, reference=reference, amount_fen=amount, payee_id=self.lab.id, now=self.now
            )
        )
        assert captured <= min(held, amount)
        self.end(reference)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        reference = data.draw(st.sampled_from(self.open))
        self.attempt(lambda session: service.release_holds(session, reference=reference, now=self.now))
        self.end(reference)

    @precondition(lambda self: self.ended)
    @rule(data=st.data(), amount=amounts)
    def end_again(self, data: st.DataObject, amount: int) -> None:
        """An ended hold gives nothing more, however often it is asked."""
        reference = data.draw(st.sampled_from(self.ended))
        again = self.attempt(
            lambda session: service.capture_holds(
                session, reference=reference, amount_fen=amount, payee_id=self.lab.id, now=self.now
            )
        )
        assert again == 0

    @rule(company=st.integers(0, 1), amount=amounts)
    def charge_own(self, company: int, amount: int) -> None:
        reference = f"booking:own{self.count}"
        self.count += 1
        for _ in range(2):
            self.attempt(
                lambda session: service.charge_own_share(
                    session, organisation_id=self.companies[company].id, payee_id=self.lab.id, amount_fen=amount,
                    cause=f"own:{reference}", reference=reference, now=self.now,
                )
            )  # fmt: skip

    @rule(days=st.integers(0, 4))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.attempt(lambda session: service.lapse_vouchers(session, now=self.now, limit=100))

    @rule(amount=amounts, table=st.sampled_from(["transfers", "holds", "hold_ends"]))
    def tamper(self, amount: int, table: str) -> None:
        """What is written is neither changed nor deleted, not even in plain SQL."""
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {COLUMN[table]} = {amount}"):
            with self.engine.connect() as connection:
                if not connection.execute(text(f"SELECT count(*) FROM {table}")).scalar():
                    return
                with pytest.raises(DBAPIError, match=f"{table}_written_once"):
                    connection.execute(text(statement))
                connection.rollback()

    @invariant()
    def adds_up(self) -> None:
        with read_session(self.engine) as session:
            assert check_ledger(session) == []
            for reference in self.ended:
                assert service.held_fen(session, reference) == 0

    def end(self, reference: str) -> None:
        self.open.remove(reference)
        self.ended.append(reference)

    def attempt(self, act: Any) -> Any:
        """One unit of work; a refusal is one of the possible answers."""
        try:
            with unit_of_work(self.engine) as session:
                return act(session)
        except Refusal:
            return 0


COLUMN = {"transfers": "amount_fen", "holds": "amount_fen", "hold_ends": "captured_fen"}


def test_any_order_of_verbs_keeps_the_books(database_url: str, tmp_path: Path) -> None:
    engine = make_engine(database_url)

    class Machine(LedgerMachine):
        pass

    Machine.engine = engine
    rounds = settings(
        max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    try:
        run_state_machine_as_test(Machine, settings=rounds)
    finally:
        engine.dispose()
    with make_engine(database_url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM transfers")).scalar() > 0


def test_balances_are_sums_of_transfers(engine: Engine) -> None:
    """A table a bookkeeper reads: what each verb does to available, held and earned (fen)."""
    with unit_of_work(engine) as session:
        lab = factories.make_organisation(session, OrganisationKind.UNIVERSITY, "机构")
        company = factories.make_organisation(session, OrganisationKind.COMPANY, "企业")
        programme = factories.make_programme(session)
        voucher = factories.make_voucher(session, programme, company, 100_000)
    steps = [
        ("hold 30 % of 1,000.00", lambda s: hold(s, company.id, 100_000, "booking:1"), (70_000, 30_000, 0)),
        ("hold 30 % of 500.01, rounded down", lambda s: hold(s, company.id, 50_001, "booking:2"), (55_000, 45_000, 0)),
        ("capture 200.00 of the first", lambda s: capture(s, lab.id, 20_000, "booking:1"), (65_000, 15_000, 20_000)),
        ("release the second", lambda s: service.release_holds(s, reference="booking:2", now=START), (80_000, 0, 20_000)),
        ("hold more than is left: as far as it reaches", lambda s: hold(s, company.id, 900_000, "booking:3"), (0, 80_000, 20_000)),
        ("capture more than is held: at most what is held", lambda s: capture(s, lab.id, 999_999, "booking:3"), (0, 0, 100_000)),
    ]  # fmt: skip
    for words, act, expected in steps:
        with unit_of_work(engine) as session:
            act(session)
        with read_session(engine) as session:
            (balance,) = queries.with_balances(session, [voucher])
            assert (balance.available_fen, balance.held_fen, balance.spent_fen) == expected, words
            assert check_ledger(session) == []


def hold(session: Any, company_id: int, price_fen: int, reference: str) -> None:
    plan = service.plan_share(
        session, organisation_id=company_id, eligible_fen=price_fen, ends_on=START.date(), now=START
    )
    service.place_holds(session, plan, reference=reference, now=START)


def capture(session: Any, payee_id: int, amount_fen: int, reference: str) -> None:
    service.capture_holds(session, reference=reference, amount_fen=amount_fen, payee_id=payee_id, now=START)
