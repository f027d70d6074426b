"""Whole files of each shape through preview and application; what we gave back changes nothing when it returns."""

import itertools
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from core.db import read_session, unit_of_work
from core.i18n import Lang
from equipment import own_list
from equipment.exporting.ministry import write_ministry
from equipment.exporting.national import write_national
from equipment.exporting.tables import write_csv_list, write_xlsx_list
from equipment.importing import queries, service
from equipment.importing.staging import stage_waiting
from equipment.models import AssetSource, AssetState, Equipment, ImportRun, RowKind, UseDirection
from members import service as members
from members.models import OrganisationKind
from tests import factories
from tests.equipment.test_tables import workbook

NOW = factories.NOW


@pytest.fixture
def owner(engine: Engine) -> int:
    """A university with entries as varied as a catalogue's: of every state, with long, rare, empty and odd texts."""
    with unit_of_work(engine) as session:
        owner = members.register_organisation(
            session, kind=OrganisationKind.UNIVERSITY, code="10486", name_zh="江城大学"
        )
        lab = factories.make_lab(session, owner, "分析测试中心")
        sources: list[AssetSource | None] = [*AssetSource, None]
        directions: list[UseDirection | None] = [*UseDirection, None]
        for number, (state, source, direction) in enumerate(itertools.product(AssetState, sources, directions)):
            entry = factories.make_equipment(session, lab, f"仪器 {number}", units=0)
            entry.asset_state, entry.asset_source, entry.use_direction = state, source, direction
            entry.original_value_fen = None if number % 7 == 0 else 40_000_000 + number * 12_345
            entry.acquired_on = date(2001 + number % 20, 1 + number % 12, 1) if number % 3 else None
        odd = session.scalars(select(Equipment).where(Equipment.owner_id == owner.id).limit(6)).all()
        odd[0].specification = '多行\n说明，含 "引号"; 分号\t制表  与   空格' * 12
        odd[1].model, odd[1].maker = "=cmd|'/c calc'!A1", "-12"
        odd[2].name_zh, odd[2].contact_name = "超高分辨场发射环境扫描电子显微镜与能谱联用系统", "欧阳诸葛司马"
        odd[3].model, odd[3].notes = "𠮷田㛃-3", "@SUM(A1)"
        odd[4].reported = {"teaching_hours": 123_456, "samples": 12, "class_code": "03030502"}
        odd[5].asset_number, odd[5].model = "2019-0311-ABCDEF", ""
        for entry in odd:
            entry.original_value_fen = 99_999_999
        return owner.id


def take_in(engine: Engine, owner: int, content: bytes, name: str) -> ImportRun:
    """Upload, compare, and apply what there is."""
    with unit_of_work(engine) as session:
        public_id: UUID = service.start_import(
            session, None, owner, name=name, content=content, is_full=False, now=NOW
        ).public_id
    stage_waiting(engine, now=NOW, limit=5)
    with unit_of_work(engine) as session:
        run = queries.get_run(session, public_id)
        assert run.refusal == {}
        return service.apply_import(session, None, run, now=NOW)


def said(engine: Engine, run: ImportRun) -> list[tuple[str, dict[str, object], list[str]]]:
    """What would change, for the message of a test that fails."""
    with read_session(engine) as session:
        rows = [row for row in queries.find_rows(session, run.id, limit=None) if row.kind is not RowKind.SAME]
        return [(row.asset_number, row.values, [problem["code"] for problem in row.problems]) for row in rows]


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("kind", ["csv", "xlsx", "sj3"])
def test_what_we_give_back_changes_nothing_when_it_returns(engine: Engine, owner: int, kind: str, lang: Lang) -> None:
    with read_session(engine) as session:
        entries = own_list.find_entries_of_owner(session, owner)
        if kind == "sj3":
            export = write_ministry(entries, school="10486")
            content, count = export.content, export.count
        else:
            content, count = (write_csv_list if kind == "csv" else write_xlsx_list)(entries, lang), len(entries)

    run = take_in(engine, owner, content, f"list.{kind}")

    assert said(engine, run) == []
    assert run.rows_same == count > 50


def test_the_national_platforms_sheet_is_taken_in_with_its_two_rows_of_headings(engine: Engine, owner: int) -> None:
    with unit_of_work(engine) as session:
        entry = session.scalars(select(Equipment).order_by(Equipment.id.desc()).limit(1)).one()
        entry.original_value_fen, entry.asset_state = 285_500_000, AssetState.IN_USE
        entry.asset_source, entry.capability_zh, entry.acquired_on = AssetSource.SELF_MADE, "断面形貌", date(2020, 5, 1)
        entry.class_code = "0103"
    with read_session(engine) as session:
        entries = [
            row for row in own_list.find_entries_of_owner(session, owner) if row.asset_number == entry.asset_number
        ]
        today = NOW.date()
        content = write_national(entries, unit_code="10486", base_url="https://example.com", today=today).content
    with unit_of_work(engine) as session:
        session.get_one(Equipment, entry.id).asset_number = "moved"

    run = take_in(engine, owner, content, "nrii.xlsx")

    assert (run.rows_new, run.rows_changed, run.rows_refused) == (1, 0, 0)
    with read_session(engine) as session:
        new = session.scalars(select(Equipment).where(Equipment.asset_number == entry.asset_number)).one()
        assert new.asset_source == AssetSource.SELF_MADE
        assert (new.original_value_fen, new.capability_zh, new.name_zh) == (285_500_000, "断面形貌", entry.name_zh)
        assert (str(new.started_on), new.class_code, new.lab_id) == ("2020-05-01", "010300", entry.lab_id)


PROVINCIAL = {
    "编号": "1", "仪器分类编码": "010300", "单位内编号": "S-2019-01", "仪器中文名": "场发射扫描电镜", "仪器英文名": "FE-SEM",
    "仪器型号": "GeminiSEM 300", "主要规格及技术指标": "0.7 nm @ 15 kV", "学科领域": "材料科学", "主要功能及应用范围": "断面形貌",
    "主要附件及配置": "能谱仪", "认证情况": "CMA", "制造厂家": "ZEISS", "生产国别": "德国", "仪器原值（万元）": "285.5",
    "启用年月": "201905", "所属单位": "江城大学", "所属实验室": "分析测试中心", "安置地点": "南望山 1 号楼", "邮政编码": "430074",
    "联系人姓名": "林静", "联系人电话": "027-87540001", "联系人邮箱": "lab@example.com", "是否共享": "是", "运行状况": "正常",
    "开放时间安排": "周一至周五", "参考收费标准": "400 元/时", "年度": "2025", "对外服务机时": "320", "对外服务收入": "12.8",
    "知名用户": "", "服务成果": "", "图片": "", "备注": "需培训",
}  # fmt: skip


def test_the_provincial_sheet_of_33_columns_is_taken_in_under_other_names_of_its_headings(
    engine: Engine, owner: int
) -> None:
    assert len(PROVINCIAL) == 33

    def write(book) -> None:  # type: ignore[no-untyped-def]
        sheet = book.add_worksheet("大型科学仪器")
        sheet.merge_range(0, 0, 0, 32, "湖北省大型科学仪器设备信息表")
        sheet.write_row(1, 0, list(PROVINCIAL))
        sheet.write_row(2, 0, list(PROVINCIAL.values()))

    run = take_in(engine, owner, workbook(write), "省平台.xlsx")

    assert (run.rows_new, run.rows_refused) == (1, 0)
    with read_session(engine) as session:
        new = session.scalars(select(Equipment).where(Equipment.asset_number == "S-2019-01")).one()
        assert (new.name_zh, new.name_en, new.maker, new.model) == (
            "场发射扫描电镜",
            "FE-SEM",
            "ZEISS",
            "GeminiSEM 300",
        )
        assert (new.original_value_fen, str(new.started_on), new.country) == (285_500_000, "2019-05-01", "德国")
        assert (new.capability_zh, new.accessories, new.specification) == ("断面形貌", "能谱仪", "0.7 nm @ 15 kV")
        assert (new.contact_name, new.contact_phone, new.contact_email) == ("林静", "027-87540001", "lab@example.com")
        assert (new.asset_state, new.class_code, new.notes) == (AssetState.IN_USE, "010300", "需培训")
