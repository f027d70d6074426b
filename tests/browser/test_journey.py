"""The whole journey as people make it: startup, lab and finance, with the mail and the clock between them."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

Open = Callable[..., Page]
CHINA = ZoneInfo("Asia/Shanghai")


def find_instrument(page: Page, name: str) -> None:
    page.goto("/equipment")
    page.fill("[name=q]", name)
    page.keyboard.press("Enter")
    page.locator("#results h2 a").first.click()


def fill_slot(page: Page, start: datetime, minutes: int) -> None:
    page.fill("#ask [name=starts_at]", f"{start:%Y-%m-%dT%H:%M}")
    page.fill("#ask [name=ends_at]", f"{start + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}")


def accept_terms(page: Page) -> None:
    """Where the instrument's lab has published some."""
    if page.locator("#ask [name=terms_version]").count():
        page.check("#ask [name=terms_version]")


def next_free(page: Page, minutes: int) -> datetime:
    """Where so many minutes in a row are free on the shown instrument within three weeks, in its own wall time."""
    shown = urlsplit(page.url).path.rpartition("/")[2]
    now = advance_clock(page, 0)
    name = page.request.get(f"/api/v1/equipment/{shown}").json()["name"]
    window = {"q": name, "from": now.isoformat(), "to": (now + timedelta(days=21)).isoformat(), "minutes": minutes}
    answer = page.request.get("/api/v1/availability", params=window)
    slots = next(item["slots"] for item in answer.json()["items"] if item["equipment_id"] == shown)
    return datetime.fromisoformat(slots[0]["starts_at"]).astimezone(CHINA).replace(tzinfo=None)


def test_a_startup_books_a_lab_runs_and_finance_sees_it(open_page: Open) -> None:
    startup = open_page("startup")
    find_instrument(startup, "Nova NanoSEM 450")
    expect(startup.locator("h1")).to_contain_text("扫描电子显微镜")
    start = next_free(startup, 120)
    fill_slot(startup, start, 120)
    startup.locator("#ask [name=ends_at]").press("Tab")
    expect(startup.locator("#quote")).to_contain_text("创新券支付")
    expect(startup.locator("#quote")).to_contain_text("−240.00")
    expect(startup.locator("#quote")).to_contain_text("¥560.00")
    expect(startup.locator("#quote")).to_contain_text("华中科技大学")
    startup.fill("[name=purpose]", "浏览器里的旅程")
    accept_terms(startup)
    startup.get_by_role("button", name="提交预约").click()
    expect(startup.locator(".flash")).to_contain_text("已提交申请")
    booking = startup.url

    lab = open_page("lab")
    lab.goto("/lab/requests")
    request = lab.locator(".request", has_text="浏览器里的旅程")
    expect(request).to_contain_text("¥800.00")
    request.get_by_role("button", name="批准").click()
    expect(lab.locator(".flash")).to_contain_text("已处理，并已通知申请人。")

    startup.goto(booking)
    expect(startup.locator("main .badge").first).to_have_text("已批准")
    move_clock_to(lab, booking, start - timedelta(minutes=50))
    see_the_reminder(open_page())
    move_clock_to(lab, booking, start)
    startup.goto(booking)
    startup.get_by_role("button", name="签到").click()
    expect(startup.locator("main .badge").first).to_have_text("使用中")
    move_clock_to(lab, booking, start + timedelta(minutes=91))
    lab.goto(booking)
    lab.get_by_role("button", name="签退并计费").click()
    expect(lab.locator("main .badge").first).to_have_text("已完成")
    expect(lab.locator("aside")).to_contain_text("实际费用")

    startup.goto("/vouchers")
    expect(startup.locator("main")).to_contain_text("按实际使用核销")
    finance = open_page("finance")
    see_the_money(finance)


def advance_clock(page: Page, minutes: int) -> datetime:
    """Move the demonstration's clock forward through its JSON route; what it shows afterwards."""
    answer = page.evaluate(
        """async minutes => (await fetch('/api/v1/demo/clock', {method: 'POST', headers: {
            'content-type': 'application/json', 'x-csrf-token': document.querySelector('meta[name=csrf]').content},
            body: JSON.stringify({advance_minutes: minutes})})).json()""",
        minutes,
    )
    return datetime.fromisoformat(answer["now"])


def move_clock_to(page: Page, booking: str, target: datetime) -> None:
    page.goto(booking)
    now = advance_clock(page, 0).astimezone(CHINA).replace(tzinfo=None)
    shown = advance_clock(page, max(-(-(target - now) // timedelta(minutes=1)), 0))
    assert shown.astimezone(CHINA).replace(tzinfo=None) >= target


def see_the_reminder(page: Page) -> None:
    """The clock of the server sends what is due within seconds."""
    for _ in range(40):
        page.goto("/demo/mailbox?to=startup@example.com")
        if page.get_by_text("1 小时前提醒").count() or page.get_by_text("提醒").count() > 1:
            break
        page.wait_for_timeout(500)
    page.locator("main a[href^='/demo/mailbox/']").first.click()
    expect(page.locator("main")).to_contain_text("startup@example.com")


def see_the_money(page: Page) -> None:
    page.goto("/finance/spend")
    expect(page.locator("main")).to_contain_text("星环传感")
    for kind in ("CSV", "XLSX"):
        with page.expect_download() as download:
            page.get_by_role("link", name=kind).click()
        body = download.value.path().read_bytes()
        if kind == "XLSX":
            assert zipfile.ZipFile(io.BytesIO(body)).testzip() is None
        else:
            assert "星环传感" in body.decode("utf-8-sig")
    page.goto("/finance/ledger")
    expect(page.locator("main")).to_contain_text("合计为零")


def test_a_slot_is_drawn_on_the_timeline_and_moved_by_keys(open_page: Open) -> None:
    page = open_page("startup")
    find_instrument(page, "CHI660E")
    free = next_free(page, 120)
    page.goto(f"{urlsplit(page.url).path}?week={free:%Y-%m-%d}")
    first, last = (int(page.locator("[data-timeline]").get_attribute(f"data-{end}") or 0) for end in ("first", "last"))
    box = page.locator(f".lane[data-date='{free:%Y-%m-%d}']").bounding_box()
    assert box
    at = box["x"] + box["width"] * (free.hour + free.minute / 60 - first) / (last - first)
    page.mouse.move(at + 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(at + box["width"] / (last - first), box["y"] + 20, steps=6)
    page.mouse.up()
    start = page.locator("#ask [name=starts_at]")
    expect(start).not_to_have_value("")
    expect(page.locator("#quote")).to_contain_text("自付")

    before = start.input_value()
    page.locator(".bar.pick [role=slider]").focus()
    page.keyboard.press("ArrowRight")
    expect(start).not_to_have_value(before)
    page.keyboard.press("Escape")
    expect(start).to_have_value("")


def test_without_a_script_one_finds_quotes_and_books(open_page: Open) -> None:
    page = open_page("startup", script=False)
    find_instrument(page, "示波器")
    page.locator("#quote a[href*='?starts_at']").first.click()
    expect(page.locator("#quote")).to_contain_text("自付")
    accept_terms(page)
    page.get_by_role("button", name="提交预约").click()
    expect(page.locator("main .badge").first).to_contain_text(re.compile("已批准|待审批"))


def test_a_form_sent_twice_books_once(open_page: Open) -> None:
    page = open_page("startup")
    find_instrument(page, "CHI660E")
    fill_slot(page, next_free(page, 60), 60)
    accept_terms(page)
    form: dict[str, Any] = page.evaluate("Object.fromEntries(new FormData(document.getElementById('ask')))")

    first = page.request.post("/bookings", form=form, max_redirects=0)
    second = page.request.post("/bookings", form=form, max_redirects=0)

    assert first.status == second.status == 303
    assert first.headers["location"] == second.headers["location"]


def test_a_refusal_keeps_what_was_typed_and_offers_free_slots(open_page: Open) -> None:
    page = open_page("startup")
    find_instrument(page, "Nova NanoSEM 450")
    start = next_free(page, 60).replace(hour=3, minute=0)
    fill_slot(page, start, 60)
    page.fill("[name=purpose]", "凌晨三点")
    accept_terms(page)
    page.get_by_role("button", name="提交预约").click()

    expect(page.locator(".errors")).to_contain_text("不开放")
    expect(page.locator("[name=purpose]")).to_have_value("凌晨三点")
    page.locator("#quote a[href*='?starts_at']").first.click()
    expect(page.locator("#quote")).to_contain_text("自付")
