"""The finance desk as people use it: figures, issuing, exports."""

import io
import re
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from members.models import Person
from tests.cast import Cast, Stage, csrf_of
from tests.factories import NOW
from vouchers.exports import Sheet, write_csv, write_xlsx, yuan


def finish(stage: Stage, cast: Cast, book: Any, visitor: Person | None = None) -> None:
    who = visitor or cast.owner
    booking = book()
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    stage.clock.at = NOW + timedelta(days=3, hours=4)
    stage.api(who).post(f"/bookings/{booking['id']}/check-in")
    stage.clock.at += timedelta(hours=1)
    stage.api(who).post(f"/bookings/{booking['id']}/check-out")


def test_spend_shows_totals_first_and_both_sides(stage: Stage, cast: Cast, book: Any) -> None:
    finish(stage, cast, book)
    browser = stage.browser(cast.finance)

    startups = browser.get("/finance/spend").text
    institutions = browser.get("/finance/spend?by=institution").text

    assert "Starloop Sensors" in startups
    assert "¥120.00" in startups
    assert "¥280.00" in startups
    assert "Jiangcheng University" in institutions


def test_an_institution_that_pays_for_its_researchers_is_no_startup(stage: Stage, cast: Cast, book: Any) -> None:
    finish(stage, cast, lambda: book(cast.researcher, voucher="none"), visitor=cast.researcher)

    page = stage.browser(cast.finance).get("/finance/spend").text
    table = stage.browser(cast.finance).get("/finance/exports/spend.csv").text

    assert "By payer" in page
    assert re.search(r"Own shares of startups</dt>\s*<dd><b>¥0.00", page)
    assert re.search(r"Institutions(?:&#39;|') own researchers</dt>\s*<dd><b>¥[1-9]", page)
    assert 'Jiangcheng University<small class="muted">own researchers</small>' in page
    assert "Jiangcheng University,University,1" in table


def test_the_ledger_page_sums_to_zero_and_leads_to_movements(stage: Stage, cast: Cast, book: Any) -> None:
    finish(stage, cast, book)

    page = stage.browser(cast.auditor).get("/finance/ledger?account_class=earned").text

    assert "sums to zero" in page
    assert "Charged for actual use" in page


def test_a_voucher_has_a_page_with_every_movement_signed_and_named(stage: Stage, cast: Cast, book: Any) -> None:
    finish(stage, cast, book)
    address = f"/vouchers/{cast.voucher.public_id}"

    page = stage.browser(cast.owner).get(address).text

    assert page.index("Charged for actual use") < page.index("Held for a booking") < page.index("Voucher issued")
    assert "−120.00" in page
    assert "Scanning electron microscope" in page
    assert "Fri 27 Nov" in page
    assert address in stage.browser(cast.finance).get("/finance/vouchers").text
    assert stage.browser(cast.stranger).get(address).status_code == 404


def test_the_movements_of_a_voucher_leave_as_a_file_that_adds_up(stage: Stage, cast: Cast, book: Any) -> None:
    finish(stage, cast, book)
    address = f"/vouchers/{cast.voucher.public_id}"
    balance = stage.api(cast.owner).get(address).json()

    answer = stage.browser(cast.owner).get(f"{address}/movements.csv")
    total = answer.content.decode("utf-8-sig").splitlines()[-1].split(",")

    assert total[0] == "Total"
    assert float(total[5]) * 100 == balance["available_fen"]
    assert float(total[6]) == 0
    assert stage.browser(cast.owner).get(f"{address}/movements.txt").status_code == 404


def test_older_movements_have_an_address_and_none_is_lost(
    stage: Stage, cast: Cast, book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(stage, cast, book)
    monkeypatch.setattr("vouchers.own_pages.PAGE", 1)
    browser = stage.browser(cast.owner)
    address, found = f"/vouchers/{cast.voucher.public_id}", []

    while address:
        page = browser.get(address).text
        found += re.findall(r'data-label="What"><span>([^<]+)', page)
        address = next(iter(re.findall(r'href="([^"]+)" rel="next"', page)), "")

    assert found == ["Released", "Charged for actual use", "Held for a booking", "Voucher issued"]
    assert browser.get(f"/vouchers/{cast.voucher.public_id}?before=nonsense").status_code == 200


def test_a_voucher_is_issued_once_by_a_form_sent_twice(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.finance)
    form = {
        "csrf": csrf_of(browser, "/finance/vouchers"), "_key": "once", "programme": str(cast.programme.public_id),
        "organisation": str(cast.rival.public_id), "amount": "1,234.56",
    }  # fmt: skip

    first, second = browser.post("/finance/vouchers", data=form), browser.post("/finance/vouchers", data=form)

    assert first.status_code == second.status_code == 303
    items = stage.api(cast.stranger).get("/vouchers").json()["items"]
    assert [item["available_fen"] for item in items] == [123_456]


def test_a_wrong_amount_keeps_what_was_typed(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.finance)
    form = {
        "csrf": csrf_of(browser, "/finance/vouchers"), "_key": "k", "programme": str(cast.programme.public_id),
        "organisation": str(cast.rival.public_id), "amount": "1.234",
    }  # fmt: skip

    answer = browser.post("/finance/vouchers", data=form)

    assert answer.status_code == 422
    assert 'value="1.234"' in answer.text
    assert "to the fen" in answer.text


def test_exports_open_and_hold_no_formula(stage: Stage, cast: Cast, book: Any) -> None:
    finish(stage, cast, book)
    browser = stage.browser(cast.finance)
    for name in ("spend", "vouchers", "ledger"):
        csv = browser.get(f"/finance/exports/{name}.csv")
        assert csv.content.startswith(b"\xef\xbb\xbf")
        assert "attachment" in csv.headers["content-disposition"]
        with zipfile.ZipFile(io.BytesIO(browser.get(f"/finance/exports/{name}.xlsx").content)) as book_file:
            assert b"<f>" not in book_file.read("xl/worksheets/sheet1.xml")
    assert browser.get("/finance/exports/people.csv").status_code == 404


def test_text_that_looks_like_a_formula_stays_text() -> None:
    evil = ["=1+1", "+1", "-1", "@x", "\tx", "安全"]
    sheet = Sheet("t", ["a"], [[text] for text in evil] + [[yuan(-123_456)]], NOW)

    lines = write_csv(sheet).decode("utf-8-sig").split("\r\n")

    assert lines[1:6] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx"]
    assert lines[6:8] == ["安全", "-1234.56"]
    with zipfile.ZipFile(io.BytesIO(write_xlsx(sheet))) as book_file:
        assert b"<f>" not in book_file.read("xl/worksheets/sheet1.xml")
