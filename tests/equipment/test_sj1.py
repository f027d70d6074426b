"""The ministry's table of all instruments: read, refused by row, the long variant, and the same out as in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipment.errors import RecordCut
from equipment.importing import fixed
from equipment.importing.reading import read_file
from equipment.importing.sj1 import COLUMNS, LONG_COLUMNS, read_sj1

ROW: dict[str, Any] = {
    "school": "10486", "asset_number": "20190311", "class_code": "03030502", "name": "同步热分析仪", "model": "STA 449",
    "specification": "*", "source": "1", "country": "276", "price": 68_000_000, "acquired": "201903", "state": "1",
    "direction": "2", "unit_code": "0301", "unit_name": "材料学院", "disposed": "",
}  # fmt: skip


def record(columns: Any = COLUMNS, **changes: Any) -> bytes:
    return fixed.write_record(columns, ROW | changes)[0] + b"\r\n"


def test_a_record_says_what_where_and_in_what_state() -> None:
    (row,) = read_sj1(record(), "10486").rows

    assert (row.asset_number, row.lab, row.values["name_zh"]) == ("20190311", "材料学院", "同步热分析仪")
    assert (row.values["asset_source"], row.values["asset_state"], row.values["use_direction"]) == (
        "purchase", "in_use", "research"
    )  # fmt: skip
    assert str(row.values["acquired_on"]) == "2019-03-01"
    assert row.values["reported"] == {"class_code": "03030502"}
    assert "specification" not in row.values


def test_the_exporter_with_a_wide_state_is_read_too() -> None:
    data = record(LONG_COLUMNS, state="8", disposed="202601")
    assert len(data.rstrip()) <= 192

    (row,) = read_sj1(data, "10486").rows

    assert row.values["asset_state"] == "downgraded"


def test_unknown_codes_are_taken_in_and_said() -> None:
    (row,) = read_sj1(record(source="7", acquired="201913"), "10486").rows

    assert [(warning.column, warning.code) for warning in row.warnings] == [
        ("仪器来源", "code_not_known"), ("购置日期", "not_a_date")
    ]  # fmt: skip
    assert "asset_source" not in row.values


def test_bad_rows_are_refused_and_name_their_instrument() -> None:
    file = read_sj1(record(price=1).replace(b"0.01 ", b"0.0x ") + record() + record(), "10486")

    assert [(problem.row, problem.code, problem.asset_number) for problem in file.refused] == [
        (1, "not_a_price", "20190311"), (3, "duplicate_key", "20190311")
    ]  # fmt: skip
    assert len(file.rows) == 1


def test_a_cut_file_is_refused_whole() -> None:
    with pytest.raises(RecordCut) as refusal:
        read_file(record() + record()[:-30], "SJ110486.txt", code="10486", institution=None)
    assert refusal.value.fields["expected"] == 185


text_of = st.text(st.characters(codec="gbk", exclude_categories=["C", "Z"]), min_size=1, max_size=3)


@given(st.fixed_dictionaries({column.name: (
    st.just("10486") if column.name == "school"
    else st.integers(0, 10**8) if column.kind == "Y"
    else st.sampled_from("123") if column.width < 3
    else text_of.filter(lambda text, width=column.width: len(text.encode("gbk")) <= width)
) for column in COLUMNS}))  # fmt: skip
def test_what_is_written_is_read_again(row: dict[str, Any]) -> None:
    raw, cuts = fixed.write_record(COLUMNS, row)

    assert len(raw) == 185
    assert cuts == []
    assert fixed.parse_record(COLUMNS, raw) == row
    assert fixed.write_record(COLUMNS, fixed.parse_record(COLUMNS, raw))[0] == raw
