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


def two() -> list[bytes]:
    return [record(), record(asset_number="20190312", name="示波器")]


def as_utf8(line: bytes) -> bytes:
    return line.decode("gbk").encode()


def padded_by_utf8() -> bytes:
    """As the exporter that counts bytes of UTF-8 pads, on a machine whose locale is UTF-8."""
    texts = [
        "".join(
            str(value) + " " * (column.width - len(str(value).encode()))
            for column in COLUMNS
            if (value := {**ROW, "price": "680000.00"}[column.name]) is not None
        )
    ]
    return "".join(f"{text}\r\n" for text in texts).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n".join([b"", *two(), b"   ", b""]),
        b"\r\n".join(line.strip() for line in two()),
        b"".join(line.rstrip(b"\r\n") for line in two()),
        b"\xef\xbb\xbf" + b"".join(two()),
        b"\xef\xbb\xbf" + b"".join(as_utf8(line) for line in two()),
        b"".join(two()) + b"\x1a",
    ],
    ids=["blank lines", "ends stripped", "no line ends", "mark", "as UTF-8", "end mark"],
)
@pytest.mark.parametrize("name", ["SJ110486.txt", "list.txt"])
def test_what_editors_and_exporters_do_to_a_file_is_undone(data: bytes, name: str) -> None:
    file = read_file(data, name, code="10486", institution=None)

    assert (file.format, [row.values["name_zh"] for row in file.rows]) == ("sj1", ["同步热分析仪", "示波器"])
    assert {row.lab for row in file.rows} == {"材料学院"}


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_fields_padded_by_bytes_of_utf8_are_read(encoding: str) -> None:
    data = padded_by_utf8().decode().encode(encoding)

    (row,) = read_file(data, "SJ110486.txt", code="10486", institution=None).rows

    assert (row.values["name_zh"], row.values["model"], row.lab) == ("同步热分析仪", "STA 449", "材料学院")


def test_a_wide_state_is_seen_where_the_ends_were_stripped() -> None:
    (row,) = read_file(record(LONG_COLUMNS, state="8").strip(), "SJ1.txt", code="10486", institution=None).rows

    assert (row.values["asset_state"], row.values["use_direction"], row.lab) == ("downgraded", "research", "材料学院")


def test_a_table_is_a_table_whatever_it_is_called() -> None:
    data = "仪器编号,仪器名称\n1,示波器\n".encode()

    for name in ("SJ1 2026.csv", "SJ3清单.csv"):
        assert read_file(data, name, code="10486", institution=None).format == "table"
