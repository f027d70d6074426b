"""The desk of a startup and the lists behind it."""

import re
from typing import Any

import pytest

from core.db import unit_of_work
from equipment.models import Equipment
from tests.cast import Cast, Stage


def test_ended_bookings_go_on_page_by_page_and_none_is_lost(
    stage: Stage, cast: Cast, book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("booking.pages.bookings.PAGE", 2)
    ids = []
    for hour in (1, 2, 3, 6, 7):
        booking = book(starts_at=f"2026-11-27T0{hour}:00:00Z", ends_at=f"2026-11-27T0{hour + 1}:00:00Z")
        stage.api(cast.owner).post(f"/bookings/{booking['id']}/cancellation")
        ids.append(booking["id"])
    browser = stage.browser(cast.owner)
    address, found = "/bookings/ended", []

    while address:
        page = browser.get(address).text
        found += re.findall(r'<h3><a href="/bookings/([0-9a-f-]+)"', page)
        address = next(iter(re.findall(r'href="([^"]+)" rel="next"', page)), "")

    assert found == ids[::-1]
    assert "/bookings/ended" in browser.get("/bookings").text
    assert browser.get("/bookings/ended?before=nonsense").status_code == 200


def test_the_board_draws_busy_units_first_and_folds_the_idle(stage: Stage, cast: Cast, book: Any) -> None:
    book()

    page = stage.browser(cast.manager).get("/lab?on=2026-11-27").text
    above, quiet = page.split('<details class="quiet">')

    assert str(cast.sem.public_id) in above
    assert "Idle: 2 units" in quiet
    assert str(cast.printer.public_id) in quiet


def test_two_instruments_of_one_name_differ_by_their_models(stage: Stage, cast: Cast, book: Any) -> None:
    book()
    with unit_of_work(stage.engine) as session:
        entry = session.get_one(Equipment, cast.sem.id)
        entry.maker, entry.model = "FEI", "Quanta 9999"

    assert "FEI Quanta 9999" in stage.browser(cast.owner).get("/bookings").text
