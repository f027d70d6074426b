"""What people type, in Chinese and English, and what they mean: the first hit on both engines, and the same order."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from core.db import read_session
from equipment import queries
from equipment.search import Search
from tests.catalogue import loaded_catalogue


@pytest.fixture(scope="module")
def catalogue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    with loaded_catalogue(request, tmp_path_factory) as engines:
        yield engines


#: What is typed, and what the first hit's names, maker and model must hold: words with a blank between mean all of them,
#: with a bar any.
TABLE = [
    # A model, as it is written on the machine and as people write it.
    ("GeminiSEM 300", "GeminiSEM 300"), ("geminisem300", "GeminiSEM 300"), ("JSM-7900F", "JSM-7900F"),
    ("jsm7900f", "JSM-7900F"), ("Ｑ８００", "Q800"), ("HT7800", "HT7800"), ("inVia", "inVia Qontor"),
    ("MPS150", "MPS150"),
    # A name, whole or its beginning.
    ("示波器", "示波器"), ("扫描电镜", "扫描电镜|扫描电子显微镜"), ("透射电镜", "透射电镜"), ("共聚焦显微镜", "共聚焦显微镜"),
    ("原子力显微镜", "原子力显微镜"), ("激光切割机", "激光切割机"), ("三坐标", "三坐标测量机"), ("离心", "离心机"),
    ("Oscilloscope", "oscilloscope"), ("wire bonder", "Wire bonder"), ("confocal microscope", "Confocal microscope"),
    # Another word for the same.
    ("电镜", "电镜|电子显微镜"), ("SEM", "SEM"), ("tem", "TEM"), ("scanning electron microscope", "SEM"),
    ("矢网", "矢量网络分析仪"), ("拉力机", "万能材料试验机"), ("3D printer", "3D printer"), ("3D打印", "打印"),
    ("金属3D打印", "金属打印机|选区激光熔化"), ("液质联用", "液质联用|LC-MS"), ("暗室", "暗室"), ("NMR", "NMR"), ("qPCR", "PCR"),
    ("表面粗糙度", "粗糙度"), ("gpu", "GPU"), ("spectrum analyzer", "spectrum analyser"), ("CNC", "CNC"),
    # Pinyin and its initials.
    ("shiboqi", "示波器"), ("sbq", "示波器"), ("saomiao dianjing", "扫描电镜|扫描电子显微镜"), ("lixinji", "离心机"),
    # A maker, in either language, and with what it makes.
    ("蔡司 电镜", "ZEISS"), ("zeiss sem", "ZEISS SEM"), ("是德 示波器", "Keysight oscilloscope"),
    ("bruker nmr", "Bruker NMR"), ("Röhde Schwarz", "Rohde & Schwarz"), ("leica microscope", "Leica microscope"),
    # The beginning of a word.
    ("oscillosc", "oscilloscope"), ("ultracent", "Ultracentrifuge"), ("keysi", "Keysight"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), TABLE, ids=[asked for asked, _ in TABLE])
def test_the_first_hit_is_what_one_meant(catalogue: dict[str, Engine], asked: str, expected: str) -> None:
    order = {}
    for name, engine in catalogue.items():
        with read_session(engine) as session:
            items = queries.search_equipment(session, Search(q=asked, limit=100)).items
        assert items, name
        first = f"{items[0].name_zh} {items[0].name_en} {items[0].maker} {items[0].model}"
        assert any(_holds(first, choice) for choice in expected.split("|")), (name, first)
        order[name] = [(entry.owner_id, entry.asset_number) for entry in items]
    assert order["sqlite"] == order["postgresql"]


def _holds(text: str, words: str) -> bool:
    return words.lower() in text.lower() or all(word in text.lower() for word in words.lower().split())


def test_what_is_named_so_comes_before_what_only_says_so(catalogue: dict[str, Engine]) -> None:
    """Class by class: the first of 电镜 hold the word in their names, the last have it as a synonym only."""
    for engine in catalogue.values():
        with read_session(engine) as session:
            found = queries.search_equipment(session, Search(q="电镜", limit=100)).items
        named = ["电镜" in entry.name_zh for entry in found]
        assert named == sorted(named, reverse=True)
        assert 0 < sum(named) < len(found)


def test_a_word_is_not_found_inside_another(catalogue: dict[str, Engine]) -> None:
    """`tem` is neither in `system` nor the best answer because `temperature` begins so."""
    with read_session(catalogue["sqlite"]) as session:
        found = queries.search_equipment(session, Search(q="tem", limit=100)).items
    names = [entry.name_en for entry in found]
    last_whole = max(place for place, name in enumerate(names) if "TEM" in name)
    first_part = min((place for place, name in enumerate(names) if "emperature" in name), default=len(names))
    assert last_whole < first_part
