"""Who decides on a request, in which order and until when: owner, lab, deputies, many at once, and the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select

from booking import deadlines, deciding
from booking.models import Awaiting, Booking, BookingEvent, Occupancy, State
from core.db import read_session, unit_of_work
from core.outbox import OutboxMessage
from core.slot import Slot
from equipment.models import ApprovalMode, Equipment, Lab
from members.models import Organisation, OwnerApproval, Role
from tests import factories
from tests.cast import Cast, Stage, csrf_of

WUHAN = ZoneInfo("Asia/Shanghai")


def rule(stage: Stage, cast: Cast, mode: OwnerApproval, above_fen: int = 0) -> None:
    with unit_of_work(stage.engine) as session:
        company = session.get_one(Organisation, cast.startup.id)
        company.owner_approval, company.owner_approval_above_fen = mode, above_fen


def mails(stage: Stage) -> set[tuple[str, str]]:
    with read_session(stage.engine) as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.dropped_at.is_(None)))
        return {(row.kind, row.recipient.split("@")[0]) for row in rows}


def verbs(stage: Stage, booking: Any) -> list[str]:
    with read_session(stage.engine) as session:
        found = session.scalars(select(Booking.id).where(Booking.public_id == UUID(booking["id"]))).one()
        events = select(BookingEvent.verb).where(BookingEvent.booking_id == found).order_by(BookingEvent.id)
        return list(session.scalars(events))


def approve(stage: Stage, person: Any, booking: Any, **body: Any) -> Any:
    return stage.api(person).post(f"/bookings/{booking['id']}/approval", body)


def tick(stage: Stage, at: datetime) -> tuple[int, int]:
    """The clock's jobs at an instant: how many were reminded or told, how many expired."""
    with unit_of_work(stage.engine) as session:
        nudged = deciding.nudge_deciders(session, now=at, limit=50)
    with unit_of_work(stage.engine) as session:
        return nudged, deciding.expire_requests(session, now=at, limit=50)


def claims(stage: Stage) -> int:
    with read_session(stage.engine) as session:
        return len(session.scalars(select(Occupancy.id).where(Occupancy.booking_id.is_not(None))).all())


# The chain


def test_a_members_request_waits_for_the_owner_and_then_for_the_lab(stage: Stage, cast: Cast, book: Any) -> None:
    rule(stage, cast, OwnerApproval.ALWAYS)

    booking = book(cast.member)
    asked = approve(stage, cast.manager, booking)
    agreed = approve(stage, cast.owner, booking)
    approved = approve(stage, cast.manager, booking)

    assert (booking["state"], booking["awaiting"]) == ("requested", "owner")
    assert (asked.status_code, asked.json()["code"]) == (409, "awaits_owner")
    assert (agreed.json()["state"], agreed.json()["awaiting"]) == ("requested", "lab")
    assert (approved.json()["state"], approved.json()["awaiting"]) == ("approved", None)
    assert verbs(stage, booking) == ["requested", "owner_agreed", "approved"]
    assert {("owner_asked", "owner"), ("request_with_owner", "member"), ("owner_agreed", "member")} <= mails(stage)
    assert ("booking_requested", "lab") in mails(stage)


def test_on_an_automatic_instrument_the_owners_word_approves(stage: Stage, cast: Cast, book: Any) -> None:
    rule(stage, cast, OwnerApproval.ALWAYS)

    booking = book(cast.member, equipment_id=str(cast.printer.public_id))
    answer = approve(stage, cast.owner, booking)

    assert booking["awaiting"] == "owner"
    assert answer.json()["state"] == "approved"
    assert verbs(stage, booking) == ["requested", "owner_agreed", "approved"]


@pytest.mark.parametrize(
    ("who", "mode", "above_fen", "awaiting"),
    [
        ("member", OwnerApproval.NONE, 0, "lab"),
        ("member", OwnerApproval.ALWAYS, 0, "owner"),
        ("owner", OwnerApproval.ALWAYS, 0, "lab"),
        ("member", OwnerApproval.ABOVE, 79_999, "owner"),
        ("member", OwnerApproval.ABOVE, 80_000, "lab"),
        ("stranger", OwnerApproval.NONE, 0, "lab"),
    ],
)
def test_who_is_asked_first(
    stage: Stage, cast: Cast, book: Any, who: str, mode: OwnerApproval, above_fen: int, awaiting: str
) -> None:
    rule(stage, cast, mode, above_fen)

    assert book(getattr(cast, who))["awaiting"] == awaiting


def test_an_owner_who_declines_frees_slot_and_money(stage: Stage, cast: Cast, book: Any) -> None:
    rule(stage, cast, OwnerApproval.ALWAYS)
    booking = book(cast.member)

    answer = stage.api(cast.owner).post(f"/bookings/{booking['id']}/refusal", {"reason": "本月预算已用完"})

    assert answer.json()["state"] == "declined" and claims(stage) == 0
    assert stage.api(cast.owner).get("/vouchers").json()["items"][0]["held_fen"] == 0
    assert ("booking_declined", "member") in mails(stage)


def test_nobody_else_of_the_startup_and_no_stranger_agrees(stage: Stage, cast: Cast, book: Any) -> None:
    rule(stage, cast, OwnerApproval.ALWAYS)
    booking = book(cast.member)

    codes = {
        person: (answer.status_code, answer.json()["code"])
        for person in ("member", "stranger", "researcher", "zone")
        for answer in [approve(stage, getattr(cast, person), booking)]
    }

    assert codes["member"] == codes["zone"] == (403, "may_not_decide")
    assert codes["stranger"] == codes["researcher"] == (404, "booking_not_found")


def test_the_lab_may_decline_before_the_owner_has_spoken(stage: Stage, cast: Cast, book: Any) -> None:
    rule(stage, cast, OwnerApproval.ALWAYS)
    booking = book(cast.member)

    answer = stage.api(cast.manager).post(f"/bookings/{booking['id']}/refusal", {"reason": "检修"})

    assert answer.json()["state"] == "declined"


def test_a_dearer_move_by_a_member_asks_the_owner_again(stage: Stage, cast: Cast, book: Any) -> None:
    rule(stage, cast, OwnerApproval.ALWAYS)
    booking = book(cast.member)
    version = approve(stage, cast.owner, booking).json()["version"]
    path = f"/bookings/{booking['id']}"

    same = {"starts_at": "2026-11-30T06:00:00Z", "ends_at": "2026-11-30T08:00:00Z", "version": version}
    moved = stage.api(cast.member)("PATCH", path, same).json()
    longer = {"starts_at": "2026-11-30T06:00:00Z", "ends_at": "2026-11-30T09:00:00Z", "version": moved["version"]}
    dearer = stage.api(cast.member)("PATCH", path, longer).json()
    by_owner = stage.api(cast.owner)("PATCH", path, longer | {"version": dearer["version"]}).json()

    assert [found["awaiting"] for found in (moved, dearer, by_owner)] == ["lab", "owner", "lab"]


# Time


def test_the_owner_has_half_of_the_time_and_the_lab_the_rest(stage: Stage, cast: Cast, book: Any) -> None:
    rule(stage, cast, OwnerApproval.ALWAYS)
    booking = book(cast.member)
    asked_at = stage.clock.at
    stage.clock.at += timedelta(hours=3)

    agreed = approve(stage, cast.owner, booking).json()

    whole = timedelta(minutes=cast.sem.decide_minutes)
    assert datetime.fromisoformat(booking["decide_by"]) == asked_at + whole / 2
    assert datetime.fromisoformat(agreed["decide_by"]) == asked_at + whole


@pytest.mark.parametrize("minutes", [1, 3, 60, 2880])
def test_the_parts_of_the_time_never_pass_the_start(minutes: int) -> None:
    now = datetime(2026, 11, 24, 2, tzinfo=UTC)
    slot = Slot(now + timedelta(minutes=minutes), now + timedelta(minutes=minutes + 60))
    entry = Equipment(decide_minutes=1440, escalate_bp=7500)

    wait = deadlines.first_wait(entry, slot, WUHAN, awaited=Awaiting.OWNER, lab_follows=True, now=now)

    assert now < wait["decide_by"] < deadlines.lab_by(now, wait["decide_by"]) <= slot.starts_at
    assert now < wait["nudge_at"] < wait["decide_by"]


@pytest.mark.parametrize(
    ("hour", "hours", "expected"),
    [(9, 8, 13), (18, 8, 20), (16, 24, 8), (20, 24, 8), (22, 2, 23)],
)
def test_reminders_come_by_day_where_the_time_allows(hour: int, hours: int, expected: int) -> None:
    since = datetime(2026, 11, 24, hour, tzinfo=WUHAN).astimezone(UTC)

    at = deadlines.remind_at(since, since + timedelta(hours=hours), WUHAN)

    assert at.astimezone(WUHAN).hour == expected


def test_the_lab_is_reminded_once_and_the_zone_told_late(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    asked_at = stage.clock.at
    steps = [tick(stage, asked_at + timedelta(hours=hours)) for hours in (23, 24, 25, 35, 36, 37, 47)]

    assert steps == [(0, 0), (1, 0), (0, 0), (0, 0), (1, 0), (0, 0), (0, 0)]
    assert {("lab_reminder", "lab"), ("decision_late", "zone")} <= mails(stage)
    assert verbs(stage, booking) == ["requested", "escalated"]
    assert stage.api(cast.manager).get(f"/bookings/{booking['id']}").json()["version"] == booking["version"]


def test_a_late_clock_reminds_and_tells_at_once(stage: Stage, cast: Cast, book: Any) -> None:
    book()

    assert tick(stage, stage.clock.at + timedelta(hours=40)) == (1, 0)
    assert {("lab_reminder", "lab"), ("decision_late", "zone")} <= mails(stage)


def test_a_lab_may_leave_the_zone_out_of_it(stage: Stage, cast: Cast, book: Any) -> None:
    with unit_of_work(stage.engine) as session:
        session.get_one(Equipment, cast.sem.id).escalate_bp = 10_000
    booking = book()

    assert [tick(stage, stage.clock.at + timedelta(hours=hours))[0] for hours in (24, 47)] == [1, 0]
    assert verbs(stage, booking) == ["requested"]


@pytest.mark.parametrize(("mode", "side"), [(OwnerApproval.ALWAYS, "owner"), (OwnerApproval.NONE, "lab")])
def test_a_request_that_nobody_decides_frees_slot_and_money(
    stage: Stage, cast: Cast, book: Any, mode: OwnerApproval, side: str
) -> None:
    rule(stage, cast, mode)
    booking = book(cast.member)
    until = datetime.fromisoformat(booking["decide_by"])

    early, due = tick(stage, until - timedelta(seconds=1)), tick(stage, until)

    assert (early[1], due[1]) == (0, 1)
    assert stage.api(cast.member).get(f"/bookings/{booking['id']}").json()["state"] == "expired"
    assert claims(stage) == 0 and stage.api(cast.owner).get("/vouchers").json()["items"][0]["held_fen"] == 0
    kind = "owner_expired" if side == "owner" else "booking_expired"
    assert {(kind, "member"), (kind, "owner" if side == "owner" else "lab")} <= mails(stage)


# Deputies

PERIOD = {"starts_at": "2026-11-24T00:00:00Z", "ends_at": "2026-11-28T00:00:00Z"}


def lab_of(stage: Stage, cast: Cast) -> str:
    with read_session(stage.engine) as session:
        return str(session.get_one(Lab, cast.sem.lab_id).public_id)


def name_operator(stage: Stage, cast: Cast, **changes: Any) -> Any:
    body = {"lab_id": lab_of(stage, cast), "email": "operator@example.com"} | PERIOD | changes
    return stage.api(cast.manager).post("/deputies", body)


def test_a_deputy_decides_for_the_lab_and_the_story_says_for_whom(stage: Stage, cast: Cast, book: Any) -> None:
    before = approve(stage, cast.operator, book()).status_code
    named = name_operator(stage, cast)

    booking = book(starts_at="2026-11-30T06:00:00Z", ends_at="2026-11-30T08:00:00Z")
    answer = approve(stage, cast.operator, booking)

    assert (before, named.status_code, answer.json()["state"]) == (403, 201, "approved")
    assert ("booking_requested", "operator") in mails(stage)
    assert "马超 in place of 林静" in stage.browser(cast.owner).get(f"/bookings/{booking['id']}").text


@pytest.mark.parametrize("at", ["2026-11-23T23:59:59Z", "2026-11-28T00:00:00Z"])
def test_outside_the_period_a_deputy_is_none(stage: Stage, cast: Cast, book: Any, at: str) -> None:
    booking = book(starts_at="2026-11-30T06:00:00Z", ends_at="2026-11-30T08:00:00Z")
    name_operator(stage, cast)
    stage.clock.at = datetime.fromisoformat(at)

    assert approve(stage, cast.operator, booking).json()["code"] == "may_not_run_lab"


def test_a_deputy_may_be_ended_early(stage: Stage, cast: Cast, book: Any) -> None:
    named = name_operator(stage, cast).json()
    stage.clock.at += timedelta(hours=1)

    foreign = stage.api(cast.other_manager)("DELETE", f"/deputies/{named['id']}")
    ended = stage.api(cast.manager)("DELETE", f"/deputies/{named['id']}")

    assert (foreign.status_code, ended.status_code) == (404, 204)
    assert approve(stage, cast.operator, book()).status_code == 403
    assert stage.api(cast.manager).get("/deputies").json()["items"] == []


def test_an_owners_deputy_agrees_but_never_to_an_own_request(stage: Stage, cast: Cast, book: Any) -> None:
    rule(stage, cast, OwnerApproval.ALWAYS)
    with unit_of_work(stage.engine) as session:
        company = session.get_one(Organisation, cast.startup.id)
        other = factories.make_person(session, "王二", company, Role.STARTUP_MEMBER, email="second@example.com")
    named = stage.api(cast.owner).post("/deputies", {"email": "member@example.com"} | PERIOD)
    own = book(cast.member)
    others = book(other, starts_at="2026-11-30T06:00:00Z", ends_at="2026-11-30T08:00:00Z")

    assert named.status_code == 201
    assert approve(stage, cast.member, own).json()["code"] == "may_not_decide"
    assert approve(stage, cast.member, others).json()["awaiting"] == "lab"
    assert ("owner_asked", "member") in mails(stage)


@pytest.mark.parametrize(
    ("who", "changes", "code"),
    [
        ("manager", {"email": "owner@example.com"}, "deputy_unknown"),
        ("manager", {"email": "lab@example.com"}, "deputy_unknown"),
        ("manager", {"ends_at": "2026-11-24T01:00:00Z"}, "deputy_period_invalid"),
        ("manager", {"ends_at": "2028-11-24T01:00:00Z"}, "deputy_period_invalid"),
        ("operator", {}, "may_not_run_lab"),
        ("other_manager", {}, "may_not_run_lab"),
        ("member", {"lab_id": None}, "forbidden"),
    ],
)
def test_who_cannot_be_or_name_a_deputy(stage: Stage, cast: Cast, who: str, changes: dict[str, Any], code: str) -> None:
    body = {"lab_id": lab_of(stage, cast), "email": "operator@example.com"} | PERIOD | changes

    answer = stage.api(getattr(cast, who)).post("/deputies", body)

    assert answer.json()["code"] == code and stage.api(cast.manager).get("/deputies").json()["items"] == []


# Many at once


def test_many_are_decided_each_by_itself(stage: Stage, cast: Cast, book: Any) -> None:
    hours = ("01", "02", "03", "06")
    found = [book(starts_at=f"2026-11-27T{h}:00:00Z", ends_at=f"2026-11-27T{int(h) + 1:02d}:00:00Z") for h in hours]
    stage.api(cast.owner).post(f"/bookings/{found[1]['id']}/cancellation")
    ids = [one["id"] for one in found] + ["01990000-0000-7000-8000-000000000000"]

    answer = stage.api(cast.manager).post("/approvals", {"ids": ids, "versions": {ids[2]: 9}})

    codes = [one["code"] for one in answer.json()["results"]]
    assert (answer.status_code, answer.json()["done"]) == (200, 2)
    assert codes == ["", "state_changed", "version_stale", "", "booking_not_found"]
    assert [one["state"] for one in answer.json()["results"]][:1] == ["approved"]


def test_the_same_key_decides_once_and_answers_alike(stage: Stage, cast: Cast, book: Any) -> None:
    ids = [book()["id"]]
    api = stage.api(cast.manager)

    first = api.post("/approvals", {"ids": ids}, idempotency_key="k1").json()
    again = api.post("/approvals", {"ids": ids}, idempotency_key="k1").json()
    other = api.post("/approvals", {"ids": ids}).json()

    assert first["results"] == again["results"] and other["results"][0]["code"] == "state_changed"


def test_many_are_declined_with_one_reason(stage: Stage, cast: Cast, book: Any) -> None:
    ids = [book()["id"], book(starts_at="2026-11-30T06:00:00Z", ends_at="2026-11-30T08:00:00Z")["id"]]
    api = stage.api(cast.manager)

    without = api.post("/refusals", {"ids": ids, "reason": " "}).json()
    done = api.post("/refusals", {"ids": ids, "reason": "检修一周"}).json()

    assert [one["code"] for one in without["results"]] == ["reason_missing"] * 2
    assert done["done"] == 2 and claims(stage) == 0


def test_the_pages_confirm_first_and_then_say_what_went_through(stage: Stage, cast: Cast, book: Any) -> None:
    found = [book(), book(starts_at="2026-11-30T06:00:00Z", ends_at="2026-11-30T08:00:00Z")]
    browser = stage.browser(cast.manager)
    query = "&".join(f"id={one['id']}" for one in found)

    listed = browser.get("/lab/requests").text
    asked = browser.get(f"/approvals/confirmation?decision=approve&{query}").text
    stage.api(cast.owner).post(f"/bookings/{found[1]['id']}/cancellation")
    form = {"csrf": csrf_of(browser), "decision": "approve", "id": [one["id"] for one in found], "_key": "f1"}
    done = browser.post("/approvals", data=form)
    again = browser.post("/approvals", data=form)

    assert 'form="many"' in listed and "Approve 2 requests" in asked
    assert done.status_code == 200 and "1 request approved" in done.text and "cancelled now" in done.text
    assert "1 request approved" in again.text
    assert browser.get("/approvals/confirmation?decision=approve").status_code == 303


# What a decision decides beside it


def test_the_page_says_what_else_is_decided_and_offers_other_times(stage: Stage, cast: Cast, book: Any) -> None:
    with unit_of_work(stage.engine) as session:
        entry = session.get_one(Equipment, cast.sem.id)
        entry.company_week_bookings_max, entry.own_rules = 3, [*entry.own_rules, "company_week_bookings_max"]
    booking = book()
    book(cast.stranger, starts_at="2026-11-26T06:00:00Z", ends_at="2026-11-26T07:00:00Z")
    page = stage.browser(cast.manager).get(f"/bookings/{booking['id']}").text

    assert "1 other request waits for this instrument in the same week." in page
    assert "has 1 of 3 bookings here in that week" in page
    assert "stays held until the visit ends" in page and 'name="proposed"' in page


def test_other_times_go_with_a_refusal(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    proposed = [{"starts_at": "2026-11-30T06:00:00Z", "ends_at": "2026-11-30T08:00:00Z"}]
    body = {"reason": "当天检修", "proposed": proposed}

    answer = stage.api(cast.manager).post(f"/bookings/{booking['id']}/refusal", body)
    page = stage.browser(cast.owner).get(f"/bookings/{booking['id']}").text

    assert answer.json()["state"] == "declined"
    assert "Proposed instead:" in page and "starts_at=2026-11-30T14%3A00" in page


def test_lists_of_requests_read_a_fixed_number_of_times(stage: Stage, cast: Cast, book: Any) -> None:
    browser = stage.browser(cast.manager)
    book()
    browser.get("/lab/requests")
    run: list[str] = []
    event.listen(stage.engine, "before_cursor_execute", lambda *args: run.append(args[2]))
    browser.get("/lab/requests")
    one = len(run)
    for hour in (1, 2, 3):
        book(starts_at=f"2026-11-30T0{hour}:00:00Z", ends_at=f"2026-11-30T0{hour + 1}:00:00Z")
    run.clear()
    browser.get("/lab/requests")

    assert len(run) == one <= 16


def test_an_approval_of_what_moved_meanwhile_is_refused(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    body = {"starts_at": "2026-11-30T06:00:00Z", "ends_at": "2026-11-30T08:00:00Z", "version": booking["version"]}
    stage.api(cast.owner)("PATCH", f"/bookings/{booking['id']}", body)

    answer = approve(stage, cast.manager, booking, version=booking["version"])

    assert (answer.status_code, answer.json()["code"]) == (409, "version_stale")


# The startup's page


def test_the_owner_sets_the_rule_and_agrees_on_the_startups_page(stage: Stage, cast: Cast, book: Any) -> None:
    browser = stage.browser(cast.owner)
    form = {"csrf": csrf_of(browser), "mode": "above", "above": "500", "version": "1"}

    saved = browser.post("/company/rule", data=form)
    stale = browser.post("/company/rule", data=form | {"mode": "none"})
    wrong = browser.post("/company/rule", data=form | {"above": "x", "version": "2"})
    booking = book(cast.member)
    page = browser.get("/company").text

    assert (saved.status_code, stale.status_code, wrong.status_code) == (303, 409, 422)
    assert booking["awaiting"] == "owner" and booking["id"] in page and "After you the lab decides until" in page
    assert "decides for your startup" in stage.browser(cast.member).get("/company").text
    assert "The startup&#39;s owner decides by" in stage.browser(cast.member).get(f"/bookings/{booking['id']}").text
    assert '<span class="count wait">1</span>' in page


def test_the_rule_reads_and_writes_as_json(stage: Stage, cast: Cast) -> None:
    owner = stage.api(cast.owner)
    body = {"mode": "above", "above_fen": 50_000, "version": 1}

    saved = owner("PUT", "/company/approval-rule", body)
    stale = owner("PUT", "/company/approval-rule", body)

    assert saved.json()["version"] == 2 and saved.json() == owner.get("/company/approval-rule").json()
    assert (stale.status_code, stale.json()["code"]) == (409, "rule_stale")


def test_a_deputy_is_named_on_the_pages(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.manager)
    form = {
        "csrf": csrf_of(browser), "lab": lab_of(stage, cast), "person": str(cast.operator.public_id),
        "from_on": "2026-11-24", "until_on": "2026-11-30",
    }  # fmt: skip

    named = browser.post("/lab/deputies", data=form)
    wrong = browser.post("/lab/deputies", data=form | {"until_on": "2026-11-20"})

    assert (named.status_code, wrong.status_code) == (303, 422)
    assert "in place of" in browser.get("/lab/deputies").text
    assert "You decide here in place of 林静" in stage.browser(cast.operator).get("/lab/requests").text


def test_the_automatic_mode_needs_nobody(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book(cast.member, equipment_id=str(cast.printer.public_id))

    assert cast.printer.approval_mode is ApprovalMode.AUTOMATIC
    assert (booking["state"], booking["awaiting"], booking["decide_by"]) == (State.APPROVED, None, None)
