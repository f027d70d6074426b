"""Every page of every role: opens, is quiet, fits, and has nothing that axe objects to."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Open = Callable[..., Page]

PAGES = {
    "": [
        "/equipment",
        "/equipment?q=电镜",
        "/equipment?q=xyzzy",
        "/free?q=电镜&part=afternoon&minutes=120",
        "/free?q=电镜&price=1",
        "/free?from=2026-01-05&to=2025-01-05",
        "COMPARE",
        "/compare",
        "/sign-in",
        "/demo/people",
        "/demo/mailbox",
        "/styleguide",
        "/nowhere",
    ],
    "startup": ["/bookings", "/bookings/ended", "/vouchers", "VOUCHER", "/settings", "INSTRUMENT", "BOOKING"],
    "researcher": ["/bookings", "INSTRUMENT"],
    "lab": [
        "/lab",
        "/lab/requests",
        "/lab/bookings/new",
        "/lab/reports",
        "INSTRUMENT",
        "BOOKING",
        "/lab/catalogue",
        "/lab/catalogue/new",
        "/lab/imports",
        "/lab/catalogue/export?kind=sj3",
        "OWN/edit",
        "OWN/rules",
        "OWN/hours",
        "OWN/closures",
        "OWN/prices",
        "OWN/files",
        "OWN/units",
        "OWN/history",
    ],
    "finance": ["/finance", "/finance/vouchers", "VOUCHER", "/finance/spend", "/finance/ledger", "/lab"],
    "zone": [
        "/zone/organisations",
        "/zone/people",
        "/zone/audit",
        "/lab/reports",
        "/finance",
        "/zone/calendar?year=2026",
        "/zone/calendar?year=2028",
        "/lab/catalogue",
    ],
    "auditor": ["/zone/organisations", "/finance/ledger", "/zone/audit"],
}
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
#: Language, width, dark: Chinese and English, desk and phone, light and dark.
LOOKS = [("zh-CN", 1440, False), ("en-GB", 390, True), ("zh-CN", 390, False), ("en-GB", 1440, True)]


def address_of(page: Page, path: str) -> str:
    if path == "INSTRUMENT":
        items = page.request.get("/api/v1/equipment?q=Nova NanoSEM 450").json()["items"]
        return f"/equipment/{items[0]['id']}?starts_at=2026-01-05T09:00&ends_at=2026-01-05T10:00"
    if path == "COMPARE":
        items = page.request.get("/api/v1/equipment?q=电镜&limit=4").json()["items"]
        return "/compare?minutes=180&amount=2&" + "&".join(f"id={item['id']}" for item in items)
    if path.startswith("OWN/"):
        items = page.request.get("/api/v1/equipment?q=Nova NanoSEM 450").json()["items"]
        return f"/equipment/{items[0]['id']}/{path.removeprefix('OWN/')}"
    if path == "VOUCHER":
        items = page.request.get("/api/v1/vouchers?limit=1").json()["items"]
        return f"/vouchers/{items[0]['id']}"
    if path == "BOOKING":
        items = page.request.get("/api/v1/bookings?limit=1&state=approved").json()["items"]
        return f"/bookings/{items[0]['id']}"
    return path


@pytest.mark.parametrize("who", PAGES, ids=lambda who: who or "nobody")
@pytest.mark.parametrize(("lang", "width", "dark"), LOOKS, ids=lambda value: str(value))
def test_pages_are_quiet_fit_and_can_be_read_by_everybody(
    open_page: Open, who: str, lang: str, width: int, dark: bool
) -> None:
    page = open_page(who, lang=lang, width=width, dark=dark)
    axe = Axe()
    wrong = []
    for path in PAGES[who]:
        answer = page.goto(address_of(page, path))
        assert answer is not None
        assert answer.status < 500, path
        assert len(answer.body()) < 61_440, f"{path} has {len(answer.body())} bytes"
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if overflow > 0:
            wrong.append(f"{path}: {overflow} px too wide")
        for violation in axe.run(page, options=RULES).response["violations"]:
            targets = [node["target"] for node in violation["nodes"][:3]]
            wrong.append(f"{path}: {violation['id']} {targets}")
    assert wrong == []


def test_the_keyboard_reaches_the_content_first(open_page: Open) -> None:
    page = open_page("startup")
    page.goto("/bookings")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_the_language_switch_keeps_the_page(open_page: Open) -> None:
    page = open_page("zone")
    page.goto("/zone/people")

    page.locator("form.language button").click()

    assert page.url.endswith("/zone/people")
    assert page.locator("html").get_attribute("lang") == "en"
    page.locator("form.language button").click()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
