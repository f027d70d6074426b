"""Importing files: what is new, changed, unchanged and refused; the same again changes nothing."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from core.db import read_session, unit_of_work
from core.errors import Refusal
from equipment.importing import queries
from equipment.importing.service import import_file
from equipment.models import Equipment, ImportRow, ImportRun, RowKind
from members import service as members
from members.models import OrganisationKind
from web.demo.make_sj3 import TARGET

HEAD = "institution,lab,name_zh,name_en,maker,model,category,class4,charge_unit,demo_price_cny_invented,asset_number\n"
ROW = "武汉理工大学,材料测试中心,{name},SEM,ZEISS,{model},electron microscopy,0101,h,400,{number}\n"


@pytest.fixture
def school(engine: Engine) -> str:
    with unit_of_work(engine) as session:
        members.register_organisation(session, kind=OrganisationKind.UNIVERSITY, code="10497", name_zh="武汉理工大学")
    return "10497"


def take_in(engine: Engine, path: Path, school: str, now: datetime, *, is_full: bool = False) -> ImportRun:
    public_id = import_file(engine, path, institution_code=school, is_full=is_full, now=now)
    with read_session(engine) as session:
        return queries.get_run(session, public_id)


def figures(run: ImportRun) -> tuple[int, int, int, int, int]:
    return run.rows_read, run.rows_new, run.rows_changed, run.rows_same, run.rows_refused


def refused_rows(engine: Engine, run: ImportRun) -> list[ImportRow]:
    with read_session(engine) as session:
        return queries.find_rows(session, run.id, RowKind.REFUSED)


def test_the_same_file_again_changes_nothing(engine: Engine, school: str, now: datetime) -> None:
    assert figures(take_in(engine, TARGET, school, now)) == (10, 10, 0, 0, 0)
    with read_session(engine) as session:
        before = session.execute(select(Equipment.asset_number, Equipment.version, Equipment.updated_at)).all()

    assert figures(take_in(engine, TARGET, school, now)) == (10, 0, 0, 10, 0)

    with read_session(engine) as session:
        after = session.execute(select(Equipment.asset_number, Equipment.version, Equipment.updated_at)).all()
        assert session.scalar(select(func.count()).select_from(ImportRun)) == 2
    assert sorted(before) == sorted(after)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_is_read_in_its_encodings(
    engine: Engine, school: str, now: datetime, tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(HEAD + ROW.format(name="扫描电镜", model="GeminiSEM", number="1"), encoding=encoding)

    assert figures(take_in(engine, path, school, now)) == (1, 1, 0, 0, 0)


def test_a_changed_row_is_one_change(engine: Engine, school: str, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        HEAD + ROW.format(name="扫描电镜", model="A", number="1") + ROW.format(name="透射电镜", model="B", number="2")
    )
    take_in(engine, path, school, now)

    path.write_text(
        HEAD + ROW.format(name="扫描电镜", model="A2", number="1") + ROW.format(name="透射电镜", model="B", number="2")
    )

    assert figures(take_in(engine, path, school, now)) == (2, 0, 1, 1, 0)


def test_bad_rows_are_reported_and_left_out(engine: Engine, school: str, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    rows = [
        ROW.format(name="扫描电镜", model="A", number="1"),
        ROW.format(name="", model="B", number="2"),
        ROW.format(name="透射电镜", model="C", number="3").replace("武汉理工大学", "武汉大学"),
        ROW.format(name="能谱仪", model="D", number="1"),
    ]
    path.write_text(HEAD + "".join(rows))

    run = take_in(engine, path, school, now)

    assert figures(run) == (4, 1, 0, 0, 3)
    assert [(row.number, row.problems[0]["code"]) for row in refused_rows(engine, run)] == [
        (3, "missing"), (4, "other_institution"), (5, "duplicate_key")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (TARGET.read_bytes()[:-40], "record_cut"), (TARGET.read_bytes().replace(b"10497", b"10486"), "wrong_school"),
        (b"a,b\n1,2\n", "columns_not_known"), (b"name_zh,category\n\xff\xfe\xff,x\n", "file_not_readable"),
        (b"", "file_empty"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_writes_nothing(
    engine: Engine, school: str, now: datetime, tmp_path: Path, data: bytes, code: str
) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(data)

    with pytest.raises(Refusal) as refusal:
        take_in(engine, path, school, now)

    assert refusal.value.code == code
    with read_session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Equipment)) == 0
        assert session.scalar(select(func.count()).select_from(ImportRow)) == 0


def test_an_unknown_institution_is_refused(engine: Engine, now: datetime) -> None:
    with pytest.raises(Refusal) as refusal:
        take_in(engine, TARGET, "99999", now)
    assert refusal.value.code == "institution_not_found"


def test_a_class_suggests_the_category_of_what_is_new_and_never_changes_a_known_one(
    engine: Engine, school: str, now: datetime, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("资产号,仪器名称,分类号\n1,X射线光电子能谱仪,0103\n2,离子研磨仪,\n")
    take_in(engine, path, school, now)
    with unit_of_work(engine) as session:
        found = session.scalars(select(Equipment).order_by(Equipment.asset_number)).all()
        assert [entry.category for entry in found] == ["x-ray", "generic"]
        found[0].category, found[1].category = "spectroscopy", "wafer"

    assert figures(take_in(engine, path, school, now)) == (2, 0, 0, 2, 0)

    path.write_text("资产号,仪器名称,类别\n1,X射线光电子能谱仪,X 射线与表面分析\n")
    assert figures(take_in(engine, path, school, now)) == (1, 0, 1, 0, 0)
