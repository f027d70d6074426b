"""The finance desk as people use it: figures, issuing, exports."""

import io
import zipfile
from datetime import timedelta
from typing import Any

from tests.cast import Cast, Stage, csrf_of
from tests.factories import NOW
from vouchers.exports import Sheet, write_csv, write_xlsx, yuan


def finish(stage: Stage, cast: Cast, book: Any) -> None:
    booking = book()
    stage.api(cast.manager).post(f"/bookings/{booking['id']}/approval")
    stage.clock.at = NOW + timedelta(days=3, hours=4)
    stage.api(cast.owner).post(f"/bookings/{booking['id']}/check-in")
    stage.clock.at += timedelta(hours=1)
    stage.api(cast.owner).post(f"/bookings/{booking['id']}/check-out")


def test_spend_shows_totals_first_and_both_sides(stage: Stage, cast: Cast, book: Any) -> None:
    finish(stage, cast, book)
    browser = stage.browser(cast.finance)

    startups = browser.get("/finance/spend").text
    institutions = browser.get("/finance/spend?by=institution").text

    assert "Starloop Sensors" in startups
    assert "¥120.00" in startups
    assert "¥280.00" in startups
    assert "Jiangcheng University" in institutions


def test_the_ledger_page_sums_to_zero_and_leads_to_movements(stage: Stage, cast: Cast, book: Any) -> None:
    finish(stage, cast, book)

    page = stage.browser(cast.auditor).get("/finance/ledger?account_class=earned").text

    assert "sums to zero" in page
    assert "Charged for actual use" in page


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
