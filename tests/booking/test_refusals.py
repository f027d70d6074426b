"""Everything that is wrong with a request comes at once, alike from quotes, requests, moves and forms."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.cast import ENDS, STARTS, Cast, Stage, csrf_of

UNKNOWN = "01990000-0000-7000-8000-000000000000"
#: Saturday, off step, 20 hours.
BAD_TIME = {"starts_at": "2026-11-28T02:10:00Z", "ends_at": "2026-11-28T22:10:00Z"}
TIME_CODES = ["too_long", "off_step", "outside_opening_hours"]


def ask(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {"equipment_id": str(cast.sem.public_id), "starts_at": STARTS, "ends_at": ENDS} | changes


def codes(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer.json()["reasons"]]


@pytest.mark.parametrize("path", ["/quotes", "/bookings"])
def test_a_voucher_that_one_may_not_use_is_refused_whoever_asks(stage: Stage, cast: Cast, path: str) -> None:
    for person in (cast.researcher, cast.stranger, cast.owner):
        for voucher in (UNKNOWN, str(cast.voucher.public_id)):
            if person is cast.owner and voucher != UNKNOWN:
                continue
            refused = stage.api(person).post(path, ask(cast, voucher=voucher))

            assert (refused.status_code, refused.json()["code"]) == (404, "voucher_not_found")
    assert stage.api(cast.researcher).post(path, ask(cast, voucher="auto")).status_code in (200, 201)


@pytest.mark.parametrize("path", ["/quotes", "/bookings"])
def test_time_quantities_mode_and_voucher_are_refused_together(stage: Stage, cast: Cast, path: str) -> None:
    wrong = ask(cast, **BAD_TIME, quantities={"sample": 3}, mode="sample", voucher=UNKNOWN)

    refused = stage.api(cast.owner).post(path, wrong)

    assert (refused.status_code, refused.json()["code"]) == (422, "rules_broken")
    assert codes(refused) == [*TIME_CODES, "quantity_unknown", "mode_not_offered", "voucher_not_found"]
    fields = [reason["field"] for reason in refused.json()["reasons"]]
    assert fields[-3:] == ["quantities.sample", "mode", "voucher"]
    assert stage.api(cast.owner).get("/bookings").json()["total"] == 0


def test_a_slot_that_breaks_rules_and_is_taken_says_both(stage: Stage, cast: Cast, book: Any) -> None:
    book()
    api = stage.api(cast.stranger)
    wrong = ask(cast, starts_at="2026-11-27T06:10:00Z")

    refused = api.post("/bookings", wrong)
    quoted = api.post("/quotes", wrong)

    assert (refused.status_code, codes(refused)) == (422, ["off_step", "slot_taken"])
    assert [problem["code"] for problem in quoted.json()["problems"]] == ["off_step", "slot_taken"]
    assert refused.json()["alternatives"] == quoted.json()["alternatives"] != []


def test_only_taken_is_a_conflict_with_the_nearest_slots(stage: Stage, cast: Cast, book: Any) -> None:
    book()

    refused = stage.api(cast.stranger).post("/bookings", ask(cast))

    assert (refused.status_code, refused.json()["code"]) == (409, "slot_taken")
    assert len(refused.json()["alternatives"]) == 3


def test_a_move_is_refused_with_all_reasons(stage: Stage, cast: Cast, book: Any) -> None:
    book(cast.stranger, voucher="none")
    booking = book(starts_at="2026-11-27T01:00:00Z", ends_at="2026-11-27T02:00:00Z")
    later = {"starts_at": "2026-11-27T06:10:00Z", "ends_at": ENDS, "version": booking["version"]}

    refused = stage.api(cast.owner)("PATCH", f"/bookings/{booking['id']}", later)

    assert (refused.status_code, codes(refused)) == (422, ["off_step", "slot_taken"])


def test_instants_end_in_z_in_every_refusal(stage: Stage, cast: Cast, book: Any) -> None:
    book()
    api = stage.api(cast.stranger)

    for refused in (
        api.post("/bookings", ask(cast)),
        api.post("/bookings", ask(cast, starts_at="2026-11-27T06:10:00Z")),
    ):
        assert refused.json()["alternatives"]
        assert all(slot[name].endswith("00Z") for slot in refused.json()["alternatives"] for name in slot)


def test_without_scripts_a_button_shows_the_price_before_one_books(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.owner)
    path = f"/equipment/{cast.sem.public_id}"
    page = browser.get(path).text
    button = page.split("<noscript>", 1)[1].split("</noscript>", 1)[0]
    assert f'formaction="{path}#ask"' in button
    assert 'formmethod="get"' in button
    typed = {"starts_at": "2026-11-27T14:00", "ends_at": "2026-11-27T16:00", "voucher": "none", "purpose": "断面"}

    asked = browser.get(path, params=typed | {"csrf": "x", "_key": "y", "equipment_id": str(cast.sem.public_id)})

    assert asked.status_code == 303
    assert "csrf" not in asked.headers["location"]
    quoted = browser.get(asked.headers["location"]).text
    assert "¥800.00" in quoted
    assert "断面" in quoted


FORM_ERRORS = [
    ({"starts_at": "soon"}, 422, "Choose a date and a time."),
    ({"ends_at": "2026-11-27T13:00"}, 422, "The end must lie after the start."),
    ({"ends_at": "9999-12-31T16:00"}, 422, "The time lies too far away to be meant."),
    ({"ends_at": "212026-11-27T16:00"}, 422, "The time lies too far away to be meant."),
    ({"ends_at": "2026-11-27T16:10"}, 422, "Slots start and end on steps of"),
    ({"purpose": "x" * 2001}, 422, "At most 2000 characters."),
    ({"purpose": "be\x00fore"}, 422, "The text holds characters that cannot be stored."),
    ({"purpose": b"be\xed\xa0\x80fore"}, 422, "The text holds characters that cannot be stored."),
]


@pytest.mark.parametrize(("changes", "status", "sentence"), FORM_ERRORS, ids=range(len(FORM_ERRORS)))
def test_a_form_that_is_wrong_says_so_once_and_keeps_what_was_typed(
    stage: Stage, cast: Cast, changes: dict[str, Any], status: int, sentence: str
) -> None:
    browser = stage.browser(cast.owner)
    typed = {
        "csrf": csrf_of(browser), "equipment_id": str(cast.sem.public_id), "starts_at": "2026-11-27T14:00",
        "ends_at": "2026-11-27T16:00", "purpose": "kept",
    } | changes  # fmt: skip

    refused = browser.post(
        "/bookings", content=urlencode(typed), headers={"content-type": "application/x-www-form-urlencoded"}
    )

    assert refused.status_code == status
    assert refused.text.count(sentence) == 1
    assert 'id="ask"' in refused.text
    assert "purpose" in changes or "kept</textarea>" in refused.text
    assert stage.api(cast.owner).get("/bookings").json()["total"] == 0


def test_a_form_for_a_taken_slot_is_a_conflict(stage: Stage, cast: Cast, book: Any) -> None:
    book()
    browser = stage.browser(cast.stranger)

    refused = browser.post(
        "/bookings",
        data={
            "csrf": csrf_of(browser), "equipment_id": str(cast.sem.public_id), "starts_at": "2026-11-27T14:00",
            "ends_at": "2026-11-27T16:00",
        },
    )  # fmt: skip

    assert refused.status_code == 409
    assert refused.text.count("Already taken") == 1


@pytest.mark.parametrize("raw", ["a%00b", "a%ED%A0%80b"])
def test_text_that_cannot_be_stored_is_refused_in_every_form(stage: Stage, cast: Cast, book: Any, raw: str) -> None:
    booking = book()
    browser = stage.browser(cast.owner)

    refused = browser.post(
        f"/bookings/{booking['id']}/cancellation", content=f"csrf={csrf_of(browser)}&reason={raw}",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip

    assert refused.status_code == 422
    assert stage.api(cast.owner).get(f"/bookings/{booking['id']}").json()["state"] == "requested"


def test_an_unreadable_field_is_named_as_it_was_written_and_once(stage: Stage, cast: Cast) -> None:
    wrong = ask(cast, voucher="all", quantities={"sample": None}, starts_at=7, price=1)

    refused = stage.api(cast.owner).post("/bookings", wrong)

    assert [reason["field"] for reason in refused.json()["reasons"]] == [
        "starts_at", "quantities.sample", "voucher", "price",
    ]  # fmt: skip
    missing = stage.api(cast.owner).post("/bookings", {"starts_at": STARTS, "ends_at": ENDS})
    assert [reason["field"] for reason in missing.json()["reasons"]] == ["equipment_id"]


@pytest.mark.parametrize("body", [b"{", b"[]", b""])
def test_a_body_that_is_no_object_names_no_field(stage: Stage, cast: Cast, body: bytes) -> None:
    headers = stage.api(cast.owner)._headers | {"content-type": "application/json"}

    refused = stage.client.post("/api/v1/bookings", content=body, headers=headers)

    assert [reason["field"] for reason in refused.json()["reasons"]] == [""]


def test_who_may_see_a_booking_reads_its_purpose(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book(purpose=" 断面形貌 ")
    api = stage.api(cast.manager)

    assert booking["purpose"] == "断面形貌"
    assert api.get(f"/bookings/{booking['id']}").json()["purpose"] == "断面形貌"
    assert api.get("/bookings").json()["items"][0]["purpose"] == "断面形貌"
    assert api.post(f"/bookings/{booking['id']}/approval").json()["purpose"] == "断面形貌"
    assert book(cast.stranger, starts_at="2026-11-27T01:00:00Z", ends_at="2026-11-27T02:00:00Z")["purpose"] == ""


def test_answers_to_writes_are_as_compact_as_answers_to_reads(stage: Stage, cast: Cast) -> None:
    written = stage.api(cast.owner).post("/bookings", ask(cast)).text
    read = stage.api(cast.owner).get("/bookings").text

    assert '"state":"requested"' in written
    assert '"state":"requested"' in read


@pytest.mark.parametrize(
    ("referer", "href"),
    [
        ("http://testserver/equipment?q=x", 'href="/equipment?q=x"'),
        ("http://elsewhere.example/equipment", ""), ("http://testserver//evil.example", ""), ("http://[", ""), ("", ""),
    ],
)  # fmt: skip
def test_an_expired_form_leads_back_to_its_page(stage: Stage, cast: Cast, referer: str, href: str) -> None:
    refused = stage.browser(cast.owner).post("/bookings", data={"csrf": "old"}, headers={"referer": referer})

    assert refused.status_code == 403
    assert "<title>This form has expired" in refused.text
    assert "Not for your role" not in refused.text
    assert ("Load the page again</span>" in refused.text) == bool(href)
    assert href in refused.text
    assert "evil.example" not in refused.text
