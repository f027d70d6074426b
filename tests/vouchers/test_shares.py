"""Who pays which share: the programme's rule, its caps, its days, and programmes that refund afterwards."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from core.db import read_session, unit_of_work
from core.ids import new_public_id
from core.money import share_fen
from tests import factories
from tests.cast import Cast, Stage
from tests.factories import NOW
from vouchers import ledger, queries, service
from vouchers.errors import BudgetExhausted, CompanyCapReached, HolderNotStartup, VoucherEndsBeforeSlot
from vouchers.ledger import Accounts, Usable
from vouchers.models import PaidTo

usable = st.builds(
    lambda available, programme, cap: Usable(
        1, new_public_id(), "n", programme, 7, Accounts(1, 2), available, 3000, cap, PaidTo.INSTITUTION, "券", ""
    ),
    st.integers(0, 10**6), st.integers(1, 2), st.none() | st.integers(0, 10**6),
)  # fmt: skip


@given(st.integers(0, 10**8), st.lists(usable, max_size=5))
def test_a_plan_never_exceeds_rule_cap_or_balance(eligible: int, vouchers: list[Usable]) -> None:
    plan = ledger.plan_parts(eligible, vouchers)

    assert plan.share_fen <= share_fen(eligible, 3000)
    assert all(part.amount_fen > 0 for part in plan.parts)
    by_id = {voucher.public_id: voucher for voucher in vouchers}
    assert all(part.amount_fen <= by_id[part.voucher_public_id].available_fen for part in plan.parts)
    assert len({by_id[part.voucher_public_id].programme_id for part in plan.parts}) <= 1


@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), max_size=6))
def test_captured_and_released_make_each_hold(amount: int, held: list[int]) -> None:
    parts = ledger.divide_capture(amount, held)

    assert [a + b for a, b in parts] == held
    assert sum(a for a, _ in parts) == min(amount, sum(held))


def test_the_first_expiring_voucher_pays_first_and_several_may_pay(engine: Engine, cast: Cast) -> None:
    with unit_of_work(engine) as session:
        factories.forget_locks(session)
        second = factories.make_voucher(session, cast.programme, cast.startup, 1_000_000)
        plan = service.plan_share(
            session, organisation_id=cast.startup.id, eligible_fen=20_000_000, ends_on=date(2026, 11, 27), now=NOW
        )

    assert [(part.voucher_id, part.amount_fen) for part in plan.parts] == [
        (cast.voucher.id, 5_000_000), (second.id, 1_000_000)
    ]  # fmt: skip


def test_a_slot_that_ends_after_the_last_day_gets_nothing(engine: Engine, cast: Cast) -> None:
    def plan(session: Any, on: date, choice: Any = "auto") -> int:
        return service.plan_share(
            session, organisation_id=cast.startup.id, eligible_fen=100_000, ends_on=on, choice=choice, now=NOW
        ).share_fen

    with read_session(engine) as session:
        assert plan(session, date(2027, 12, 31)) == 30_000
        assert plan(session, date(2028, 1, 1)) == 0
        with pytest.raises(VoucherEndsBeforeSlot):
            plan(session, date(2028, 1, 1), cast.voucher.public_id)


def test_issuing_keeps_cap_budget_and_holder(engine: Engine, cast: Cast) -> None:
    def issue(holder: Any, amount: int, programme: Any = cast.programme) -> None:
        with unit_of_work(engine) as session:
            service.issue_voucher(session, None, programme, holder, amount_fen=amount, now=NOW)

    with pytest.raises(CompanyCapReached):
        issue(cast.startup, 15_000_001)
    with pytest.raises(HolderNotStartup):
        issue(cast.university, 100)
    with unit_of_work(engine) as session:
        small = factories.make_programme(session, budget_fen=1_000)
    with pytest.raises(BudgetExhausted):
        issue(cast.rival, 1_001, small)
    issue(cast.rival, 1_000, small)


def test_a_refund_programme_charges_the_full_price_and_owes_the_company(stage: Stage, cast: Cast) -> None:
    with unit_of_work(stage.engine) as session:
        later = factories.make_programme(session, paid_to=PaidTo.COMPANY)
        voucher = factories.make_voucher(session, later, cast.rival, 100_000)
    ask = {
        "equipment_id": str(cast.sem.public_id),
        "starts_at": "2026-11-27T06:00:00Z",
        "ends_at": "2026-11-27T08:00:00Z",
    }
    stranger = stage.api(cast.stranger)

    booking = stranger.post("/bookings", ask | {"voucher": str(voucher.public_id)}).json()
    assert (booking["price_fen"], booking["voucher_fen"], booking["own_fen"]) == (80_000, 24_000, 80_000)
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    stage.clock.at = NOW + timedelta(days=3, hours=4)
    stranger.post(f"/bookings/{booking['id']}/check-in")
    stage.clock.at += timedelta(hours=2)
    visit = stranger.post(f"/bookings/{booking['id']}/check-out").json()["visit"]

    assert (visit["price_fen"], visit["voucher_fen"], visit["own_fen"]) == (80_000, 24_000, 80_000)
    with read_session(stage.engine) as session:
        earned = queries.find_account(session, ledger.earned_code(later.code, cast.rival.id))
        assert earned is not None
        assert queries.sum_accounts(session, [earned.id]) == {earned.id: 24_000}


def test_what_is_unused_lapses_and_what_is_held_stays(engine: Engine, cast: Cast, book: Any) -> None:
    book()
    with unit_of_work(engine) as session:
        assert service.lapse_vouchers(session, now=NOW, limit=10) == 0
    after = NOW.replace(year=2028, month=1, day=2)

    with unit_of_work(engine) as session:
        assert service.lapse_vouchers(session, now=after, limit=10) == 1

    with read_session(engine) as session:
        (balance,) = queries.with_balances(session, [cast.voucher])
        assert (balance.available_fen, balance.held_fen) == (0, 24_000)
