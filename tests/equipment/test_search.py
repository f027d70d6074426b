"""Search over the demonstration's real catalogue: the same first hits on both engines."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from core.db import read_session, unit_of_work
from equipment import facets, finding, queries
from equipment.districts import DISTRICTS, read_district
from equipment.errors import SearchCursorInvalid, SearchTooLong
from equipment.importing.comparing import index
from equipment.lines import find_lines
from equipment.models import Equipment, Findable
from equipment.reindexing import reindex
from equipment.search import Search, Sort, grams, key, model_key, write_grams
from members.models import OrganisationKind
from tests.catalogue import loaded_catalogue
from tests.factories import NOW, make_equipment, make_lab, make_organisation


@pytest.fixture(scope="module")
def catalogue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    with loaded_catalogue(request, tmp_path_factory) as engines:
        yield engines


@pytest.mark.parametrize(
    "asked", ["%", "_", "'", '"', "(a+)+$" * 30, "*", "电镜 NOT", "NEAR(", "😀", "ю", "a" * 200, " "]
)
def test_odd_queries_are_bounded_and_literal(catalogue: dict[str, Engine], asked: str) -> None:
    totals = set()
    for engine in catalogue.values():
        with read_session(engine) as session:
            totals.add(queries.search_equipment(session, Search(q=asked.strip())).total)
    assert len(totals) == 1


def test_a_longer_query_is_refused() -> None:
    with pytest.raises(SearchTooLong):
        Search(q="a" * 201)


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("asked", ["仪", "", "激光"])
def test_pages_follow_each_other_without_gap_or_repeat(catalogue: dict[str, Engine], sort: Sort, asked: str) -> None:
    order = []
    for engine in catalogue.values():
        with read_session(engine) as session:
            seen: list[int] = []
            search = Search(q=asked, limit=17, sort=sort)
            while True:
                found = finding.find_hits(session, search)
                seen += found.ids
                if found.next_cursor is None:
                    break
                search = search.after(found.next_cursor)
            assert len(seen) == len(set(seen)) == found.total > 30
            rows = session.execute(select(Equipment.id, Equipment.owner_id, Equipment.asset_number))
            numbers = {row.id: (row.owner_id, row.asset_number) for row in rows}
            order.append([numbers[number] for number in seen])
    assert order[0] == order[1]


def test_the_cheapest_come_first_and_those_without_a_price_last(catalogue: dict[str, Engine]) -> None:
    for engine in catalogue.values():
        with read_session(engine) as session:
            found = find_lines(session, Search(sort=Sort.PRICE, limit=400))
        prices = [row.price_fen for row in found.rows]
        known = [price for price in prices if price is not None]
        assert known == sorted(known)
        assert prices == known + [None] * (len(prices) - len(known))


def test_a_cursor_of_another_order_is_refused(catalogue: dict[str, Engine]) -> None:
    with read_session(catalogue["sqlite"]) as session:
        cursor = finding.find_hits(session, Search(sort=Sort.NAME)).next_cursor
        with pytest.raises(SearchCursorInvalid):
            finding.find_hits(session, Search(cursor=cursor))


def test_past_the_end_the_total_is_still_told(catalogue: dict[str, Engine]) -> None:
    with read_session(catalogue["sqlite"]) as session:
        wanted = Search(q="示波器", limit=2)
        last = finding.find_hits(session, wanted)
        while last.next_cursor:
            before, last = last.next_cursor, finding.find_hits(session, wanted.after(last.next_cursor))
        beyond = replace(wanted.after(before), limit=1)
        found = finding.find_hits(session, beyond)
        while found.next_cursor:
            found = finding.find_hits(session, beyond.after(found.next_cursor))
        assert found.total == last.total


def test_a_foreign_cursor_is_refused(catalogue: dict[str, Engine]) -> None:
    with read_session(catalogue["sqlite"]) as session:
        for cursor in ("zz", "5b5d", "é", "5b312c322c335d"):
            with pytest.raises(SearchCursorInvalid):
                queries.search_equipment(session, Search(cursor=cursor))


def test_facets_count_without_their_own_filter(catalogue: dict[str, Engine]) -> None:
    for engine in catalogue.values():
        with read_session(engine) as session:
            found = facets.count_facets(session, Search(category="printer"))
            printers = next(count for count in found.categories if count.value == "printer")
            assert printers.count == sum(count.count for count in found.institutions) == 23
            assert len(found.categories) > 10


@pytest.mark.parametrize("asked", ["", "激光", "electron"])
def test_every_facet_says_what_choosing_it_would_find(catalogue: dict[str, Engine], asked: str) -> None:
    start = Search(q=asked, modes=("operated",), price_max_fen=100_000)
    both = []
    for engine in catalogue.values():
        with read_session(engine) as session:
            found = facets.count_facets(session, start)
            totals = [
                *((each.count, replace(start, category=each.value)) for each in found.categories),
                *((each.count, replace(start, districts=(each.value,))) for each in found.districts),
                *((number, replace(start, modes=(mode,))) for mode, number in found.modes.items()),
                *((number, replace(start, price_max_fen=yuan * 100)) for yuan, number in found.bands.items()),
                (found.voucher, replace(start, voucher=True)),
            ]
            for count, search in totals:
                assert count == finding.find_hits(session, search).total, search
            both.append([count for count, _ in totals])
    assert both[0] == both[1]


def test_several_values_of_one_filter_mean_any_of_them(catalogue: dict[str, Engine]) -> None:
    with read_session(catalogue["postgresql"]) as session:
        counts = {each.value: each.count for each in facets.count_facets(session, Search()).categories}
        two = finding.find_hits(session, Search(category=("printer", "laser"))).total
    assert two == counts["printer"] + counts["laser"]


def test_what_is_searched_follows_the_entry(engine: Engine) -> None:
    """Triggers keep the narrow table: a new name, a retirement and a price are found at once."""
    with unit_of_work(engine) as session:
        school = make_organisation(session, OrganisationKind.UNIVERSITY, "测试大学")
        entry = make_equipment(session, make_lab(session, school, "测试实验室"))
        entry.name_zh, entry.name_en, entry.model = "量子示波器", "", "QX-9"
        index(entry)
        session.flush()
        assert finding.find_hits(session, Search(q="qx9")).ids == [entry.id]

        entry.price_fen = 123
        session.flush()
        assert finding.find_hits(session, Search(q="量子", price_max_fen=122)).ids == []
        assert finding.find_hits(session, Search(q="量子", price_max_fen=123)).ids == [entry.id]

        entry.retired_at = NOW
        session.flush()
        assert finding.find_hits(session, Search(q="qx9")).ids == []
        assert session.get_one(Findable, entry.id, populate_existing=True).is_retired


def test_an_address_names_its_district() -> None:
    assert read_district("湖北省武汉市洪山区珞喻路1037号") == "hongshan"
    assert read_district("武汉市洪山区东湖高新区高新大道999号") == "east-lake"
    assert read_district("Luojiashan, Wuchang District, Wuhan") == "wuchang"
    assert read_district("北京市海淀区") == ""


def test_every_lab_of_the_demonstration_has_a_district(catalogue: dict[str, Engine]) -> None:
    with read_session(catalogue["sqlite"]) as session:
        found = facets.count_facets(session, Search())
        total = finding.find_hits(session, Search()).total
    assert {each.value for each in found.districts} <= set(DISTRICTS)
    assert sum(each.count for each in found.districts) == total


def test_names_and_models_are_compared_without_their_marks() -> None:
    assert key("FE-SEM  Électron") == " fe sem electron "
    assert key("３Ｄ打印机") == " 3d 打印机 "
    assert model_key("JSM-7900F") == model_key("jsm 7900f") == "jsm7900f"


def test_two_character_words_and_pinyin_are_grams() -> None:
    assert grams("扫描电镜 GeminiSEM") == ["扫描", "描电", "电镜", "geminisem"]
    words = write_grams(names="离心机", others="").split()
    assert {"离心", "心机", "lixinji", "lxj"} <= set(words)


def test_what_was_indexed_with_other_words_is_written_anew(engine: Engine) -> None:
    with unit_of_work(engine) as session:
        lab = make_lab(session, make_organisation(session, OrganisationKind.UNIVERSITY, "江城大学"), "电镜室")
        stale, right = make_equipment(session, lab, "示波器"), make_equipment(session, lab, "示波器")
        stale.grams, stale.name_zh_key = "old", ""
        keys = stale.id, right.id

    assert reindex(engine) == 1
    assert reindex(engine) == 0

    with read_session(engine) as session:
        assert set(finding.find_hits(session, Search(q="oscilloscope")).ids) == set(keys)
