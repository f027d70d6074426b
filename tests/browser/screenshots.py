"""The pictures of the README, from a demonstration of its own: `./dev screenshots`."""

import csv
import io
import tempfile
from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.stage import chromium, running_demo, sign_in

TARGET = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, running_demo(Path(data)) as address, chromium() as browser:
        startup = open_as(browser, address, "startup")
        take(startup, f"{address}/equipment?q=电镜", "search")
        take(startup, f"{address}/free?q=电镜&minutes=120", "free")
        entry = startup.request.get(f"{address}/api/v1/equipment?q=Nova NanoSEM 450").json()["items"][0]["id"]
        startup.goto(f"{address}/equipment/{entry}")
        href = startup.locator("#quote a[href*='?starts_at']").first.get_attribute("href") or ""
        take(startup, address + href.split("#")[0], "instrument")
        booking = startup.request.get(f"{address}/api/v1/bookings?state=completed&limit=1").json()["items"][0]["id"]
        take(startup, f"{address}/bookings/{booking}", "booking")
        take(startup, f"{address}/vouchers", "vouchers")
        lab = open_as(browser, address, "lab")
        busy = lab.request.get(f"{address}/api/v1/bookings?state=approved&limit=30").json()["items"]
        day = max(Counter(item["starts_at"][:10] for item in busy).items(), key=lambda pair: pair[1])[0]
        take(lab, f"{address}/lab?on={day}", "lab")
        take(lab, f"{address}/lab/reports", "report")
        take(lab, f"{address}/equipment/{entry}/prices", "prices")
        take(lab, import_a_list(lab, address), "import")
        finance = open_as(browser, address, "finance", lang="en-GB")
        take(finance, f"{address}/finance/spend", "spend")
        take(finance, f"{address}/finance/ledger", "ledger")
        take(startup, f"{address}/demo/mailbox", "mailbox")
        phone = open_as(browser, address, "startup", size=PHONE)
        take(phone, address + href.split("#")[0], "phone")
        dark = open_as(browser, address, "lab", dark=True, size=PHONE)
        take(dark, f"{address}/lab/requests", "phone-dark")


def open_as(
    browser: Browser, address: str, who: str, *, lang: str = "zh-CN", dark: bool = False, size: dict[str, int] = DESK
) -> Page:
    context = browser.new_context(
        viewport=size,  # type: ignore[arg-type]
        locale=lang,
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    sign_in(page, address, who)
    return page


def import_a_list(page: Page, address: str) -> str:
    """Upload the lab's own list with two lines changed, one new and one that cannot be; the preview's address."""
    rows = list(
        csv.reader(io.StringIO(page.request.get(f"{address}/lab/catalogue/export/csv").body().decode("utf-8-sig")))
    )
    number, name, model, lab = (rows[0].index(word) for word in ("资产号", "仪器名称", "型号", "实验室"))
    own = [row for row in rows if row[lab] == "分析测试中心"]
    for row in own[:2]:
        row[model] += " Plus"
    added, broken = list(own[2]), list(own[3])
    added[number], added[name] = "YX-2026-118", "低温恒温器"
    broken[number], broken[name] = "YX-2026-119", ""
    out = io.StringIO()
    csv.writer(out).writerows([rows[0], *own, added, broken])
    page.goto(f"{address}/lab/imports")
    page.set_input_files(
        "[name=file]", {"name": "2026 年仪器清单.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()}
    )
    page.get_by_role("button", name="上传并比对").click()
    page.get_by_role("button", name="应用", exact=True).wait_for(timeout=30_000)
    return page.url


def take(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.wait_for_timeout(300)
    path = TARGET / f"{name}.png"
    page.screenshot(path=path)
    print(f"{path.name}: {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
