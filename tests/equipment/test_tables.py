"""Sheets and CSV files as institutions really save them, and those that mean harm."""

import io
import re
import zipfile
from collections.abc import Callable

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from core.tables import write_csv
from equipment.errors import (
    FileDamaged,
    FileNotKnown,
    FileNotReadable,
    FileTooManyRows,
    FileTooWide,
    FileUnpacksTooLarge,
    QuoteOpen,
)
from equipment.importing import tables, workbooks
from equipment.importing.headings import propose_mapping, value_factor
from equipment.importing.lists import read_day, read_price
from equipment.importing.reading import read_file
from equipment.importing.rows import ReadFile
from equipment.importing.tables import read_table
from equipment.importing.texts import decode

HEADINGS = ["仪器编号", "仪器名称", "生产厂商", "型号", "原值（万元）", "购置日期", "现状", "领用单位"]
ROWS = [
    ["A-1", "扫描电子显微镜", "ZEISS", "GeminiSEM 300", 285.5, "2019-03-01", "在用", "分析测试中心"],
    ["A-2", "示波器", "Keysight", "MSOX3054", 12, "202105", "待修", "分析测试中心"],
]


def workbook(write: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        write(book)
    return out.getvalue()


def plain_sheet(rows: list[list[object]], above: int = 0) -> bytes:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("清单")
        if above:
            sheet.merge_range(0, 0, 0, 7, "江城大学 2026 年仪器设备清单")
            sheet.write(1, 0, "填报日期：2026-09-01")
        for number, row in enumerate([HEADINGS, *rows], above):
            sheet.write_row(number, 0, row)

    return workbook(write)


def read(data: bytes, name: str = "list.xlsx") -> ReadFile:
    return read_file(data, name, code="10486", institution="江城大学")


def as_csv(encoding: str, delimiter: str = ",") -> bytes:
    return "\n".join(delimiter.join(str(cell) for cell in row) for row in [HEADINGS, *ROWS]).encode(encoding)


def test_a_sheet_with_title_rows_is_read_from_its_headings() -> None:
    file = read(plain_sheet(ROWS, above=3))

    assert [row.asset_number for row in file.rows] == ["A-1", "A-2"]
    first = file.rows[0]
    assert (first.number, first.lab, first.values["original_value_fen"]) == (5, "分析测试中心", 285_500_000)
    assert str(first.values["acquired_on"]) == "2019-03-01"
    assert file.rows[1].values["asset_state"] == "awaiting_repair"


def test_merged_cells_stand_in_each_of_their_rows() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        for number, row in enumerate(ROWS, 1):
            sheet.write_row(number, 0, row[:7])
        sheet.merge_range(1, 7, 2, 7, "工程训练中心")

    assert [row.lab for row in read(workbook(write)).rows] == ["工程训练中心", "工程训练中心"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_list_is_read_in_each_encoding_and_with_each_delimiter(encoding: str, delimiter: str) -> None:
    file = read(as_csv(encoding, delimiter), "list.csv")

    assert [row.values["name_zh"] for row in file.rows] == ["扫描电子显微镜", "示波器"]


def test_a_file_that_mixes_encodings_is_refused_with_its_place() -> None:
    data = as_csv("gb18030") + b"\n" + "A-3,激光粒度分析仪,马尔文,X,1,2020,在用,中心".encode()

    with pytest.raises(FileNotReadable) as refusal:
        read(data, "list.csv")
    assert refusal.value.fields["position"] == len(as_csv("gb18030")) + 1


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=80))
def test_what_was_encoded_is_decoded_again(text: str) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert decode(text.encode(encoding))[0] == text


def test_a_formula_in_a_column_that_counts_refuses_its_row() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, ROWS[0])
        sheet.write_row(2, 0, ROWS[1])
        sheet.write_formula(2, 4, "=E2*2", None, 571)

    file = read(workbook(write))

    assert [row.asset_number for row in file.rows] == ["A-1"]
    assert [(problem.row, problem.column, problem.code) for problem in file.refused] == [
        (3, "原值（万元）", "formula_cell")
    ]


def test_a_row_that_is_broken_at_the_end_leaves_the_others() -> None:
    rows: list[list[object]] = [[f"N-{number}", "示波器", "", "", 1, "", "", ""] for number in range(5_000)]
    rows[4_998] = ["N-4998", "", "", "", 1, "", "", ""]
    rows[4_999] = ["N-0", "重复", "", "", 1, "", "", ""]

    file = read(plain_sheet(rows))

    assert len(file.rows) == 4_998
    assert [(problem.row, problem.code) for problem in file.refused] == [(5_000, "missing"), (5_001, "duplicate_key")]


def test_totals_and_empty_rows_are_left_out_in_silence() -> None:
    file = read(plain_sheet([*ROWS, ["", "", "", "", "", "", "", ""], ["合计", "", "", "", 297.5, "", "", ""]]))

    assert (len(file.rows), file.refused) == (2, [])


def test_a_workbook_that_unpacks_to_hundreds_of_megabytes_is_refused() -> None:
    good = plain_sheet(ROWS)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = content.replace(b"<sheetData>", b"<sheetData>" + b" " * 200_000_000)
            target.writestr(name, content)
    assert len(out.getvalue()) < 2_000_000

    with pytest.raises(FileUnpacksTooLarge):
        read(out.getvalue())


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04" + b"x" * 200, plain_sheet(ROWS)[:900], b"\xd0\xcf\x11\xe0" + b"\0" * 600]
)
def test_a_damaged_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(FileDamaged):
        read(data)


def test_more_rows_than_we_take_are_refused() -> None:
    data = ("仪器编号,仪器名称\n" + "\n".join(f"{n},x" for n in range(20_100))).encode()

    with pytest.raises(FileTooManyRows):
        read(data, "list.csv")


@given(st.binary(max_size=400), st.sampled_from(["a.csv", "SJ1.txt", "SJ3.txt", "x"]))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    try:
        read(data, name)
    except Refusal as refusal:
        assert refusal.code


PROVINCIAL = [
    "序号",
    "分类号",
    "所内编号",
    "仪器名称",
    "英文名称",
    "型号",
    "规格",
    "学科领域",
    "主要功能",
    "主要附件",
    "认证情况",
    "生产厂商",
    "产地国别",
    "原值（万元）",
    "启用日期",
    "所属单位",
    "所在实验室",
    "安放地点",
    "邮编",
    "联系人",
    "联系电话",
    "电子邮箱",
    "是否共享",
    "运行状态",
    "开放时间安排",
    "收费标准",
    "年度",
    "对外服务机时",
    "对外服务收入",
    "知名用户",
    "服务成果",
    "图片",
    "备注",
]
NATIONAL = [
    "insCode",
    "innerId",
    "cname",
    "ename",
    "resourceName",
    "instrBelongsType",
    "instrCategory",
    "street",
    "worth",
    "instrSource",
    "type",
    "subject",
    "nation",
    "instrVersion",
    "manufacturer",
    "beginDate",
    "technical",
    "function",
    "serviceContent",
    "requirement",
    "fee",
    "serviceUrl",
    "insideDepart",
    "contact",
    "phone",
    "email",
]


def test_the_provincial_sheet_is_known_by_its_headings() -> None:
    found = {field: PROVINCIAL[column] for column, field in propose_mapping(PROVINCIAL).items()}

    assert len(PROVINCIAL) == 33
    assert found | {} == {
        "class_code": "分类号", "asset_number": "所内编号", "name_zh": "仪器名称", "name_en": "英文名称", "model": "型号",
        "specification": "规格", "capability_zh": "主要功能", "accessories": "主要附件", "maker": "生产厂商",
        "country": "产地国别", "original_value_fen": "原值（万元）", "started_on": "启用日期", "lab": "所在实验室",
        "lab_address": "安放地点", "contact_name": "联系人", "contact_phone": "联系电话", "contact_email": "电子邮箱",
        "asset_state": "运行状态", "notes": "备注",
    }  # fmt: skip


def test_the_national_platforms_keys_are_known() -> None:
    found = {field: NATIONAL[column] for column, field in propose_mapping(NATIONAL).items()}

    for field, key in (
        ("asset_number", "innerId"), ("name_zh", "cname"), ("name_en", "ename"), ("class_code", "instrCategory"),
        ("original_value_fen", "worth"), ("asset_source", "instrSource"), ("country", "nation"), ("model", "instrVersion"),
        ("maker", "manufacturer"), ("started_on", "beginDate"), ("specification", "technical"),
        ("capability_zh", "function"), ("service_content", "serviceContent"), ("user_notice", "requirement"),
        ("lab", "insideDepart"), ("contact_name", "contact"), ("contact_phone", "phone"), ("contact_email", "email"),
    ):  # fmt: skip
        assert found[field] == key
    assert value_factor("worth") == 1_000_000


def test_the_national_platforms_codes_differ_from_the_ministrys() -> None:
    national = "innerId,cname,instrSource\n1,甲,2\n2,乙,9\n".encode()
    ours = "仪器编号,仪器名称,仪器来源\n1,甲,2\n".encode()

    first, second = read(national, "n.csv").rows

    assert first.values["asset_source"] == "self_made"
    assert [warning.code for warning in second.warnings] == ["code_not_known"]
    assert read(ours, "n.csv").rows[0].values["asset_source"] == "donation"


@pytest.mark.parametrize(
    ("text", "factor", "fen"),
    [("1,234.50", 100, 123_450), ("￥1234", 100, 123_400), ("１２３", 100, 12_300), ("285.5", 1_000_000, 285_500_000),
     ("12万", 100, 12_000_000), ("0", 100, 0), ("426666.666666667", 100, 42_666_667)],
)  # fmt: skip
def test_prices_as_people_write_them(text: str, factor: int, fen: int) -> None:
    assert read_price(text, factor) == fen


@pytest.mark.parametrize("text", ["贵", "-1", "NaN", "1e30", ""])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=""):
        read_price(text, 100)


@pytest.mark.parametrize(
    ("text", "on"),
    [("2018-05-01", "2018-05-01"), ("2018/5", "2018-05-01"), ("201805", "2018-05-01"), ("20180512", "2018-05-12"),
     ("2018年5月", "2018-05-01"), ("2018", "2018-01-01"), ("2018-13", "None"), ("不详", "None"), ("0001-01-01", "None"),
     ("43831", "2020-01-01"), ("12345", "None")],
)  # fmt: skip
def test_days_as_people_write_them(text: str, on: str) -> None:
    assert str(read_day(text)) == on


def test_headings_of_two_rows_are_the_lower_ones() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 1, "仪器名称")
        sheet.merge_range(0, 2, 0, 3, "联系人")
        sheet.write_row(1, 0, ["仪器编号", "中文名称", "姓名", "联系电话"])
        sheet.write_row(2, 0, ["A-1", "示波器", "林静", "027-1"])

    table = read_table(workbook(write))

    assert table.headings[:2] == ["仪器编号", "中文名称"]
    assert table.rows[0][1] == ["A-1", "示波器", "林静", "027-1"]


def corner(row: int, column: int) -> bytes:
    """A list of two rows with one more cell far away."""

    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        for number, cells in enumerate([HEADINGS, *ROWS]):
            sheet.write_row(number, 0, cells)
        sheet.write(row, column, "x")

    return workbook(write)


def rewritten(data: bytes, change: Callable[[str, bytes], tuple[str, bytes]]) -> bytes:
    """The same workbook with its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(*change(name, source.read(name)))
    return out.getvalue()


@pytest.mark.parametrize(
    ("row", "column", "refusal"),
    [(9_000, 16_383, FileTooWide), (9_000, 180, FileTooWide), (1_000_000, 0, FileTooManyRows), (3, 200, FileTooWide)],
)
def test_a_cell_far_away_is_refused_before_the_sheet_is_built(
    row: int, column: int, refusal: type[Refusal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_sheet_rows", lambda *_: pytest.fail("the sheet was built"))

    with pytest.raises(refusal):
        read(corner(row, column))


def test_a_cell_that_does_not_say_where_it_stands_is_counted() -> None:
    def change(name: str, content: bytes) -> tuple[str, bytes]:
        far = b'<row r="9900"><c r="ALL9900"><v>1</v></c><c><v>2</v></c></row></sheetData>'
        return name, content.replace(b"</sheetData>", far)

    with pytest.raises(FileTooWide):
        read(rewritten(plain_sheet(ROWS), change))


def test_cells_with_a_format_only_count_for_nothing() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        for number, cells in enumerate([HEADINGS, *ROWS]):
            sheet.write_row(number, 0, cells)
        sheet.write_blank(900_000, 16_000, None, book.add_format({"bold": True}))

    assert len(read(workbook(write)).rows) == 2


def test_a_formula_is_found_whatever_its_cell_says_first_and_wherever_its_sheet_lies() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("封面").hide()
        sheet = book.add_worksheet("清单")
        sheet.activate()
        sheet.set_first_sheet()
        for number, cells in enumerate([HEADINGS, *ROWS]):
            sheet.write_row(number, 0, cells)
        sheet.write_formula(1, 0, '="A-"&1', book.add_format({"bold": True}), "A-1")

    def change(name: str, content: bytes) -> tuple[str, bytes]:
        swapped = {
            "xl/worksheets/sheet1.xml": "xl/worksheets/sheet2.xml",
            "xl/worksheets/sheet2.xml": "xl/worksheets/z.xml",
        }
        if name == "xl/_rels/workbook.xml.rels":
            content = content.replace(b"sheet2.xml", b"z.xml").replace(b"sheet1.xml", b"sheet2.xml")
        content = re.sub(rb'<c r="A2" s="(\d+)"', rb'<c s="\1" r="A2"', content)
        return swapped.get(name, name), content

    file = read(rewritten(workbook(write), change))

    assert [(problem.row, problem.code) for problem in file.refused] == [(2, "formula_cell")]
    assert [row.asset_number for row in file.rows] == ["A-2"]


@pytest.mark.parametrize("cut", [1, 5, 40, 300])
def test_a_formula_across_two_blocks_is_found(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        for number, cells in enumerate([HEADINGS, *ROWS]):
            sheet.write_row(number, 0, cells)
        sheet.write_formula(2, 4, "=E2*2", None, 571)

    monkeypatch.setattr(workbooks, "BLOCK", cut)

    (found,) = workbooks.scan_workbook(workbook(write))

    assert (found.rows, found.columns, found.formulas) == (3, 8, {(3, 4)})


def test_an_archive_of_another_kind_is_refused() -> None:
    with pytest.raises(FileNotKnown):
        read(rewritten(plain_sheet(ROWS), lambda name, content: (name.replace("workbook.xml", "other.xml"), content)))


def test_a_second_sheet_is_left_out_and_said() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        for name in ("一", "二", "空"):
            sheet = book.add_worksheet(name)
            for number, cells in enumerate([HEADINGS, *ROWS] if name != "空" else []):
                sheet.write_row(number, 0, cells)

    file = read(workbook(write))

    assert (len(file.rows), [(problem.column, problem.code) for problem in file.refused]) == (
        2, [("二", "sheet_left_out")]
    )  # fmt: skip


def test_a_quotation_mark_that_is_not_closed_swallows_nothing() -> None:
    data = '仪器编号,仪器名称\n1,甲\n2,"乙\n3,丙\n4,丁\n'.encode()

    with pytest.raises(QuoteOpen) as refusal:
        read(data, "list.csv")
    assert refusal.value.fields == {"row": 3}


def test_a_comma_before_decimals_is_never_lost() -> None:
    rows = "仪器编号;仪器名称;原值\n1;甲;1,5\n2;乙;1.234,50\n3;丙;12.5\n4;丁;1,234.5\n"

    file = read(rows.encode(), "list.csv")

    assert [row.values["original_value_fen"] for row in file.rows] == [150, 123_450, 1_250]
    assert [(problem.row, problem.code) for problem in file.refused] == [(5, "not_a_price")]


@pytest.mark.parametrize("text", ["1,5", "12,34", "1,2345", "1.2.3"])
def test_digits_grouped_in_another_way_are_no_price(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read_price(text, 100)


@pytest.mark.parametrize("number", ["1.234567890123457e+19", "1.23457E+19", "1234567890123456768.0"])
def test_an_asset_number_whose_digits_a_spreadsheet_has_lost_is_refused(number: str) -> None:
    file = read(f"仪器编号,仪器名称\n{number},甲\n".encode(), "list.csv")

    assert [problem.code for problem in file.refused] == ["digits_lost"]


def test_a_long_number_as_a_number_is_refused_and_as_text_taken() -> None:
    file = read(plain_sheet([[12345678901234567890, "甲"], ["12345678901234567890", "乙"]]))

    assert [row.asset_number for row in file.rows] == ["12345678901234567890"]
    assert [problem.code for problem in file.refused] == ["digits_lost"]


def test_how_a_thing_came_by_is_read_with_the_asset_systems_digits() -> None:
    rows = "".join(f"{digit},仪器,{digit}\n" for digit in range(1, 9))

    file = read(f"资产编号,资产名称,取得方式\n{rows}".encode(), "list.csv")

    assert [row.values.get("asset_source") for row in file.rows] == [
        "purchase", "transfer", "self_made", "donation", "transfer", None, "self_made", None
    ]  # fmt: skip
    assert [bool(row.warnings) for row in file.rows] == [False] * 5 + [True, False, True]


def test_what_our_own_list_guards_comes_back_as_it_was() -> None:
    texts = ["=cmd", "-12", "@x", "'s", "a'=b", "O'Neil"]
    data = write_csv(["仪器编号", "仪器名称", "型号"], [[f"N{n}", "甲", text] for n, text in enumerate(texts)])

    assert [row.values["model"] for row in read(data, "list.csv").rows] == texts
