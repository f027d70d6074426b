"""The ministry's fixed-width table: read, refused by row, refused whole, and the same out as in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from equipment.errors import RecordCut, WrongSchool
from equipment.importing import fixed
from equipment.importing.reading import fixed_width
from equipment.importing.sj3 import COLUMNS, RECORD_BYTES, SHORT_COLUMNS, read_sj3
from equipment.importing.sj3 import write_sj3 as write_with_cuts
from web.demo.make_sj3 import TARGET, make_rows

GOOD = make_rows()


def write_sj3(rows: list[dict[str, Any]]) -> bytes:
    return write_with_cuts(rows)[0]


def write_record(row: dict[str, Any]) -> bytes:
    return fixed.write_record(COLUMNS, row)[0]


def parse_record(record: bytes) -> dict[str, Any]:
    return fixed.parse_record(COLUMNS, record)


def test_the_committed_file_is_what_the_script_writes() -> None:
    data = TARGET.read_bytes()

    assert data == write_sj3(GOOD)
    assert {len(line) for line in data.split(b"\r\n")[:-1]} == {RECORD_BYTES}


def test_a_table_is_read_with_names_prices_and_unknown_text() -> None:
    file = read_sj3(TARGET.read_bytes(), "10497")

    assert (file.read, len(file.rows), file.refused) == (10, 10, [])
    first = file.rows[0]
    values = first.values
    assert (first.asset_number, values["name_zh"]) == ("20190311", "高温同步热分析仪")
    assert (values["original_value_fen"], values["contact_name"]) == (68_000_000, "周启明")
    assert values["reported"]["research_hours"] == GOOD[0]["research_hours"]
    assert "specification" not in file.rows[7].values
    assert "contact_name" not in file.rows[6].values


def test_a_short_specification_makes_a_shorter_record() -> None:
    rows = [fixed.write_record(SHORT_COLUMNS, row)[0] for row in GOOD]

    file = read_sj3(b"".join(row + b"\r\n" for row in rows), "10497")

    assert {len(row) for row in rows} == {179}
    assert [row.asset_number for row in file.rows] == [row["asset_number"] for row in GOOD]


def test_a_cut_record_refuses_the_file() -> None:
    data = write_sj3(GOOD)[:-100]

    with pytest.raises(RecordCut) as refusal:
        read_sj3(data, "10497")
    assert refusal.value.fields == {"row": 10, "found": 251, "expected": 349}


def test_another_schools_file_is_refused_whole() -> None:
    with pytest.raises(WrongSchool) as refusal:
        read_sj3(TARGET.read_bytes(), "10486")
    assert refusal.value.fields["found"] == "10497"


def put(record: bytes, name: str, raw: bytes) -> bytes:
    at = sum(column.width for column in COLUMNS[: [column.name for column in COLUMNS].index(name)])
    return record[:at] + raw + record[at + len(raw) :]


@pytest.mark.parametrize(
    ("name", "raw", "code", "column"),
    [
        ("name", b"\xff\xff", "not_gbk", "仪器名称"), ("price", b"12,3x5.00   ", "not_a_price", "单价"),
        ("teaching_hours", b"    ", "not_a_number", "教学机时"), ("samples", b"-1    ", "not_a_number", "测样数"),
        ("asset_number", b" " * 8, "missing", "仪器编号"), ("price", b"1E5         ", "not_a_price", "单价"),
    ],
)  # fmt: skip
def test_a_bad_field_refuses_its_row_and_says_which(name: str, raw: bytes, code: str, column: str) -> None:
    bad = put(write_record(GOOD[0]), name, raw)

    file = read_sj3(bad + b"\r\n" + write_record(GOOD[1]) + b"\r\n", "10497")

    assert [(row.row, row.code, row.column) for row in file.refused] == [(1, code, column)]
    assert [row.asset_number for row in file.rows] == ["20170526"]


def test_a_number_that_stands_twice_counts_once() -> None:
    file = read_sj3(write_sj3([GOOD[0], GOOD[0] | {"name": "另一台"}]), "10497")

    assert [row.values["name_zh"] for row in file.rows] == ["高温同步热分析仪"]
    assert [(row.row, row.code) for row in file.refused] == [(2, "duplicate_key")]


def test_long_text_is_cut_between_characters() -> None:
    record, cuts = fixed.write_record(COLUMNS, GOOD[0] | {"person": "欧阳上官慕容", "name": "镜𠮷头"})

    assert len(record) == RECORD_BYTES
    assert parse_record(record)["person"] == "欧阳上官"
    assert [(cut.column, cut.code, cut.after) for cut in cuts] == [
        ("仪器名称", "replaced", "镜?头"), ("负责人姓名", "cut", "欧阳上官")
    ]  # fmt: skip


gbk_text = st.text(st.characters(codec="gbk", exclude_categories=["C", "Z"]), min_size=1, max_size=3)
values = st.fixed_dictionaries(
    {
        column.name: st.just("10497")
        if column.name == "school"
        else gbk_text
        if column.kind == "C"
        else st.integers(0, 10**8)
        if column.kind == "Y"
        else st.integers(0, 10**column.width - 1)
        for column in COLUMNS
    }
)


@given(values)
def test_what_is_written_is_read_again(row: dict[str, Any]) -> None:
    assert parse_record(write_record(row)) == row


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    if not fixed_width(data, "x"):
        return
    try:
        read_sj3(data, "10497")
    except Refusal as refusal:
        assert refusal.code in ("record_cut", "wrong_school")
