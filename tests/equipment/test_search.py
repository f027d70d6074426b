"""Search over the demonstration's real catalogue: the same first hits on both engines."""

import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from core.db import make_engine, read_session
from equipment import queries
from equipment.errors import SearchCursorInvalid, SearchTooLong
from equipment.search import Search, grams, write_grams
from tests.conftest import execute
from tests.factories import NOW
from web.demo.catalogue import load_catalogue


@pytest.fixture(scope="module")
def catalogue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    """The catalogue on both engines, loaded once for the module."""
    path = tmp_path_factory.mktemp("catalogue") / "c.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    server, template = request.getfixturevalue("pg_server"), request.getfixturevalue("pg_template")
    execute(server, f"CREATE DATABASE catalogue_{template} TEMPLATE {template}")
    engines = {"sqlite": make_engine(f"sqlite:///{path}"), "postgresql": make_engine(server % f"catalogue_{template}")}
    for engine in engines.values():
        load_catalogue(engine, now=NOW, tick=lambda _name: None)
    yield engines
    for engine in engines.values():
        engine.dispose()


#: What is typed, and a part of the name or model of the first hit.
TABLE = [
    ("GeminiSEM 300", "GeminiSEM 300"), ("geminisem 300", "GeminiSEM 300"), ("双球差校正透射电子显微镜", "Spectra 300"),
    ("电镜", "电镜"), ("扫描电镜", "扫描电镜"), ("透射电镜", "透射"), ("SEM", "SEM"), ("TEM", "TEM"),
    ("tem", "TEM"), ("共聚焦", "共聚焦"), ("显微", "显微"), ("XRD", "XRD"), ("X射线衍射", "衍射"), ("核磁", "核磁"),
    ("NMR", "NMR"), ("质谱", "质谱"), ("拉曼", "拉曼"), ("raman", "Raman"), ("3D打印", "打印"), ("激光", "激光"),
    ("示波器", "示波器"), ("oscilloscope", "oscilloscope"), ("网络分析仪", "网络分析"), ("光谱", "光谱"),
    ("热分析", "热分析"),
    ("saomiao", "扫描"), ("Keysight", "Keysight"), ("Zeiss", "ZEISS"), ("bruker", "Bruker"), ("GPU", "GPU"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), TABLE)
def test_the_first_hit_is_what_one_meant(catalogue: dict[str, Engine], asked: str, expected: str) -> None:
    first = {}
    for name, engine in catalogue.items():
        with read_session(engine) as session:
            found = queries.search_equipment(session, Search(q=asked, limit=5))
            entry = found.items[0]
            words = f"{entry.name_zh} {entry.name_en} {entry.maker} {entry.model}"
            assert expected.lower() in words.lower(), (name, words)
            first[name] = [item.asset_number for item in found.items]
    assert first["sqlite"] == first["postgresql"]


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


def test_pages_follow_each_other_without_gap_or_repeat(catalogue: dict[str, Engine]) -> None:
    for engine in catalogue.values():
        with read_session(engine) as session:
            seen: list[int] = []
            search = Search(q="仪", limit=17)
            while True:
                found = queries.search_equipment(session, search)
                seen += [entry.id for entry in found.items]
                if found.next_cursor is None:
                    break
                search = search.after(found.next_cursor)
            assert len(seen) == len(set(seen)) == found.total > 50


def test_a_foreign_cursor_is_refused(catalogue: dict[str, Engine]) -> None:
    with read_session(catalogue["sqlite"]) as session:
        for cursor in ("zz", "5b5d", "é", "5b312c322c335d"):
            with pytest.raises(SearchCursorInvalid):
                queries.search_equipment(session, Search(cursor=cursor))


def test_facets_count_without_their_own_filter(catalogue: dict[str, Engine]) -> None:
    for engine in catalogue.values():
        with read_session(engine) as session:
            facets = queries.count_facets(session, Search(category="printer"))
            printers = next(count for count in facets.categories if count.value == "printer")
            assert printers.count == sum(count.count for count in facets.institutions) == 23


def test_two_character_words_and_pinyin_are_grams() -> None:
    assert grams("扫描电镜 GeminiSEM") == ["扫描", "描电", "电镜", "geminisem"]
    words = write_grams(names="离心机", others="").split()
    assert {"离心", "心机", "lixinji", "lxj"} <= set(words)
