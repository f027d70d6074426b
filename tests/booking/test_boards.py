"""The lab's boards over HTTP: what stands on them, for whom, and how many statements they cost."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.db import unit_of_work
from tests.booking.test_search_page import add_instruments, counted
from tests.cast import ENDS, STARTS, Cast, Stage
from tests.factories import NOW

Book = Callable[..., dict[str, Any]]
DAY = "2026-11-27"


def test_a_day_shows_every_unit_with_who_comes(stage: Stage, cast: Cast, book: Book) -> None:
    booking = book()

    page = stage.browser(cast.manager).get(f"/lab?on={DAY}").text

    assert page.count('class="lane"') == 3
    assert f'href="/bookings/{booking["id"]}"' in page
    assert re.search(
        r'class="bar wait f14 t16" data-book="[^"]+" data-version="1" data-from="840" data-till="960"', page
    )
    assert "Starloop Sensors" in page


def test_who_only_operates_the_lab_sees_and_does_not_move(stage: Stage, cast: Cast, book: Book) -> None:
    book()

    page = stage.browser(cast.operator).get(f"/lab?on={DAY}").text

    assert "Starloop Sensors" in page
    assert "data-book" not in page


def test_a_week_has_a_cell_for_each_day(stage: Stage, cast: Cast, book: Book) -> None:
    booking = book()

    page = stage.browser(cast.manager).get(f"/lab/week?on={DAY}").text
    row = next(part for part in page.split("<tr>") if booking["id"] in part)

    assert row.count("<td") == 7
    cell = next(part for part in row.split("<td") if booking["id"] in part)
    assert f'data-date="{DAY}"' in cell and "14:00–16:00" in cell
    assert "Mon 23 Nov" in page and "Sun 29 Nov" in page


@pytest.mark.parametrize("path", ["/lab", "/lab/week", "/lab?page=9", "/lab?on=0001-01-01", "/lab?on=x&lab=y&page=-1"])
def test_odd_addresses_show_a_board(stage: Stage, cast: Cast, path: str) -> None:
    assert stage.browser(cast.manager).get(path).status_code == 200


@pytest.mark.parametrize("path", [f"/lab?on={DAY}", f"/lab/week?on={DAY}", "/lab", f"/api/v1/lab/board?on={DAY}"])
def test_more_instruments_cost_no_more_statements(stage: Stage, cast: Cast, book: Book, path: str) -> None:
    book()
    person = stage.api(cast.manager) if path.startswith("/api") else stage.browser(cast.manager)
    path = path.removeprefix("/api/v1")
    counts = []
    for number in (2, 20):
        add_instruments(stage, number)
        with counted(stage) as seen:
            assert person.get(path).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 18


def test_json_says_what_the_page_shows(stage: Stage, cast: Cast, book: Book) -> None:
    booking = book()

    answer = stage.api(cast.manager).get(f"/lab/board?on={DAY}").json()

    sem = next(item for item in answer["items"] if item["equipment_id"] == str(cast.sem.public_id))
    (unit,) = sem["units"]
    (held,) = unit["held"]
    assert held == {
        "starts_at": STARTS, "ends_at": ENDS, "kind": "requested", "booking_id": booking["id"], "version": 1,
        "who": "Starloop Sensors",
    }  # fmt: skip
    assert sem["open"][0] == {"starts_at": "2026-11-27T00:30:00Z", "ends_at": "2026-11-27T04:00:00Z"}
    assert {item["equipment_id"] for item in answer["items"]} == {str(cast.sem.public_id), str(cast.printer.public_id)}
    assert stage.api(cast.owner).get(f"/lab/board?on={DAY}").status_code == 403


def test_the_question_before_a_move_says_old_and_new(stage: Stage, cast: Cast, book: Book) -> None:
    booking = book()
    browser = stage.browser(cast.owner)

    page = browser.get(f"/bookings/{booking['id']}/move?starts_at={DAY}T15:00&ends_at={DAY}T17:00&version=1").text

    assert "Fri 27 Nov 14:00–16:00" in page and "Fri 27 Nov 15:00–17:00" in page
    assert 'name="version" value="1"' in page
    closed = browser.get(f"/bookings/{booking['id']}/move?starts_at={DAY}T02:00&ends_at={DAY}T04:00&version=1").text
    assert "It cannot be moved there" in closed and "closed" in closed
    assert 'name="version"' not in closed.split('id="move-confirm"')[1].split("</section>")[0]
    stale = browser.get(f"/bookings/{booking['id']}/move?starts_at={DAY}T15:00&ends_at={DAY}T17:00&version=9")
    assert stale.status_code == 409


def test_a_longer_slot_shows_what_it_costs_more(stage: Stage, cast: Cast, book: Book) -> None:
    booking = book()

    page = stage.browser(cast.owner).get(
        f"/bookings/{booking['id']}/move?starts_at={DAY}T14:00&ends_at={DAY}T17:00&version=1"
    )

    assert re.search(r"\+¥\d", page.text)


def test_a_lapsed_offer_is_on_no_board(stage: Stage, cast: Cast) -> None:
    from booking.models import Occupancy, OccupancyKind

    with unit_of_work(stage.engine) as session:
        start = NOW + timedelta(days=3)
        for hours, expires in ((0, -1), (2, 60)):
            session.add(
                Occupancy(
                    unit_id=session.merge(cast.sem).id,
                    starts_at=start + timedelta(hours=hours),
                    ends_at=start + timedelta(hours=hours + 1),
                    kind=OccupancyKind.BOOKING,
                    exclusive=True,
                    expires_at=NOW + timedelta(minutes=expires),
                )
            )

    answer = stage.api(cast.manager).get(f"/lab/board?on={DAY}").json()

    assert sum(len(unit["held"]) for item in answer["items"] for unit in item["units"]) == 1
