"""The catalogue's page and list over HTTP: what an address means, what odd ones get, how many statements it costs."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from sqlalchemy import event, select

from booking import soonest
from core.db import unit_of_work
from equipment.models import Lab
from equipment.schemas import EquipmentPage
from tests.cast import Cast, Stage
from tests.factories import make_equipment


@contextmanager
def counted(stage: Stage) -> Iterator[list[str]]:
    """The statements that are run inside."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    event.listen(stage.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(stage.engine, "before_cursor_execute", note)


def add_instruments(stage: Stage, number: int) -> None:
    with unit_of_work(stage.engine) as session:
        lab = session.scalars(select(Lab).order_by(Lab.id)).first()
        assert lab is not None
        for place in range(number):
            make_equipment(session, lab, f"扫描电镜{place}", units=2)


@pytest.mark.parametrize(("path", "most"), [("/equipment?q=电镜", 12), ("/api/v1/equipment?q=电镜", 2)])
def test_more_results_cost_no_more_statements(stage: Stage, cast: Cast, path: str, most: int) -> None:
    person = stage.api(cast.owner) if path.startswith("/api") else stage.browser(cast.owner)
    path = path.removeprefix("/api/v1")
    counts = []
    for number in (2, 12):
        add_instruments(stage, number)
        person.get(path)
        with counted(stage) as seen:
            assert person.get(path).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= most


def test_the_list_is_what_its_schema_says(stage: Stage, cast: Cast) -> None:
    answer = stage.api(None).get("/equipment?limit=5")

    page = EquipmentPage.model_validate_json(answer.content)
    assert page.total >= len(page.items) > 0
    assert page.items[0].model_dump(mode="json") == answer.json()["items"][0]
    assert set(EquipmentPage.model_fields) == set(answer.json())


def test_the_page_shows_filters_as_chips_that_come_off(stage: Stage, cast: Cast) -> None:
    page = (
        stage.browser(None)
        .get("/equipment?q=电镜&category=electron-microscope&category=laser&price=1000&sort=price")
        .text
    )

    rest = "/equipment?q=%E7%94%B5%E9%95%9C&amp;category=laser&amp;price=1000&amp;sort=price"
    assert f'<a class="chip" href="{rest}"' in page
    assert page.count('class="chip"') == 3
    assert '<option value="price" selected>' in page


@pytest.mark.parametrize(
    "asked",
    [
        "%", "_", "'", '"', "\\", "(a+)+$" * 30, "*", "a:*", "' | 'a", '" OR "a', "电镜 NOT", "NEAR(", "😀", "ю", "ا",
        "นา", "한글", "a" * 200, " ", "a & b | !c", "<script>", "电" * 200, "{}", "$1", ":asked",
    ],
)  # fmt: skip
def test_odd_words_are_looked_for_literally_and_at_once(stage: Stage, cast: Cast, asked: str) -> None:
    began = time.process_time()
    for person, path in ((stage.api(None), "/equipment?q="), (stage.browser(None), "/equipment?q=")):
        assert person.get(path + quote(asked)).status_code == 200
    assert time.process_time() - began < 2
    nothing = stage.api(None).get("/equipment?q=" + quote(asked)).json()["total"]
    assert nothing == (stage.api(None).get("/equipment").json()["total"] if not asked.strip() else 0)


@pytest.mark.parametrize("asked", ["a" * 201, "a" * 10_000, "a" * 50_000, "(a+)+$" * 3_000, "电" * 201])
def test_too_long_words_are_refused_at_once(stage: Stage, cast: Cast, asked: str) -> None:
    began = time.process_time()
    for person in (stage.api(None), stage.browser(None)):
        assert person.get("/equipment?q=" + quote(asked)).status_code == 422
    assert time.process_time() - began < 2


@pytest.mark.parametrize("asked", ["%00", "a%00b"])
def test_what_no_text_holds_is_refused_or_finds_nothing(stage: Stage, cast: Cast, asked: str) -> None:
    assert stage.api(None).get(f"/equipment?q={asked}").status_code == 422
    assert stage.browser(None).get(f"/equipment?q={asked}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "sort=x", "mode=x", "voucher=maybe", "price_max=-1", "price_max=x", "institution=1", "cursor=zz",
        "&".join(["category=x"] * 21), "price_max=99999999999999999999",
    ],
)  # fmt: skip
def test_odd_filters_are_refused_by_the_list_and_left_out_by_the_page(stage: Stage, cast: Cast, query: str) -> None:
    assert stage.api(None).get(f"/equipment?{query}").status_code == 422
    assert stage.browser(None).get(f"/equipment?{query}").status_code == (422 if "cursor" in query else 200)


def test_the_next_free_comes_first_also_over_pages(stage: Stage, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    add_instruments(stage, 25)
    with unit_of_work(stage.engine) as session:
        lab = session.scalars(select(Lab).order_by(Lab.id)).first()
        assert lab is not None
        late = make_equipment(session, lab, "扫描电镜阿", lead_minutes=3 * 1440, always_open=True).public_id
    browser = stage.browser(None)

    first = browser.get("/equipment?q=扫描电镜&sort=next_free").text
    more = re.search(r'href="(/equipment[^"]*cursor=[^"]*)"', first)
    assert more
    second = browser.get(more[1].replace("&amp;", "&")).text

    shown = [re.findall(r'<h2><a href="/equipment/([^"]*)"', page) for page in (first, second)]
    assert len(shown[0]) == 20
    assert len({*shown[0], *shown[1]}) == len(shown[0]) + len(shown[1]) >= 26
    assert shown[1][-1] == str(late)
    assert "soonest first" in first or "最早有空" in first

    monkeypatch.setattr(soonest, "LOOK_MOST", 0)
    assert "narrow it to see more" in stage.browser(None, "en").get("/equipment?sort=next_free").text
    window = "from=2026-11-24T00:00:00Z&to=2026-12-01T00:00:00Z"
    assert stage.api(None).get(f"/availability?{window}&sort=soonest").json()["is_cut"] is True


def test_who_is_free_is_narrowed_as_the_list_is(stage: Stage, cast: Cast) -> None:
    window = "from=2026-11-24T00:00:00Z&to=2026-12-01T00:00:00Z"

    for query, fits in (("mode=operated&mode=self", True), ("voucher=true", True), ("district=nowhere", False)):
        items = stage.api(None).get(f"/availability?{window}&{query}").json()["items"]
        assert bool(items) is fits, query
    assert stage.api(None).get(f"/availability?{window}&mode=x").status_code == 422


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/free?q=电镜", 14), ("/free?q=电镜&sort=soonest", 14), ("/equipment?sort=next_free", 18), ("/compare?{ids}", 20),
        ("/api/v1/availability?{window}", 6), ("/api/v1/equipment/comparison?{ids}", 14),
    ],
)  # fmt: skip
def test_pages_that_say_who_is_free_cost_few_statements(stage: Stage, cast: Cast, path: str, most: int) -> None:
    """Three of a signed-in person's are the menu's: what waits for them, and for whom they stand in."""
    ids = f"id={cast.sem.public_id}&id={cast.printer.public_id}"
    path = path.format(ids=ids, window="from=2026-11-24T00:00:00Z&to=2026-12-01T00:00:00Z&minutes=60")
    person = stage.api(cast.owner) if path.startswith("/api") else stage.browser(cast.owner)
    path = path.removeprefix("/api/v1")
    counts = []
    for number in (2, 12):
        add_instruments(stage, number)
        person.get(path)
        with counted(stage) as seen:
            assert person.get(path).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= most


ODD = [
    "%", "_", "'", '"', "(a+)+$" * 30, "😀", "ю", "한글", "<script>", "电" * 200, "9999-12-31", "-1", "0", "1e9", "1" * 400
]  # fmt: skip


@pytest.mark.parametrize("asked", [*ODD, "\x00", "(a+)+$" * 3_000, "a" * 10_000])
def test_odd_words_are_bounded_wherever_one_may_type(stage: Stage, cast: Cast, asked: str) -> None:
    """Each name of each address, in a second for all of a page."""
    pages = {
        "/free": ("q", "from", "to", "part", "minutes", "price", "category", "sort", "cursor"),
        "/compare": ("id", "minutes", "amount"),
        "/equipment": ("q", "category", "institution", "mode", "district", "price", "voucher", "sort", "cursor"),
        "/api/v1/availability": ("q", "from", "to", "minutes", "day_from", "weekday", "price_max", "sort", "cursor"),
        "/api/v1/equipment/comparison": ("id", "minutes", "amount"),
    }
    for path, names in pages.items():
        for name in names:
            began = time.process_time()
            answer = stage.browser(None).get(path, params={name: asked})
            assert answer.status_code in (200, 422), (path, name)
            assert time.process_time() - began < 1, (path, name)
