"""The desk of a startup and the lists behind it."""

import re
from typing import Any

import pytest

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
