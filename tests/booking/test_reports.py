"""Usage: what was open, booked, used, idle and missed, and whose figures one may read."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from booking import api_reports, months
from booking.models import Occupancy, OccupancyKind, State, Visit
from booking.pages import reports as report_pages
from booking.reports import By, Usage, minutes_within, usage_report
from core.clock import Clock
from core.config import Settings
from core.db import unit_of_work
from core.http import Site, install_error_answers
from core.middleware import Surroundings
from core.rendering import Renderer
from core.slot import Slot
from equipment.models import CalendarDay, DayKind, Lab, LabStaff, Unit
from members.models import AccessToken, Membership, OrganisationKind, Person, Role
from members.service import hash_token
from tests.factories_booking import (
    Cast,
    make_booking,
    make_cast,
    make_equipment,
    make_organisation,
    make_person,
    shanghai,
)

NOVEMBER = months.month_slot(date(2026, 11, 1), ZoneInfo("Asia/Shanghai"))
AFTER = shanghai(2026, 12, 5, 9)
#: 21 weekdays of 7 hours.
OPEN = 21 * 7 * 60


def used(session: Session, cast: Cast, start: datetime, hours: float, **changes: Any) -> None:
    """A visit of so many hours from the start of a booked slot of two."""
    booking = make_booking(session, cast, starts_at=start, **({"state": State.COMPLETED} | changes))
    session.add(
        Visit(booking_id=booking.id, checked_in_at=start, checked_out_at=start + timedelta(hours=hours), price_fen=0)
    )
    session.flush()


@pytest.fixture
def cast_and_session(engine: Engine) -> Iterator[tuple[Cast, Session]]:
    with unit_of_work(engine) as session:
        yield make_cast(session), session


def only(session: Session, by: By = By.EQUIPMENT, window: Slot = NOVEMBER, now: datetime = AFTER) -> Usage:
    (row,) = usage_report(session, window, by=by, now=now).rows
    return row


def test_a_month_adds_up(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    used(session, cast, shanghai(2026, 11, 3, 9), 1.5)
    used(session, cast, shanghai(2026, 11, 4, 9), 2.5)
    make_booking(session, cast, starts_at=shanghai(2026, 11, 5, 9), state=State.NO_SHOW)
    make_booking(session, cast, starts_at=shanghai(2026, 11, 6, 9), state=State.APPROVED)
    for state in (State.CANCELLED, State.DECLINED, State.EXPIRED, State.REQUESTED):
        make_booking(session, cast, starts_at=shanghai(2026, 11, 9, 9), state=state)

    row = only(session)

    assert (row.bookings, row.open_minutes) == (4, OPEN)
    assert (row.booked_minutes, row.used_minutes, row.no_show_minutes) == (360, 240, 120)
    assert row.idle_minutes == OPEN - 360 - 120
    assert row.utilisation == 240 / OPEN


def test_what_lies_partly_in_the_month_counts_with_that_part(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    used(session, cast, NOVEMBER.starts_at - timedelta(minutes=30), 2)
    used(session, cast, NOVEMBER.ends_at - timedelta(minutes=45), 2)
    used(session, cast, NOVEMBER.ends_at, 2)
    used(session, cast, NOVEMBER.starts_at - timedelta(hours=2), 2)

    row = only(session)

    assert (row.bookings, row.booked_minutes, row.used_minutes) == (2, 90 + 45, 90 + 45)


def test_an_overrun_into_the_month_counts_as_use_alone(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    used(session, cast, NOVEMBER.starts_at - timedelta(hours=2), 3)

    row = only(session)

    assert (row.bookings, row.booked_minutes, row.used_minutes) == (1, 0, 60)


def test_a_visit_that_goes_on_counts_until_now(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    start = shanghai(2026, 11, 3, 9)
    booking = make_booking(session, cast, starts_at=start, state=State.IN_USE)
    session.add(Visit(booking_id=booking.id, checked_in_at=start))
    session.flush()

    assert only(session, now=start + timedelta(minutes=50)).used_minutes == 50


def test_of_a_month_that_runs_only_what_has_passed_counts(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    used(session, cast, shanghai(2026, 11, 2, 9), 2)
    make_booking(session, cast, starts_at=shanghai(2026, 11, 3, 9))
    make_booking(session, cast, starts_at=shanghai(2026, 11, 20, 9))
    now = shanghai(2026, 11, 3, 10)

    report = usage_report(session, NOVEMBER, by=By.EQUIPMENT, now=now)

    (row,) = report.rows
    assert report.until == now
    # Monday has 7 hours, Tuesday has been open since 8:30.
    assert (row.bookings, row.open_minutes, row.booked_minutes) == (2, 7 * 60 + 90, 120 + 60)
    assert row.idle_minutes == 7 * 60 + 90 - 180


def test_of_a_month_ahead_nothing_counts(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    make_booking(session, cast, starts_at=shanghai(2026, 11, 20, 9))

    report = usage_report(session, NOVEMBER, by=By.EQUIPMENT, now=NOVEMBER.starts_at - timedelta(days=1))

    assert (report.rows, report.until, report.total) == ((), NOVEMBER.starts_at, Usage())


def test_of_a_month_that_is_over_everything_counts(cast_and_session: tuple[Cast, Session]) -> None:
    _, session = cast_and_session

    assert usage_report(session, NOVEMBER, by=By.EQUIPMENT, now=AFTER).until == NOVEMBER.ends_at


def test_holidays_and_outages_are_not_open_and_make_up_days_are(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    session.add(CalendarDay(on=date(2026, 11, 3), kind=DayKind.OFF))
    session.add(CalendarDay(on=date(2026, 11, 7), kind=DayKind.WORKDAY))
    session.add(
        Occupancy(
            unit_id=cast.unit.id,
            starts_at=shanghai(2026, 11, 4, 0),
            ends_at=shanghai(2026, 11, 5, 9),
            kind=OccupancyKind.BLOCK,
            exclusive=False,
        )
    )
    session.flush()

    row = only(session)
    assert (row.open_minutes, row.outage_minutes) == (OPEN - 7 * 60 - 30, 7 * 60 + 30)


def test_every_unit_is_open(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    session.add(Unit(equipment_id=cast.equipment.id, label="B"))
    session.add(Unit(equipment_id=cast.equipment.id, label="C", retired_at=AFTER))
    session.flush()

    assert only(session).open_minutes == 2 * OPEN


def test_use_outside_opening_hours_may_lift_utilisation_over_one(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    day = Slot(shanghai(2026, 11, 2), shanghai(2026, 11, 3))
    used(session, cast, shanghai(2026, 11, 2, 6), 14, ends_at=shanghai(2026, 11, 2, 20))

    row = only(session, window=day)

    assert row.utilisation == 2.0 and row.idle_minutes == 0


def test_rows_are_summed_by_lab_institution_and_startup(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    other = make_equipment(session, cast.university, cast.lab, name_zh="衍射仪", name_en="XRD")
    session.add(Unit(equipment_id=other.id))
    session.flush()
    unit = session.query(Unit).filter_by(equipment_id=other.id).one()
    used(session, cast, shanghai(2026, 11, 3, 9), 2)
    used(session, cast, shanghai(2026, 11, 3, 9), 1, equipment_id=other.id, unit_id=unit.id)

    assert len(usage_report(session, NOVEMBER, by=By.EQUIPMENT, now=AFTER).rows) == 2
    for by, name in ((By.LAB, cast.lab.name_zh), (By.INSTITUTION, "江城理工大学")):
        row = only(session, by)
        assert (row.name_zh, row.open_minutes, row.used_minutes) == (name, 2 * OPEN, 180)
    row = only(session, By.STARTUP)
    assert (row.name_zh, row.open_minutes, row.idle_minutes, row.utilisation) == ("星环传感", None, None, None)
    assert (row.bookings, row.booked_minutes, row.used_minutes) == (2, 240, 180)


def test_the_rows_add_up_to_the_total(cast_and_session: tuple[Cast, Session]) -> None:
    cast, session = cast_and_session
    used(session, cast, shanghai(2026, 11, 3, 9), 2)
    report = usage_report(session, NOVEMBER, by=By.EQUIPMENT, now=AFTER)

    assert report.total.used_minutes == sum(row.used_minutes for row in report.rows)
    assert report.total.open_minutes == OPEN


def test_minutes_of_nothing_are_none() -> None:
    assert minutes_within(NOVEMBER.starts_at, NOVEMBER.starts_at, NOVEMBER) == 0
    assert minutes_within(NOVEMBER.ends_at, NOVEMBER.ends_at + timedelta(hours=1), NOVEMBER) == 0


# By page and by JSON


class FixedClock(Clock):
    def now(self) -> datetime:
        return AFTER


class Office:
    """The routes over a database, with a bearer token for each of the cast."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with unit_of_work(engine) as session:
            self.cast = make_cast(session)
            authority = make_organisation(session, OrganisationKind.AUTHORITY, "园区管委会", "Zone office")
            zone = make_person(session, "管", "zone@example.com")
            finance = make_person(session, "财", "finance@example.com")
            for person, role in ((zone, Role.ZONE_ADMIN), (finance, Role.FINANCE_OFFICER)):
                session.add(Membership(person_id=person.id, organisation_id=authority.id, role=role))
            self.other_lab = Lab(organisation_id=self.cast.university.id, name_zh="=危险实验室", name_en="Other lab")
            session.add(self.other_lab)
            session.flush()
            stranger = make_person(session, "邻", "otherlab@example.com")
            session.add(
                Membership(person_id=stranger.id, organisation_id=self.cast.university.id, role=Role.LAB_MANAGER)
            )
            session.add(LabStaff(lab_id=self.other_lab.id, person_id=stranger.id))
            other = make_equipment(session, self.cast.university, self.other_lab, name_zh="=cmd|'/c calc'!A1")
            session.add(Unit(equipment_id=other.id))
            used(session, self.cast, shanghai(2026, 11, 3, 9), 2)
            people = {"lab": self.cast.manager, "member": self.cast.member, "zone": zone, "finance": finance}
            for name, person in (people | {"otherlab": stranger}).items():
                session.add(
                    AccessToken(token_hash=hash_token(name), purpose="api", person_id=person.id, created_at=AFTER)
                )
        app = FastAPI()
        settings = Settings(base_url="http://127.0.0.1:8000", _env_file=None)  # type: ignore[call-arg]
        renderer = Renderer(zone="Asia/Shanghai", static=Path("web/static"))
        app.state.site = Site(engine, settings, FixedClock(), renderer, b"secret")
        app.include_router(api_reports.router)
        app.include_router(report_pages.router)
        install_error_answers(app)
        app.add_middleware(Surroundings)
        self.client = TestClient(app, follow_redirects=False)

    def get(self, url: str, who: str | None = "lab") -> Any:
        return self.client.get(url, headers={"authorization": f"Bearer {who}"} if who else {})


@pytest.fixture
def office(engine: Engine) -> Office:
    return Office(engine)


WINDOW = "from=2026-11-01T00:00:00%2B08:00&to=2026-12-01T00:00:00%2B08:00"


def test_json_tells_a_labs_manager_of_the_own_lab_alone(office: Office) -> None:
    body = office.get(f"/api/v1/reports/usage?{WINDOW}").json()

    assert body["total"] == 1 and body["next_cursor"] is None
    (row,) = body["items"]
    assert row["id"] == str(office.cast.equipment.public_id)
    assert (row["booked_minutes"], row["used_minutes"], row["open_minutes"]) == (120, 120, OPEN)
    assert body["sum"]["utilisation"] == round(120 / OPEN, 4)


@pytest.mark.parametrize("window", ["from=2026-11-01&to=2026-12-01", "from=2026-11-01&to=2026-11-30T16:00:00Z"])
def test_a_plain_date_is_midnight_in_the_zone_of_the_site(office: Office, window: str) -> None:
    assert office.get(f"/api/v1/reports/usage?{window}").json() == office.get(f"/api/v1/reports/usage?{WINDOW}").json()


def test_json_says_where_the_figures_end(office: Office) -> None:
    over = office.get(f"/api/v1/reports/usage?{WINDOW}").json()
    running = office.get("/api/v1/reports/usage?from=2026-12-01&to=2027-01-01").json()

    assert (over["until"], running["until"]) == ("2026-11-30T16:00:00Z", "2026-12-05T01:00:00Z")


@pytest.mark.parametrize(("by", "rows"), [("equipment", 2), ("lab", 2), ("institution", 1), ("startup", 1)])
def test_json_tells_the_zones_offices_of_all(office: Office, by: str, rows: int) -> None:
    for who in ("zone", "finance"):
        assert office.get(f"/api/v1/reports/usage?{WINDOW}&by={by}", who).json()["total"] == rows


@pytest.mark.parametrize(
    ("who", "query", "status", "code"),
    [
        (None, WINDOW, 401, "not_signed_in"),
        ("member", WINDOW, 403, "forbidden"),
        ("lab", WINDOW + "&lab=01900000-0000-7000-8000-000000000000", 404, "report_not_found"),
        ("lab", WINDOW + "&by=planet", 422, "invalid_input"),
        ("lab", "from=2026-11-01T00:00:00&to=2026-12-01T00:00:00", 422, "invalid_input"),
        ("lab", "from=2026-02-30&to=2026-12-01", 422, "invalid_input"),
        ("lab", "from=1999-01-01&to=2026-12-01", 422, "invalid_input"),
        ("lab", "from=2026-11&to=2026-12", 422, "invalid_input"),
        ("lab", "from=2026-12-01&to=2026-12-01", 422, "slot_invalid"),
        ("lab", "from=2026-12-01T00:00:00Z&to=2026-11-01T00:00:00Z", 422, "slot_invalid"),
        ("lab", "from=2024-01-01T00:00:00Z&to=2026-11-01T00:00:00Z", 422, "report_range_too_long"),
        ("lab", "", 422, "invalid_input"),
    ],
)
def test_json_refuses(office: Office, who: str | None, query: str, status: int, code: str) -> None:
    answer = office.get(f"/api/v1/reports/usage?{query}", who)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_foreign_lab_looks_like_none(office: Office) -> None:
    lab = office.other_lab.public_id

    assert office.get(f"/api/v1/reports/usage?{WINDOW}&lab={lab}").status_code == 404
    assert office.get(f"/lab/reports?month=2026-11&lab={lab}").status_code == 404
    assert office.get(f"/lab/reports.csv?month=2026-11&lab={lab}").status_code == 404
    assert office.get(f"/lab/reports?month=2026-11&lab={lab}", "otherlab").status_code == 200


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("who", ["lab", "zone"])
@pytest.mark.parametrize("query", ["", "?month=2026-11", "?month=2026-11&by=startup", "?month=x&lab=y&by=z"])
def test_the_page_opens(office: Office, query: str, who: str, lang: str) -> None:
    with unit_of_work(office.engine) as session:
        session.execute(update(Person).values(locale=lang))
    answer = office.get(f"/lab/reports{query}", who)

    assert answer.status_code == 200
    assert "style=" not in answer.text
    if query == "?month=2026-11" and who == "lab":
        assert ("利用率" if lang == "zh-CN" else "Utilisation") in answer.text


def test_the_page_is_not_for_startups_nor_for_the_unknown(office: Office) -> None:
    assert office.get("/lab/reports", "member").status_code == 403
    assert office.get("/lab/reports", None).status_code == 303


def test_the_csv_opens_in_a_spreadsheet_and_runs_nothing(office: Office) -> None:
    answer = office.get("/lab/reports.csv?month=2026-11&by=equipment", "zone")
    lines = answer.content.decode("utf-8-sig").split("\r\n")

    assert answer.content.startswith(b"\xef\xbb\xbf") and "attachment" in answer.headers["content-disposition"]
    assert lines[0] == (
        "月份,实验室,仪器,型号,资产号,预约,开放机时,预约机时,使用机时,空闲机时,爽约机时,停机机时,利用率"
    )
    assert any(line.startswith("2026-11,'=危险实验室,'=cmd") for line in lines)
    asset = office.cast.equipment.asset_number
    name = '"场发射扫描电子显微镜, GeminiSEM 500; 𠮷"'
    assert f"2026-11,表面分析🔬实验室,{name},,{asset},1,147.0,2.0,2.0,145.0,0.0,0.0,0.0136" in lines
    assert lines[3:] == ["2026-11,,合计,,,1,294.0,2.0,2.0,292.0,0.0,0.0,0.0068", ""]


def test_the_csv_by_lab_has_month_and_sum_too(office: Office) -> None:
    lines = office.get("/lab/reports.csv?month=2026-11&by=lab", "zone").content.decode("utf-8-sig").split("\r\n")

    assert lines[0].startswith("月份,实验室,预约,开放机时")
    assert lines[3:] == ["2026-11,合计,1,294.0,2.0,2.0,292.0,0.0,0.0,0.0068", ""]


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_page_says_what_its_figures_mean(office: Office, lang: str) -> None:
    with unit_of_work(office.engine) as session:
        session.execute(update(Person).values(locale=lang))
    over, running, ahead = (
        office.get(f"/lab/reports?month={month}").text for month in ("2026-11", "2026-12", "2027-01")
    )

    assert ("开放机时减去预约机时和爽约机时" if lang == "zh-CN" else "open less booked and no-show hours") in over
    not_over = "本月未结束：所有机时计到现在" if lang == "zh-CN" else "all hours are those until now, Sat 5 Dec 09:00"
    assert not_over in running and not_over not in over
    assert ("本月尚未开始" if lang == "zh-CN" else "This month has not begun") in ahead
