"""The spectrum: bright where one may still ask, low where it is taken, blank where it is closed."""

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from booking import free_times
from booking.strips import GAP, HIGH, LAST, Week, draw_strip, find_weeks
from core.slot import Slot
from equipment.candidates import find_candidates_by_id
from equipment.models import Equipment, Lab
from members.models import OrganisationKind
from tests.booking.test_availability import at, claim
from tests.factories import NOW, make_equipment, make_lab, make_organisation

MONDAY = date(2026, 11, 30)


@pytest.fixture
def lab(session: Session) -> Lab:
    return make_lab(session, make_organisation(session, OrganisationKind.UNIVERSITY, "江城大学"), "电镜室")


def week_of(session: Session, entry: Equipment, first_on: date = date(2026, 11, 24)) -> Week:
    (candidate,) = find_candidates_by_id(session, [entry.id])
    (week,) = find_weeks(session, [(candidate, first_on)], now=NOW)
    return week


def slots(spans: list[free_times.Span]) -> list[Slot]:
    return [free_times.slot_of(span) for span in spans]


def test_free_and_taken_are_the_open_time_that_is_still_to_come(session: Session, lab: Lab) -> None:
    entry = make_equipment(session, lab, lead_minutes=120, horizon_days=2)
    claim(session, entry, Slot(at(24, 15), at(24, 16)))

    week = week_of(session, entry)

    assert slots(week.taken) == [Slot(at(24, 15), at(24, 16))]
    # NOW is 10:00; lunch from 12:00 to 14:00; the horizon ends on the 26th at 10:00.
    assert slots(week.free) == [
        Slot(at(24, 14), at(24, 15)), Slot(at(24, 16), at(24, 17, 30)), Slot(at(25, 8, 30), at(25, 12)),
        Slot(at(25, 14), at(25, 17, 30)), Slot(at(26, 8, 30), at(26, 10)),
    ]  # fmt: skip
    assert week.is_closed == [False] * 4 + [True, True, False]
    assert week.next_free is not None
    assert week.next_free.starts_at == at(24, 14)


def test_one_free_unit_makes_an_entry_free(session: Session, lab: Lab) -> None:
    entry = make_equipment(session, lab, units=2)
    claim(session, entry, Slot(at(24, 14), at(24, 16)), unit=0)
    claim(session, entry, Slot(at(24, 15), at(24, 17)), unit=1)

    assert slots(week_of(session, entry).taken) == [Slot(at(24, 15), at(24, 16))]


def test_nothing_is_bright_where_the_lead_time_passes_the_horizon(session: Session, lab: Lab) -> None:
    week = week_of(session, make_equipment(session, lab, lead_minutes=3 * 1440, horizon_days=2))

    assert (week.free, week.next_free) == ([], None)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin"])
def test_lines_stand_at_wall_time_also_where_the_clock_changes(session: Session, lab: Lab, zone: str) -> None:
    lab.zone = zone
    entry = make_equipment(session, lab, horizon_days=900)
    session.flush()
    spring = date(2027, 3, 24)

    strip = draw_strip(week_of(session, entry, spring), now=NOW, lang="en")

    places = [int(x) % (LAST - 28 + GAP) for x in re.findall(r"M(\d+) 0h", strip.free)]
    assert set(places) == {34 - 28, 56 - 28}
    assert f"v{HIGH[1]}" in strip.free
    assert [day.label for day in strip.days][:2] == ["Wed 24", "Thu 25"]


def test_weeks_of_many_begin_where_each_is_asked(session: Session, lab: Lab) -> None:
    entries = find_candidates_by_id(session, [make_equipment(session, lab).id for _ in range(2)])

    weeks = find_weeks(session, [(entries[0], MONDAY), (entries[1], MONDAY + timedelta(days=20))], now=NOW)

    zone = ZoneInfo("Asia/Shanghai")
    assert [week.next_free.starts_at.astimezone(zone).date() for week in weeks if week.next_free] == [
        MONDAY, MONDAY + timedelta(days=21)
    ]  # fmt: skip
