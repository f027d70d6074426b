"""Thread and files of a booking as two people use them, by keyboard and without a script."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]


def booking_with_papers(page: Page) -> str:
    """The one of the demonstration that has a service order."""
    items: list[dict[str, Any]] = page.request.get("/api/v1/bookings?limit=100&state=approved").json()["items"]
    with_order = (
        item["id"] for item in items if page.request.get(f"/api/v1/bookings/{item['id']}/order").status == 200
    )
    return f"/bookings/{next(with_order)}"


@pytest.mark.parametrize("script", [True, False])
def test_two_sides_write_to_each_other(open_page: Open, script: bool) -> None:
    startup, lab = open_page("startup", script=script), open_page("lab", script=script)
    address = booking_with_papers(startup)
    words = f"浏览器里的留言 {script}"
    startup.goto(address)
    startup.fill("#messages textarea", words)
    if script:
        startup.locator("#messages textarea").press("Control+Enter")
    else:
        startup.get_by_role("button", name="发送").click()
    expect(startup.locator(".thread li").last).to_contain_text(words)

    lab.goto("/lab")
    lab.locator(f"a[href$='{address}#messages']").click()
    last = lab.locator(".thread li").last
    expect(last).to_contain_text(words)
    expect(last).to_contain_text("未读")
    lab.reload()
    expect(lab.locator(".thread li").last).not_to_contain_text("未读")


def test_a_file_is_brought_fetched_and_removed(open_page: Open, tmp_path: Path) -> None:
    page = open_page("startup")
    page.goto(booking_with_papers(page))
    sheet = tmp_path / "浏览器 样品.csv"
    sheet.write_bytes("样品,数量\nA,1\n".encode())
    page.set_input_files("#files [type=file]", sheet)
    page.get_by_role("button", name="添加文件").click()
    link = page.locator("#files a", has_text="浏览器 样品.csv")
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "浏览器 样品.csv"

    row = page.locator("#files li", has_text="浏览器 样品.csv")
    row.locator("summary").click()
    page.get_by_role("dialog").get_by_role("button", name="移除").click()
    expect(page.locator("#files")).not_to_contain_text("浏览器 样品.csv")

    page.set_input_files("#files [type=file]", {"name": "x.pdf", "mimeType": "application/pdf", "buffer": b"MZ"})
    page.get_by_role("button", name="添加文件").click()
    expect(page.locator(".errors")).to_contain_text(re.compile("内容与扩展名一致"))
