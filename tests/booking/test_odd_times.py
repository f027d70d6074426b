"""Times that are none, that come twice or that nobody means: a stable code each, and nothing changes."""

from typing import Any

import pytest

from core.db import unit_of_work
from equipment.models import Equipment, Lab
from tests.cast import ENDS, STARTS, Cast, Stage

#: Written as the start of a slot. Reasons name the field; `slot_out_of_range` is the refusal itself.
ODD: list[tuple[object, str]] = [
    ("2026-11-27T06:00:00", "instant_naive"), ("2026-11-27 06:00", "instant_naive"), ("2026-11-27", "instant_invalid"),
    ("2026-11-27T06:00:60Z", "instant_invalid"), ("2016-12-31T23:59:60Z", "instant_invalid"),
    ("2026-11-27T24:00:00Z", "instant_invalid"), ("2026-11-27T06:61Z", "instant_invalid"),
    ("0001-01-01T00:00:00Z", "instant_out_of_range"), ("0001-01-01T00:00:00+14:00", "instant_out_of_range"),
    ("9999-12-31T23:59:59Z", "instant_out_of_range"), ("9999-12-31T23:59:59-14:00", "instant_out_of_range"),
    ("0000-01-01T00:00:00Z", "instant_invalid"), ("10000-01-01T00:00:00Z", "instant_invalid"),
    (1795759200, "instant_invalid"), (1795759200.5, "instant_invalid"), ("1795759200", "instant_invalid"),
    (-1, "instant_invalid"), (10**30, "instant_invalid"), (True, "instant_invalid"), ([], "instant_invalid"),
    ({}, "instant_invalid"), (None, "instant_invalid"), ("", "instant_invalid"), ("now", "instant_invalid"),
    ("２０２６-11-27T06:00:00Z", "instant_invalid"), ("٢٠٢٦-11-27T06:00:00Z", "instant_invalid"),
    ("2026-11-27T06:00:00Ｚ", "instant_invalid"), ("2026-11-27T06:00:00+99:00", "instant_invalid"),
    ("2026-11-27T06:00:00+08:60", "instant_invalid"), ("2026-11-27T06:00:00 Asia/Shanghai", "instant_invalid"),
    ("2026-W48-5T06:00:00Z", "instant_invalid"), ("20261127T060000Z", "instant_invalid"),
    ("2026-02-29T06:00:00Z", "instant_invalid"), ("2026-13-01T06:00:00Z", "instant_invalid"),
    ("2026-11-27T06:00:00Z ", "instant_invalid"), ("2026-11-27T06:00:00,5Z", "instant_invalid"),
    ("2199-12-31T06:00:00Z", "slot_out_of_range"), ("1990-01-01T06:00:00Z", "instant_out_of_range"),
]  # fmt: skip


@pytest.fixture
def booking(book: Any) -> dict[str, Any]:
    found: dict[str, Any] = book()
    return found


@pytest.mark.parametrize("verb", ["book", "quote", "move"])
def test_odd_times_get_a_code_and_change_nothing(stage: Stage, cast: Cast, booking: dict[str, Any], verb: str) -> None:
    api, path = stage.api(cast.owner), f"/bookings/{booking['id']}"
    for odd, code in ODD:
        for field in ("starts_at", "ends_at"):
            body: dict[str, Any] = {"starts_at": STARTS, "ends_at": ENDS} | {field: odd}
            if verb == "move":
                answer = api("PATCH", path, body | {"version": booking["version"]})
            else:
                place = {"equipment_id": str(cast.sem.public_id)}
                answer = api.post("/bookings" if verb == "book" else "/quotes", body | place)
            said = answer.json()

            # A slot that ends before it begins is told so first.
            wanted = "slot_invalid" if code == "slot_out_of_range" and field == "starts_at" else code
            assert answer.status_code == 422, (odd, answer.text)
            assert wanted in {said["code"], *(reason["code"] for reason in said.get("reasons", []))}, (odd, answer.text)

    assert api.get(path).json() == booking
    assert api.get("/bookings").json()["total"] == 1


#: Zone, a day with hours that do not exist and one of them, a day with hours that come twice and one of them, and that
#: one's first coming in UTC. All in the year after the tests' present.
ZONES = [
    ("Europe/Berlin", "2027-03-28", "02:30", "2027-10-31", "02:30", "2027-10-31T00:30:00Z"),
    ("Europe/Dublin", "2027-03-28", "01:30", "2027-10-31", "01:30", "2027-10-31T00:30:00Z"),
    ("Australia/Lord_Howe", "2027-10-03", "02:15", "2027-04-04", "01:45", "2027-04-03T14:45:00Z"),
]
at_each_zone = pytest.mark.parametrize(("zone", "gap_on", "gap", "twice_on", "twice", "first"), ZONES)


def settle(stage: Stage, cast: Cast, zone: str) -> None:
    """The printer stands in a zone with summer time, can be booked far ahead and on every quarter of an hour."""
    with unit_of_work(stage.engine) as session:
        session.get_one(Lab, cast.printer.lab_id).zone = zone
        entry = session.get_one(Equipment, cast.printer.id)
        entry.horizon_days, entry.step_minutes, entry.length_minutes_min = 900, 15, 15


@at_each_zone
def test_slots_over_a_clock_change_are_booked_and_moved_by_their_true_length(
    stage: Stage, cast: Cast, zone: str, gap_on: str, gap: str, twice_on: str, twice: str, first: str
) -> None:
    settle(stage, cast, zone)
    api = stage.api(cast.owner)
    place = {"equipment_id": str(cast.printer.public_id)}
    over_gap = {"starts_at": f"{gap_on}T00:00:00Z", "ends_at": f"{gap_on}T02:00:00Z"}
    if zone == "Australia/Lord_Howe":
        over_gap = {"starts_at": "2027-10-02T15:00:00Z", "ends_at": "2027-10-02T17:00:00Z"}

    quote = api.post("/quotes", place | over_gap).json()
    booked = api.post("/bookings", place | over_gap)
    over_twice = {"starts_at": first, "ends_at": first.replace("T00", "T02").replace("T14", "T16")}
    moved = api("PATCH", f"/bookings/{booked.json()['id']}", over_twice | {"version": booked.json()["version"]})

    assert (booked.status_code, moved.status_code) == (201, 200), (booked.text, moved.text)
    assert quote["problems"] == []
    assert quote["price_fen"] == booked.json()["price_fen"] == moved.json()["price_fen"] == 2 * 40_000
    assert {name: moved.json()[name] for name in over_twice} == over_twice


@at_each_zone
def test_a_wall_time_that_is_skipped_is_refused_and_one_that_comes_twice_is_the_first(
    stage: Stage, cast: Cast, zone: str, gap_on: str, gap: str, twice_on: str, twice: str, first: str
) -> None:
    settle(stage, cast, zone)
    page = stage.browser(cast.owner).get
    address = f"/equipment/{cast.printer.public_id}"
    booked = stage.api(cast.owner).post(
        "/bookings", {"equipment_id": str(cast.printer.public_id), "starts_at": STARTS, "ends_at": ENDS}
    ).json()  # fmt: skip
    skipped = f"starts_at={gap_on}T{gap}&ends_at={gap_on}T04:00"

    instrument, move = page(f"{address}?{skipped}"), page(f"/bookings/{booked['id']}/move?{skipped}")
    fits = page(f"/bookings/{booked['id']}/move?starts_at={twice_on}T{twice}&ends_at={twice_on}T06:00")

    assert "Choose a date and a time." in instrument.text
    assert (move.status_code, "Choose a date and a time." in move.text) == (422, True)
    assert fits.status_code == 200 and "Choose a date and a time." not in fits.text
    again = stage.api(cast.owner).get(f"/bookings/{booked['id']}").json()
    assert again == booked
