"""Limits of a company in a week, fees of late cancellations and no-shows, closures, ways of use, provisional years."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from booking import outages, visits
from core.db import read_session, unit_of_work
from core.slot import Slot
from equipment import policies, timetables
from equipment.models import CalendarYear, ServiceMode
from equipment.scopes import Level, find_scope
from tests import factories
from tests.cast import ENDS, STARTS, Cast, Stage, actor_of
from web.checking import check_everything


def set_rules(stage: Stage, cast: Cast, **own: Any) -> None:
    manager = actor_of(stage.engine, cast.manager)
    with unit_of_work(stage.engine) as session:
        scope = find_scope(session, manager, Level.EQUIPMENT, cast.sem.public_id)
        policies.set_rules(session, manager, scope, own, now=stage.clock.now())


def ask(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS} | changes


def own_due(stage: Stage, cast: Cast) -> int:
    accounts = stage.api(cast.finance).get("/ledger/trial-balance").json()["accounts"]
    return sum(line["balance_fen"] for line in accounts if line["account_class"] == "own_earned")


def codes(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer.json()["reasons"]]


def test_a_company_has_so_many_bookings_in_a_week_and_no_more(stage: Stage, cast: Cast, book: Any) -> None:
    set_rules(stage, cast, company_week_bookings_max=1)
    first = book()

    refused = stage.api(cast.member).post(
        "/bookings", ask(cast, starts_at="2026-11-27T01:00:00Z", ends_at="2026-11-27T02:00:00Z")
    )

    assert refused.status_code == 422
    assert codes(refused) == ["week_bookings_used_up"]
    book(cast.stranger, starts_at="2026-11-27T01:00:00Z", ends_at="2026-11-27T02:00:00Z", voucher="none")
    book(starts_at="2026-11-30T01:00:00Z", ends_at="2026-11-30T02:00:00Z")
    moved = stage.api(cast.owner)(
        "PATCH", f"/bookings/{first['id']}",
        {"starts_at": "2026-11-27T02:00:00Z", "ends_at": "2026-11-27T03:00:00Z", "version": first["version"]},
    )  # fmt: skip
    assert moved.status_code == 200, moved.text


def test_a_company_has_so_much_time_in_a_week(stage: Stage, cast: Cast, book: Any) -> None:
    set_rules(stage, cast, company_week_minutes_max=150)
    book()

    refused = stage.api(cast.owner).post(
        "/bookings", ask(cast, starts_at="2026-11-27T01:00:00Z", ends_at="2026-11-27T02:00:00Z")
    )

    assert codes(refused) == ["week_time_used_up"]
    quote = stage.api(cast.owner).post(
        "/quotes", ask(cast, starts_at="2026-11-27T01:00:00Z", ends_at="2026-11-27T02:00:00Z")
    )
    assert [problem["code"] for problem in quote.json()["problems"]] == ["week_time_used_up"]


@pytest.mark.parametrize(("hours_before", "fee"), [(30, 0), (24, 0), (23, 40_000)])
def test_cancelling_late_costs_the_companys_own_money(
    stage: Stage, cast: Cast, book: Any, hours_before: int, fee: int
) -> None:
    set_rules(stage, cast, cancel_fee_bp=5_000)
    booking = book()
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    stage.clock.at = datetime.fromisoformat(STARTS) - timedelta(hours=hours_before)

    cancelled = stage.api(cast.owner).post(f"/bookings/{booking['id']}/cancellation").json()

    assert (cancelled["state"], cancelled["fee_fen"]) == ("cancelled", fee)
    assert own_due(stage, cast) == fee
    assert stage.api(cast.owner).get("/vouchers").json()["items"][0]["available_fen"] == 5_000_000
    with read_session(stage.engine, snapshot=True) as session:
        assert check_everything(session) == []


def test_the_lab_that_cancels_charges_nothing(stage: Stage, cast: Cast, book: Any) -> None:
    set_rules(stage, cast, cancel_fee_bp=5_000)
    booking = book()
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    stage.clock.at = datetime.fromisoformat(STARTS) - timedelta(hours=1)

    cancelled = stage.api(cast.manager).post(f"/bookings/{booking['id']}/cancellation", {"reason": "仪器故障"}).json()

    assert cancelled["fee_fen"] == own_due(stage, cast) == 0


def test_a_request_that_nobody_approved_is_withdrawn_for_nothing(stage: Stage, cast: Cast, book: Any) -> None:
    set_rules(stage, cast, cancel_fee_bp=10_000)
    booking = book()
    stage.clock.at = datetime.fromisoformat(STARTS) - timedelta(hours=1)

    assert stage.api(cast.owner).post(f"/bookings/{booking['id']}/cancellation").json()["fee_fen"] == 0


def test_a_no_show_costs_its_fee_once(stage: Stage, cast: Cast, book: Any) -> None:
    set_rules(stage, cast, no_show_fee_bp=2_500)
    booking = book()
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    stage.clock.at = datetime.fromisoformat(STARTS) + timedelta(minutes=31)

    for _ in range(2):
        with unit_of_work(stage.engine) as session:
            visits.mark_no_shows(session, now=stage.clock.now(), limit=10)

    assert stage.api(cast.owner).get(f"/bookings/{booking['id']}").json()["fee_fen"] == 20_000
    assert own_due(stage, cast) == 20_000


def test_the_page_says_what_cancelling_costs_before_it_hurts(stage: Stage, cast: Cast, book: Any) -> None:
    set_rules(stage, cast, cancel_fee_bp=5_000)
    booking = book()
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    stage.clock.at = datetime.fromisoformat(STARTS) - timedelta(hours=2)

    page = stage.browser(cast.owner).get(f"/bookings/{booking['id']}").text

    assert "Cancelling now costs ¥400.00" in page


def test_a_closure_refuses_new_bookings_and_names_those_that_are_there(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    manager = actor_of(stage.engine, cast.manager)
    slot = Slot(datetime.fromisoformat("2026-11-27T00:00:00Z"), datetime.fromisoformat("2026-11-28T00:00:00Z"))
    with unit_of_work(stage.engine) as session:
        met = outages.close(
            session, manager, Level.EQUIPMENT, cast.sem.public_id, slot=slot, reason="停电", now=stage.clock.now()
        )
        assert [str(one.public_id) for one in met] == [booking["id"]]

    refused = stage.api(cast.stranger).post(
        "/bookings", ask(cast, starts_at="2026-11-27T01:00:00Z", ends_at="2026-11-27T02:00:00Z", voucher="none")
    )

    assert "outside_opening_hours" in codes(refused)
    with read_session(stage.engine) as session:
        outside = outages.find_outside_hours(session, now=stage.clock.now(), limit=10)
        assert [str(one.public_id) for one in outside] == [booking["id"]]


def test_a_way_of_use_that_is_not_offered_is_refused(stage: Stage, cast: Cast) -> None:
    refused = stage.api(cast.owner).post("/bookings", ask(cast, mode="self"))

    assert codes(refused) == ["mode_not_offered"]


def test_the_operator_is_paid_where_the_lab_runs_it(stage: Stage, cast: Cast) -> None:
    with unit_of_work(stage.engine) as session:
        entry = session.get_one(type(cast.sem), cast.sem.id)
        entry.service_modes = (ServiceMode.SELF, ServiceMode.OPERATED)
        factories.make_tariff(
            session, entry, factories.Prices(), operator_fen=10_000, effective_on=stage.clock.now().date()
        )
    owner = stage.api(cast.owner)

    assert owner.post("/quotes", ask(cast, mode="self")).json()["price_fen"] == 80_000
    operated = owner.post("/quotes", ask(cast, mode="operated")).json()

    assert operated["price_fen"] == 100_000
    assert [line["kind"] for line in operated["lines"]] == ["rate", "operator"]


def test_a_booking_keeps_the_version_of_prices_that_it_was_quoted(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    with unit_of_work(stage.engine) as session:
        entry = session.get_one(type(cast.sem), cast.sem.id)
        factories.make_tariff(session, entry, factories.Prices(hour=90_000), effective_on=stage.clock.now().date())
    stage.clock.at = datetime.fromisoformat(STARTS)
    stage.api(cast.operator).post(f"/bookings/{booking['id']}/check-in")
    stage.clock.at += timedelta(hours=1)

    visit = stage.api(cast.operator).post(f"/bookings/{booking['id']}/check-out").json()["visit"]

    assert visit["price_fen"] == 40_000
    assert stage.api(cast.owner).post("/quotes", ask(cast)).status_code in (200, 422)


def test_the_booking_page_says_what_cancelling_costs_now(stage: Stage, cast: Cast, book: Any) -> None:
    set_rules(stage, cast, cancel_fee_bp=5_000)
    booking = book()
    page = f"/bookings/{booking['id']}"

    assert "Withdrawing a request is free." in stage.browser(cast.owner).get(page).text
    stage.api(cast.manager).post(f"{page}/approval")
    assert "later it costs 50% of the price" in stage.browser(cast.owner).get(page).text
    assert "The lab may cancel at any time" in stage.browser(cast.manager).get(page).text
    stage.clock.at = datetime.fromisoformat(STARTS) - timedelta(minutes=30)
    late = stage.browser(cast.owner).get(page).text

    assert "Cancelling now costs ¥400.00 (50% of the price, your own money)." in late
    assert "free until" not in late


def test_a_year_that_is_not_announced_warns(stage: Stage, cast: Cast) -> None:
    owner = stage.api(cast.owner)
    assert owner.post("/quotes", ask(cast)).json()["is_provisional"] is True

    with unit_of_work(stage.engine) as session:
        session.add(CalendarYear(year=2026, is_official=True))

    assert owner.post("/quotes", ask(cast)).json()["is_provisional"] is False
    always = ask(cast, equipment_id=str(cast.printer.public_id))
    assert owner.post("/quotes", always).json()["is_provisional"] is False


def test_hours_that_change_show_the_bookings_that_lie_outside(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    manager = actor_of(stage.engine, cast.manager)
    with unit_of_work(stage.engine) as session:
        scope = find_scope(session, manager, Level.EQUIPMENT, cast.sem.public_id)
        timetables.set_hours(session, manager, scope, [timetables.Hours(0, 60, 120)], now=stage.clock.now())

    page = stage.browser(cast.zone).get("/zone/calendar").text

    assert f"/bookings/{booking['id']}" in page
