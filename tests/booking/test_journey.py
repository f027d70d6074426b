"""The main job from the quote to the receipt, through JSON, as each of the people."""

from datetime import datetime, timedelta
from typing import Any

from core.db import read_session
from tests.cast import ENDS, STARTS, Cast, Stage
from web.checking import check_everything


def ask(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS} | changes


def test_a_visit_is_quoted_requested_approved_used_and_charged(stage: Stage, cast: Cast) -> None:
    owner, lab, finance = stage.api(cast.owner), stage.api(cast.manager), stage.api(cast.finance)

    quote = owner.post("/quotes", ask(cast)).json()
    assert (quote["price_fen"], quote["voucher_fen"], quote["own_fen"]) == (80_000, 24_000, 56_000)
    assert quote["payee"]["name"] == "Jiangcheng University"
    assert quote["problems"] == []

    booking = owner.post("/bookings", ask(cast, purpose="断面形貌")).json()
    assert booking["state"] == "requested"
    assert owner.get("/vouchers").json()["items"][0]["held_fen"] == 24_000

    approved = lab.post(f"/bookings/{booking['id']}/approval", {"word": "欢迎"})
    assert approved.json()["state"] == "approved"

    stage.clock.at = datetime.fromisoformat(STARTS)
    assert owner.post(f"/bookings/{booking['id']}/check-in").json()["state"] == "in_use"
    stage.clock.at += timedelta(minutes=90)
    done = lab.post(f"/bookings/{booking['id']}/check-out", {"note": "正常"}).json()
    assert done["state"] == "completed"
    assert (done["visit"]["price_fen"], done["visit"]["voucher_fen"], done["visit"]["own_fen"]) == (
        60_000,
        18_000,
        42_000,
    )

    voucher = owner.get("/vouchers").json()["items"][0]
    assert (voucher["held_fen"], voucher["spent_fen"], voucher["available_fen"]) == (0, 18_000, 4_982_000)
    balance = finance.get("/ledger/trial-balance").json()
    assert balance["sum_fen"] == 0
    by_class = {line["account_class"]: line["balance_fen"] for line in balance["accounts"]}
    assert by_class["earned"] == 18_000
    assert by_class["own_earned"] == 42_000
    with read_session(stage.engine, snapshot=True) as session:
        assert check_everything(session) == []


def test_longer_use_than_booked_is_own_share_beyond_the_hold(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    stage.clock.at = datetime.fromisoformat(STARTS)
    stage.api(cast.operator).post(f"/bookings/{booking['id']}/check-in")
    stage.clock.at += timedelta(hours=3)

    visit = stage.api(cast.operator).post(f"/bookings/{booking['id']}/check-out").json()["visit"]

    assert (visit["price_fen"], visit["voucher_fen"], visit["own_fen"]) == (120_000, 24_000, 96_000)


def test_a_declined_request_frees_slot_and_money(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()

    without = stage.api(cast.manager).post(f"/bookings/{booking['id']}/refusal", {})
    assert (without.status_code, without.json()["code"]) == (422, "reason_missing")
    declined = stage.api(cast.manager).post(f"/bookings/{booking['id']}/refusal", {"reason": "检修"})

    assert declined.json()["state"] == "declined"
    assert stage.api(cast.owner).get("/vouchers").json()["items"][0]["held_fen"] == 0
    assert book(cast.stranger)["state"] == "requested"


def test_a_cancelled_booking_frees_slot_and_money(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()

    cancelled = stage.api(cast.owner).post(f"/bookings/{booking['id']}/cancellation", {"reason": "改期"})

    assert cancelled.json()["state"] == "cancelled"
    assert stage.api(cast.owner).get("/vouchers").json()["items"][0]["held_fen"] == 0
    again = stage.api(cast.owner).post(f"/bookings/{booking['id']}/cancellation")
    assert (again.status_code, again.json()["code"]) == (409, "state_changed")


def test_a_taken_slot_is_refused_with_the_nearest_free_ones(stage: Stage, cast: Cast, book: Any) -> None:
    book()

    refused = stage.api(cast.stranger).post("/bookings", ask(cast))

    assert (refused.status_code, refused.json()["code"]) == (409, "slot_taken")
    near = refused.json()["alternatives"]
    assert len(near) == 3
    taken = stage.api(cast.stranger).post("/bookings", ask(cast, **near[0]))
    assert taken.status_code == 201


def test_a_slot_that_touches_another_is_free(stage: Stage, cast: Cast, book: Any) -> None:
    book(starts_at="2026-11-27T06:00:00Z", ends_at="2026-11-27T07:00:00Z")

    assert book(cast.stranger, starts_at="2026-11-27T07:00:00Z", ends_at="2026-11-27T08:00:00Z")["state"] == "requested"


def test_broken_rules_come_all_at_once(stage: Stage, cast: Cast) -> None:
    bad = {"starts_at": "2026-11-28T02:10:00Z", "ends_at": "2026-11-28T22:10:00Z"}

    refused = stage.api(cast.owner).post("/bookings", ask(cast, **bad))

    assert refused.status_code == 422
    assert refused.json()["code"] == "rules_broken"
    codes = {reason["code"] for reason in refused.json()["reasons"]}
    assert codes == {"too_long", "off_step", "outside_opening_hours"}
    near = refused.json()["alternatives"]
    lengths = {datetime.fromisoformat(slot["ends_at"]) - datetime.fromisoformat(slot["starts_at"]) for slot in near}
    assert (len(near), lengths) == (3, {timedelta(hours=3, minutes=30)})
    short = stage.api(cast.owner).post(
        "/bookings", ask(cast, starts_at=bad["starts_at"], ends_at="2026-11-28T03:10:00Z")
    )
    assert len(short.json()["alternatives"]) == 3


def test_two_units_take_two_bookings_and_no_third(stage: Stage, cast: Cast, book: Any) -> None:
    printer = {"equipment_id": str(cast.printer.public_id)}
    first, second = book(**printer), book(cast.stranger, **printer)

    assert first["unit_id"] != second["unit_id"]
    assert first["state"] == "approved"
    third = stage.api(cast.researcher).post("/bookings", ask(cast, **printer))
    assert third.json()["code"] == "slot_taken"


def test_a_move_follows_the_rules_and_the_hold_follows_the_price(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    version = stage.api(cast.owner).get(f"/bookings/{booking['id']}").json()["version"]
    later = {"starts_at": "2026-11-27T06:00:00Z", "ends_at": "2026-11-27T09:00:00Z", "version": version}

    moved = stage.api(cast.owner)("PATCH", f"/bookings/{booking['id']}", later)
    stale = stage.api(cast.owner)("PATCH", f"/bookings/{booking['id']}", later)

    assert moved.status_code == 200
    assert moved.json()["state"] == "requested"
    assert moved.json()["voucher_fen"] == 36_000
    assert stage.api(cast.owner).get("/vouchers").json()["items"][0]["held_fen"] == 36_000
    assert (stale.status_code, stale.json()["code"]) == (409, "version_stale")


def test_a_researcher_pays_the_internal_rate_without_a_voucher(stage: Stage, cast: Cast, book: Any) -> None:
    own = book(cast.researcher)
    other = stage.api(cast.researcher).post("/bookings", ask(cast, equipment_id=str(cast.foreign.public_id)))

    assert (own["price_fen"], own["voucher_fen"], own["own_fen"]) == (40_000, 0, 40_000)
    assert other.json()["price_fen"] == 160_000


def test_the_same_key_books_once_and_another_body_is_refused(stage: Stage, cast: Cast) -> None:
    owner = stage.api(cast.owner)

    first = owner.post("/bookings", ask(cast), Idempotency_Key="k-1")
    again = owner.post("/bookings", ask(cast), Idempotency_Key="k-1")
    other = owner.post("/bookings", ask(cast, purpose="另一个"), Idempotency_Key="k-1")

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert owner.get("/bookings").json()["total"] == 1


def test_somebody_elses_booking_looks_like_none(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()

    for person in (cast.stranger, cast.other_manager, cast.researcher):
        api = stage.api(person)
        assert api.get(f"/bookings/{booking['id']}").status_code == 404
        assert api.post(f"/bookings/{booking['id']}/cancellation").status_code == 404
        assert api.post(f"/bookings/{booking['id']}/approval").status_code == 404
    assert stage.api(cast.member).get(f"/bookings/{booking['id']}").status_code == 200
    assert stage.api(cast.member).post(f"/bookings/{booking['id']}/approval").json()["code"] == "may_not_run_lab"
    assert stage.api(cast.operator).post(f"/bookings/{booking['id']}/approval").status_code == 403
    assert stage.api(None).get(f"/bookings/{booking['id']}").status_code == 401


def test_the_lab_books_for_someone_and_enters_past_use(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.manager)
    page = browser.get(f"/lab/bookings/new?equipment={cast.sem.public_id}").text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    form = {
        "csrf": token, "_key": "a", "equipment_id": str(cast.sem.public_id), "email": cast.owner.email,
        "starts_at": "2026-11-25T09:00", "ends_at": "2026-11-25T10:00", "voucher": "auto", "purpose": "电话预约",
    }  # fmt: skip

    booked = browser.post("/lab/bookings", data=form)
    twice = browser.post("/lab/bookings", data=form)
    past = form | {
        "_key": "b",
        "past": "1",
        "reason": "忘记预约",
        "starts_at": "2026-11-23T09:00",
        "ends_at": "2026-11-23T11:00",
    }
    entered = browser.post("/lab/bookings", data=past)

    assert booked.status_code == twice.status_code == entered.status_code == 303
    assert booked.headers["location"] == twice.headers["location"]
    items = stage.api(cast.owner).get("/bookings").json()["items"]
    assert [item["state"] for item in items] == ["completed", "approved"]
    assert items[0]["visit"]["voucher_fen"] == 24_000


def test_the_lab_does_by_json_what_it_does_by_page(stage: Stage, cast: Cast) -> None:
    lab = stage.api(cast.manager)
    common = {"equipment_id": str(cast.sem.public_id), "email": cast.owner.email}

    booked = lab.post(
        "/lab/bookings", common | {"starts_at": "2026-11-25T01:00:00Z", "ends_at": "2026-11-25T02:00:00Z"}
    )
    past = common | {"starts_at": "2026-11-23T01:00:00Z", "ends_at": "2026-11-23T02:00:00Z", "reason": "补录"}
    entered, again = lab.post("/lab/past-use", past), lab.post("/lab/past-use", past)
    future = lab.post("/lab/past-use", past | {"ends_at": "2026-11-25T02:00:00Z"})

    assert (booked.status_code, booked.json()["state"]) == (201, "approved")
    assert (entered.status_code, entered.json()["visit"]["price_fen"]) == (201, 40_000)
    assert (again.status_code, again.json()["code"]) == (409, "slot_taken")
    assert future.json()["code"] == "past_use_in_future"


def test_an_outage_stops_new_bookings_and_lists_those_it_meets(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    outage = {"unit_id": booking["unit_id"], "starts_at": STARTS, "ends_at": "2026-11-27T09:00:00Z", "reason": "校准"}

    met = stage.api(cast.manager).post("/lab/outages", outage)
    refused = stage.api(cast.stranger).post(
        "/bookings", ask(cast, starts_at="2026-11-27T08:00:00Z", ends_at="2026-11-27T09:00:00Z")
    )

    assert [item["id"] for item in met.json()["items"]] == [booking["id"]]
    assert (refused.status_code, refused.json()["code"]) == (409, "unit_blocked")
    assert refused.json()["alternatives"]
    assert stage.api(cast.other_manager).post("/lab/outages", outage).json()["code"] == "may_not_run_lab"
