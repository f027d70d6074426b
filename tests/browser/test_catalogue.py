"""The lab describes its instruments in a real browser: import, mapping, edit with history, hours, holidays, prices."""

import io
import re
from collections.abc import Callable
from datetime import date, timedelta

import xlsxwriter
from PIL import Image
from playwright.sync_api import Page, expect

Open = Callable[..., Page]


def workbook(headings: list[str], rows: list[list[object]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("清单")
        sheet.merge_range(0, 0, 0, len(headings) - 1, "仪器设备清单")
        for number, row in enumerate([headings, *rows], 1):
            sheet.write_row(number, 0, row)
    return out.getvalue()


def upload(page: Page, name: str, content: bytes) -> None:
    page.goto("/lab/imports")
    page.set_input_files("[name=file]", {"name": name, "mimeType": "application/octet-stream", "buffer": content})
    page.get_by_role("button", name="上传并比对").click()
    # The page looks again by itself until the file is read.
    expect(page.locator("main .badge").first).to_have_text(re.compile("待确认|待指定列"), timeout=20_000)


def own_instrument(page: Page, name: str) -> None:
    page.goto(f"/lab/catalogue?q={name}")
    page.locator("tbody a").first.click()


def test_a_list_is_imported_after_a_look_and_again_changes_nothing(open_page: Open) -> None:
    page = open_page("lab")
    headings = ["资产编号", "设备名称", "厂家", "规格型号", "单价", "使用单位"]
    rows: list[list[object]] = [
        ["BR-001", "激光测振仪", "Polytec", "PSV-500", 1_280_000, "分析测试中心"], ["BR-002", "", "", "", 1, ""]
    ]  # fmt: skip
    upload(page, "清单.xlsx", workbook(headings, rows))

    expect(page.locator("main")).to_contain_text("激光测振仪")
    expect(page.locator("main")).to_contain_text("应开放共享")
    page.get_by_role("link", name=re.compile("拒绝 1")).click()
    expect(page.locator("main")).to_contain_text("设备名称")
    page.get_by_role("button", name="应用", exact=True).click()
    expect(page.locator(".flash")).to_contain_text("已应用")

    upload(page, "清单.xlsx", workbook(headings, rows))
    expect(page.locator("main")).to_contain_text("没有变化")


def test_unknown_columns_are_named_by_hand(open_page: Open) -> None:
    page = open_page("lab")
    upload(page, "表.xlsx", workbook(["甲", "乙", "丙"], [["BR-100", "三坐标测量机", "Hexagon"]]))

    page.get_by_label("甲").select_option("asset_number")
    page.get_by_label("乙").select_option("name_zh")
    page.get_by_label("丙").select_option("maker")
    page.get_by_role("button", name="按此列对应比对").click()

    expect(page.locator("main")).to_contain_text("Hexagon", timeout=20_000)


def test_an_edit_stands_in_the_history_and_a_second_one_is_warned(open_page: Open) -> None:
    first, second = open_page("lab"), open_page("lab")
    for page in (first, second):
        own_instrument(page, "CHI660E")
    first.get_by_label("主要功能", exact=True).fill("循环伏安、交流阻抗")
    first.get_by_role("button", name="保存").click()
    expect(first.locator(".flash")).to_contain_text("已保存")

    second.get_by_label("安全要求").fill("佩戴护目镜")
    second.get_by_role("button", name="保存").click()
    expect(second.locator(".errors")).to_contain_text("刚刚保存过")
    expect(second.get_by_label("安全要求")).to_have_value("佩戴护目镜")

    first.get_by_role("link", name="历史").click()
    expect(first.locator("main")).to_contain_text("循环伏安、交流阻抗")
    expect(first.locator("main")).to_contain_text("林静")


def test_hours_prices_and_a_picture_are_seen_by_everybody(open_page: Open) -> None:
    page = open_page("lab")
    own_instrument(page, "VERTEX 70")
    page.get_by_role("link", name="开放时间").click()
    page.get_by_label("一").first.fill("9-5")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".errors")).to_contain_text("08:30-12:00")
    page.get_by_label("一").first.fill("09:00-17:00")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("link", name="价格", exact=True).click()
    page.fill("[name=band0_name]", "夜间")
    page.fill("[name=band0_time]", "18:00-22:00")
    page.fill("[name=band0_factor]", "0.5")
    page.locator(".weekday-picks label").first.click()
    page.fill("[name=rate_startup_hour]", "88")
    page.get_by_role("button", name="保存为新版本").click()
    expect(page.locator(".flash")).to_contain_text("已保存为新版本")
    page.get_by_role("link", name="图片与文件").click()
    picture = io.BytesIO()
    Image.new("RGB", (900, 600), "#08704f").save(picture, "JPEG")
    page.set_input_files("#f-photo", {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()})
    page.get_by_role("button", name="上传图片").click()
    expect(page.locator(".photos img")).to_have_count(1)

    page.get_by_role("link", name="打开仪器页面").click()

    expect(page.locator("main")).to_contain_text("09:00–17:00")
    expect(page.locator("main")).to_contain_text("¥88.00")
    expect(page.locator("main")).to_contain_text("夜间")
    assert page.locator(".photos img").evaluate("image => image.naturalWidth") == 320


def test_a_holiday_is_entered_and_a_closure_lists_its_bookings(open_page: Open) -> None:
    zone = open_page("zone")
    zone.goto("/zone/calendar?year=2029")
    expect(zone.locator("main")).to_contain_text("尚未录入")
    zone.get_by_label("逐行列表").fill("2029-10-01, 休, 国庆节")
    zone.get_by_role("button", name="录入").click()
    expect(zone.locator("main")).to_contain_text("国庆节")

    lab = open_page("lab")
    own_instrument(lab, "Nova NanoSEM 450")
    lab.get_by_role("link", name="停用").click()
    lab.fill("[name=starts_at]", "2027-12-01T08:00")
    lab.fill("[name=ends_at]", "2027-12-03T18:00")
    lab.fill("[name=reason]", "停电检修")
    lab.get_by_role("button", name="登记停用").click()
    expect(lab.locator("main")).to_contain_text("停电检修")
    lab.get_by_role("button", name="移除").click()
    expect(lab.locator("main")).not_to_contain_text("停电检修")


def test_a_changed_value_stands_beside_the_old_one_and_retiring_asks_first(open_page: Open) -> None:
    page = open_page("lab")
    headings = ["资产编号", "设备名称", "厂家", "使用单位"]
    upload(page, "一.xlsx", workbook(headings, [["BR-300", "轮廓仪", "Bruker", "分析测试中心"]]))
    page.get_by_role("button", name="应用", exact=True).click()
    expect(page.locator(".flash")).to_contain_text("已应用")

    upload(page, "二.xlsx", workbook(headings, [["BR-300", "轮廓仪", "KLA", "分析测试中心"]]))
    row = page.locator("tbody tr", has_text="BR-300")
    expect(row.locator("del")).to_have_text("Bruker")
    expect(row.locator("ins")).to_have_text("KLA")

    page.get_by_role("button", name="按完整清单重新比对").click()
    expect(page.locator(".notice.wait")).to_contain_text(re.compile(r"\d+ 台仪器不在文件中"), timeout=20_000)
    gone = re.search(r"(\d+) 台", page.locator(".notice.wait").inner_text())
    assert gone
    page.locator("summary", has_text="应用").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"确认下架 {gone[1]} 台仪器")
    page.get_by_role("button", name="应用并下架").click()
    assert page.get_by_label("确认下架").evaluate("box => box.validity.valueMissing")
    page.keyboard.press("Escape")
    page.get_by_role("link", name=re.compile(r"缺失 \d+")).click()
    expect(page.locator("tbody tr").first).to_contain_text("不在文件中")
    page.get_by_role("button", name="搁置").click()


def test_rules_are_typed_in_words_and_a_year_to_come_is_provisional(open_page: Open) -> None:
    lab = open_page("lab", lang="en-GB", width=390)
    own_instrument(lab, "Quanta 200")
    lab.get_by_role("link", name="Rules", exact=True).click()
    for name, text in (("lead_minutes", "48 h"), ("horizon_days", "900 d")):
        lab.check(f"[name=own][value={name}]")
        lab.fill(f"[name={name}]", text)
    lab.get_by_role("button", name="Save").click()
    expect(lab.locator(".flash")).to_contain_text("Saved")
    expect(lab.locator("[name=lead_minutes]")).to_have_value("2 days")
    lab.get_by_role("link", name="History").click()
    expect(lab.locator("main")).to_contain_text("900 days")
    assert lab.evaluate("document.documentElement.scrollWidth") <= 390

    startup = open_page("startup", lang="en-GB", width=390)
    startup.goto(lab.url.rpartition("/")[0])
    year = int(startup.evaluate("new Date().getFullYear()")) + 1
    start = next_tuesday(date(year, 3, 1))
    startup.fill("#ask [name=starts_at]", f"{start}T09:00")
    startup.fill("#ask [name=ends_at]", f"{start}T11:00")
    startup.locator("#ask [name=ends_at]").press("Tab")
    expect(startup.locator("#quote")).to_contain_text("not announced yet")


def test_a_summer_timetable_and_prices_of_three_tiers_from_a_day(open_page: Open) -> None:
    page = open_page("lab", lang="en-GB", width=390)
    own_instrument(page, "Tecnai G2 F30")
    page.get_by_role("link", name="Hours", exact=True).click()
    page.fill("[name=season_first]", "05-01")
    page.fill("[name=season_last]", "09-30")
    page.fill("[name=season_0]", "08:30-12:00, 14:30-18:00")
    page.fill("[name=season_4]", "22:00-06:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".facts").first).to_contain_text("1 May–30 Sep Fri")
    expect(page.locator(".facts").first).to_contain_text("22:00–06:00")

    page.get_by_role("link", name="Prices", exact=True).click()
    day = page.evaluate("new Date(Date.now() + 60 * 864e5).toISOString().slice(0, 10)")
    page.fill("[name=effective_on]", day)
    for tier, price in (("internal", "410"), ("startup", "820"), ("other", "1025")):
        box = page.locator(f"[name=rate_{tier}_hour]")
        box.fill(price)
        size = box.bounding_box()
        assert size
        assert size["width"] >= 84
        assert size["x"] + size["width"] <= 390
    page.get_by_role("button", name="Save as a new version").click()
    coming = page.locator("tbody tr", has_text="to come")
    for price in ("¥410.00/hour", "¥820.00/hour", "¥1,025.00/hour"):
        expect(coming).to_contain_text(price)
    expect(page.locator("tbody tr", has=page.locator(".badge.ok"))).to_contain_text("¥800.00/hour")

    coming.locator("summary", has_text="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.locator(".flash")).to_contain_text("Withdrawn")
    expect(page.locator("tbody tr", has_text="to come")).to_contain_text("as before")


def test_who_saves_hours_second_is_warned_and_keeps_what_was_typed(open_page: Open) -> None:
    first, second = open_page("lab"), open_page("lab", width=390)
    for page in (first, second):
        own_instrument(page, "LabRAM HR800")
        page.get_by_role("link", name="开放时间").click()
    first.fill("[name=year_5]", "09:00-12:00")
    first.get_by_role("button", name="保存").click()
    expect(first.locator(".flash")).to_contain_text("已保存")

    second.fill("[name=year_6]", "13:00-17:00")
    second.get_by_role("button", name="保存").click()
    expect(second.locator(".errors")).to_contain_text("刚刚保存过")
    expect(second.locator("[name=year_6]")).to_have_value("13:00-17:00")
    expect(second.locator("main")).to_contain_text("09:00-12:00")


def next_tuesday(on: date) -> date:
    return on + timedelta(days=(1 - on.weekday()) % 7)
