"""The catalogue given back: read again it says the same, nothing runs in a spreadsheet, and the report names each cut."""

import io
import zipfile
from datetime import date
from typing import Any

from python_calamine import CalamineWorkbook
from sqlalchemy.orm import Session

from equipment import own_list
from equipment.exporting.ministry import write_ministry
from equipment.exporting.national import write_national
from equipment.exporting.tables import write_csv_list, write_xlsx_list
from equipment.importing.comparing import find_changes
from equipment.importing.reading import read_file
from equipment.importing.sj3 import read_sj3
from equipment.models import AssetSource, AssetState, Equipment
from members.models import OrganisationKind
from tests import factories
from web.demo.make_sj3 import TARGET

TODAY = date(2026, 11, 24)


def make(session: Session, **values: Any) -> tuple[Equipment, list[Equipment]]:
    owner = factories.make_organisation(session, OrganisationKind.UNIVERSITY, "江城大学")
    lab = factories.make_lab(session, owner, "分析测试中心")
    entry = factories.make_equipment(session, lab)
    plain = {
        "original_value_fen": 285_500_000, "asset_source": AssetSource.PURCHASE, "country": "德国", "notes": "每周三保养",
        "asset_state": AssetState.AWAITING_REPAIR, "capability_zh": "断面形貌", "contact_name": "林静",
        "contact_email": "lab@example.com", "specification": "0.6 nm @ 15 kV",
    }  # fmt: skip
    for name, value in (plain | values).items():
        setattr(entry, name, value)
    session.flush()
    session.expire_all()
    return entry, own_list.find_entries_of_owner(session, owner.id)


def test_what_was_exported_is_imported_without_a_change(session: Session) -> None:
    entry, entries = make(session)

    for content in (
        write_xlsx_list(entries, "zh-CN"),
        write_csv_list(entries, "zh-CN"),
        write_xlsx_list(entries, "en"),
    ):
        file = read_file(content, "list.xlsx", code="10486", institution="江城大学")
        (row,) = file.rows
        assert row.asset_number == entry.asset_number
        assert find_changes(entry, row) == ({}, {})
        assert row.warnings == ()


def test_no_cell_becomes_a_formula_or_a_link(session: Session) -> None:
    bad = ["=1+1", "+1", "@SUM(A1)", "-2", "=cmd|'/c calc'!A1", "http://example.com/x"]
    _, entries = make(session, maker=bad[0], model=bad[4], notes=bad[5], capability_zh=bad[2], accessories=bad[1])

    content = write_xlsx_list(entries, "zh-CN")

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b"hyperlink" not in sheet
    row = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()[1]
    assert {"=1+1", "=cmd|'/c calc'!A1", "@SUM(A1)", "+1"} <= set(row)
    text = write_csv_list(entries, "zh-CN").decode("utf-8-sig")
    assert ",=1+1" not in text
    assert ",@SUM" not in text


def test_the_ministrys_table_out_is_what_came_in(session: Session) -> None:
    entry, _ = make(session)
    file = read_sj3(TARGET.read_bytes(), "10497")
    entries = []
    for row in file.rows:
        copy = Equipment(asset_number=row.asset_number, reported={}, model="", specification="", contact_name="")
        for name, value in row.values.items():
            setattr(copy, name, value)
        entries.append(copy)

    export = write_ministry(entries, school="10497")

    assert export.content == TARGET.read_bytes()
    assert (export.count, export.left_out, export.findings) == (10, 0, [])
    assert entry.reported == {}


def test_each_cut_and_replaced_character_is_reported(session: Session) -> None:
    entry, entries = make(session, name_zh="𠮷" + "长" * 20, contact_name="欧阳上官慕容")
    export = write_ministry(entries, school="10486")

    assert {(finding.asset_number, finding.column, finding.code) for finding in export.findings} == {
        (entry.asset_number, "仪器名称", "replaced"), (entry.asset_number, "仪器名称", "cut"),
        (entry.asset_number, "负责人姓名", "cut"), (entry.asset_number, "分类号", "missing"),
    }  # fmt: skip
    assert len(export.content) == 351


def test_the_national_sheet_keeps_its_limits_and_names_what_is_missing(session: Session) -> None:
    entry, entries = make(session, capability_zh="功" * 301, class_code="0101")
    cheap = Equipment(asset_number="B", original_value_fen=100)

    export = write_national([*entries, cheap], unit_code="10486", base_url="https://example.com", today=TODAY)

    keys, meanings, row = CalamineWorkbook.from_filelike(io.BytesIO(export.content)).get_sheet_by_index(0).to_python()
    values = dict(zip(keys, row, strict=True))
    assert (values["innerId"], values["worth"], values["instrSource"]) == (entry.asset_number, "285.50", "1")
    assert (values["instrCategory"], len(str(values["function"]))) == ("010100", 300)
    assert str(values["serviceUrl"]).startswith("https://example.com/equipment/")
    assert (export.count, export.left_out, meanings[1]) == (1, 1, "仪器编号")
    found = {(finding.column, finding.code) for finding in export.findings}
    assert ("主要功能", "cut") in found
    assert ("用户须知", "missing") in found


def test_the_national_sheet_makes_nothing_up(session: Session) -> None:
    entry, entries = make(session, asset_state=AssetState.IN_USE, country="840")
    lost = Equipment(asset_number="L", original_value_fen=99_000_000, asset_state=AssetState.LOST)

    export = write_national([*entries, lost], unit_code="10486", base_url="https://example.com", today=TODAY)

    keys, meanings, row = CalamineWorkbook.from_filelike(io.BytesIO(export.content)).get_sheet_by_index(0).to_python()
    values = dict(zip(keys, row, strict=True))
    unknown = {"instrSupervise": "海关监管", "type": "专用/通用", "instrBelongsType": "所属资源载体类型",
               "subject": "主要学科领域", "funds": "主要购置经费来源", "county": "安放地址-区县",
               "postalcode": "邮编"}  # fmt: skip
    for key, meaning in unknown.items():
        assert values[key] == ""
        assert (entry.asset_number, meaning, "missing") in {(f.asset_number, f.column, f.code) for f in export.findings}
    assert "status" not in values
    assert len(keys) == len(meanings) == 42
    assert values["nation"] == "美国"
    assert "元" not in str(values["fee"])
    assert str(values["fee"]).count("/小时") == 3
    assert ("L", "state") in {(finding.asset_number, finding.code) for finding in export.findings}
    assert (export.count, export.left_out) == (1, 1)


def test_the_ministrys_table_holds_its_class_and_states_and_no_key_twice(session: Session) -> None:
    _, entries = make(session)
    entry = entries[0]

    def like(number: str, class_code: str = "03030502", state: AssetState = AssetState.IN_USE) -> Equipment:
        return Equipment(
            asset_number=number, name_zh="光谱仪", model="", specification="", contact_name="", asset_state=state,
            original_value_fen=50_000_000, reported={"class_code": class_code},
        )  # fmt: skip

    present = [like("2019000001"), like("2019000002"), like("S-1", "*", AssetState.DOWNGRADED)]
    gone = [like("S-2", state=state) for state in (AssetState.LOST, AssetState.SCRAPPED, AssetState.TRANSFERRED)]
    export = write_ministry([entry, *present, like("S-3", "05010101"), *gone], school="10486")

    keys = [row.asset_number for row in read_sj3(export.content, "10486").rows]
    assert keys == [entry.asset_number[:8], "20190000", "S-1"]
    assert (export.count, export.left_out) == (3, 5)
    found = [(f.asset_number, f.code) for f in export.findings]
    assert found.count(("S-2", "state")) == 3
    assert ("S-3", "class") in found
    assert ("2019000002", "clash") in found
    assert {(entry.asset_number, "missing"), ("S-1", "missing")} <= set(found)
