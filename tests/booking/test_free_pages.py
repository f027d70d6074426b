"""The pages that say who is free and that compare, and what the public sees of a calendar."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import event

from tests.cast import Cast, Stage

WEEK = {"from": "2026-11-24", "to": "2026-11-30"}


def test_a_slot_on_the_page_leads_to_its_quote(stage: Stage, cast: Cast) -> None:
    browser = stage.browser(cast.owner)

    page = browser.get("/free", params=WEEK | {"q": cast.sem.name_zh, "minutes": "60", "part": "morning"})

    href = page.text.split('class="button plain slim" href="')[1].split('"')[0].replace("&amp;", "&")
    assert href.startswith(f"/equipment/{cast.sem.public_id}?") and href.endswith("#ask")
    asked = parse_qs(urlsplit(href).query)
    assert "12:00" >= asked["ends_at"][0][11:] > asked["starts_at"][0][11:] >= "06:00"
    quote = browser.get(href.removesuffix("#ask"))
    assert quote.status_code == 200
    assert 'name="starts_at"' in quote.text


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_when_nobody_is_free_the_page_says_what_comes_near(stage: Stage, cast: Cast, lang: str) -> None:
    page = stage.browser(None, lang).get("/free", params=WEEK | {"q": cast.sem.name_zh, "price": "1"})

    assert page.status_code == 200
    assert ("Over the budget" if lang == "en" else "超出预算") in page.text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"from": "2026-11-30", "to": "2026-11-01"}, 422), ({"from": "2026-11-24", "to": "2029-11-24"}, 422),
        ({"from": "x", "to": "\x00", "minutes": "-1", "part": "night", "price": "9" * 40, "sort": "'"}, 200),
        ({"q": "(a+)+$" * 2000, "category": "%", "minutes": "9" * 30}, 200), ({"cursor": "zz"}, 422),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_or_left_out(stage: Stage, asked: dict[str, str], status: int) -> None:
    assert stage.browser(None).get("/free", params=asked).status_code == status


def test_instruments_are_compared_for_the_same_job(stage: Stage, cast: Cast) -> None:
    ids = [str(cast.sem.public_id), str(cast.printer.public_id)]
    query = "&".join(f"id={key}" for key in [*ids, ids[0]]) + "&minutes=120"

    items = stage.browser(None).get(f"/api/v1/equipment/comparison?{query}").json()["items"]
    page = stage.browser(cast.owner).get(f"/compare?{query}&id=nonsense")

    assert [item["equipment_id"] for item in items] == ids
    assert all(item["next_free"] and item["price_fen"] > 0 for item in items)
    assert page.status_code == 200
    assert all(f"/equipment/{key}?starts_at=" in page.text for key in ids)


@pytest.mark.parametrize("query", ["", "?id=x", "?" + "&".join(["id=01a212ee-114a-788c-aa39-cbc336644174"] * 5)])
def test_a_comparison_of_nothing_or_too_many_is_refused(stage: Stage, query: str) -> None:
    assert stage.browser(None).get(f"/api/v1/equipment/comparison{query}").status_code == 422
    assert stage.browser(None).get(f"/compare{query}").status_code == 200


def test_the_public_sees_busy_and_free_without_names(stage: Stage, cast: Cast, book: Any) -> None:
    book()
    names = [cast.startup.name_zh, cast.startup.name_en, cast.owner.name, cast.member.name]
    address = f"/api/v1/equipment/{cast.sem.public_id}/calendar?from=2026-11-24T00:00:00Z&to=2026-12-01T00:00:00Z"

    calendar = stage.browser(None).get(address).json()
    page = stage.browser(None).get(f"/equipment/{cast.sem.public_id}")

    assert calendar["busy"], calendar
    assert {frozenset(row) for row in calendar["busy"]} == {
        frozenset({"unit_id", "starts_at", "ends_at", "kind", "mine"})
    }
    assert not any(row["mine"] for row in calendar["busy"])
    for shown in (page.text, str(calendar)):
        assert not [name for name in names if name and name in shown]
        assert "/bookings/" not in shown


def test_a_page_of_free_instruments_is_few_statements(stage: Stage, cast: Cast) -> None:
    count: list[str] = []
    event.listen(stage.engine, "before_cursor_execute", lambda *args: count.append(args[2]))
    window = "from=2026-11-24T00:00:00Z&to=2026-12-01T00:00:00Z"
    answer = stage.browser(None).get(f"/api/v1/availability?{window}&minutes=60")

    assert len(answer.json()["items"]) >= 2
    # Holidays, closures, ids, entries, taken time.
    assert len([statement for statement in count if statement.startswith("SELECT")]) == 5
