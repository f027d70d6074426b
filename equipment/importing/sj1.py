"""The Ministry of Education's table SJ1 of teaching and research instruments: fixed-width GBK, 185 bytes. Pure.

One exporter writes the state in two bytes and adds the day of disposal: 192 bytes. A file belongs to one school, whose
code begins every record.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.i18n import N_
from equipment.importing.codes import SJ_DIRECTIONS, SJ_SOURCES, SJ_STATES
from equipment.importing.fixed import MISSING, TWICE, Column, Unfit, known, parse_record, split_records
from equipment.importing.rows import CatalogueRow, Problem, ReadFile

COLUMNS: tuple[Column, ...] = (
    Column("school", "学校代码", 5, "C"),
    Column("asset_number", "仪器编号", 8, "C"),
    Column("class_code", "分类号", 8, "C"),
    Column("name", "仪器名称", 30, "C"),
    Column("model", "型号", 20, "C"),
    Column("specification", "规格", 30, "C"),
    Column("source", "仪器来源", 1, "C"),
    Column("country", "国别码", 3, "C"),
    Column("price", "单价", 12, "Y"),
    Column("acquired", "购置日期", 6, "C"),
    Column("state", "现状码", 1, "C"),
    Column("direction", "使用方向", 1, "C"),
    Column("unit_code", "单位编号", 10, "C"),
    Column("unit_name", "单位名称", 50, "C"),
)
#: State in two bytes, day of disposal at the end.
LONG_COLUMNS: tuple[Column, ...] = (
    *COLUMNS[:10], Column("state", "现状码", 2, "C"), *COLUMNS[11:], Column("disposed", "报废日期", 6, "C"),
)  # fmt: skip
WIDTH, LONG_WIDTH = (sum(column.width for column in columns) for columns in (COLUMNS, LONG_COLUMNS))
#: How many blanks an editor may have taken from the end: of the unit's name and the day of disposal.
BLANK_AT_END = 56
WIDTHS = {"asset_number": 8, "class_code": 8, "name_zh": 30, "model": 20, "specification": 30}
_STATE_AT = sum(column.width for column in COLUMNS[:10])
assert (WIDTH, LONG_WIDTH) == (185, 192)


def read_sj1(data: bytes, school: str) -> ReadFile:
    """Raises RecordCut and WrongSchool for the whole file; single rows are refused with column and reason."""
    records = split_records(data, (WIDTH, LONG_WIDTH), school, blank_at_end=BLANK_AT_END)
    is_long = records.width == LONG_WIDTH or all(_is_wide(record) for _, record in records.lines)
    columns = LONG_COLUMNS if is_long else COLUMNS
    rows: list[CatalogueRow] = []
    refused: list[Problem] = []
    seen: set[str] = set()
    for number, record in records.lines:
        key = record[5:13].decode(records.encoding, "replace").strip()
        try:
            row = _row(number, parse_record(columns, record, records.encoding))
        except Unfit as unfit:
            refused.append(Problem(number, unfit.column.label, unfit.code, unfit.reason, asset_number=key))
            continue
        if row.asset_number in seen:
            refused.append(Problem(number, COLUMNS[1].label, "duplicate_key", TWICE, asset_number=key))
            continue
        seen.add(row.asset_number)
        rows.append(row)
    return ReadFile("sj1", rows, refused)


def _is_wide(record: bytes) -> bool:
    """Whether the state stands in two bytes, where an editor took the blanks that made the record long."""
    return record[_STATE_AT + 1 : _STATE_AT + 2] == b" " and record[_STATE_AT + 2 : _STATE_AT + 3] in (b"1", b"2")


def _row(number: int, record: Mapping[str, Any]) -> CatalogueRow:
    for column in (COLUMNS[1], COLUMNS[3]):
        if not record[column.name]:
            raise Unfit(column, "missing", MISSING)
    values: dict[str, Any] = {
        "name_zh": record["name"], "original_value_fen": record["price"],
        "reported": {"class_code": record["class_code"]},
    }  # fmt: skip
    warnings: list[Problem] = []
    for name in ("model", "specification"):
        if text := known(record[name]):
            values[name] = text
    if record["country"] not in ("", "000"):
        values["country"] = record["country"]
    for name, field, codes in (
        ("source", "asset_source", SJ_SOURCES), ("state", "asset_state", SJ_STATES),
        ("direction", "use_direction", SJ_DIRECTIONS),
    ):  # fmt: skip
        code = record[name]
        if code in codes:
            values[field] = codes[code]
        elif code:
            label = next(column.label for column in COLUMNS if column.name == name)
            warnings.append(
                Problem(number, label, "code_not_known", N_("%(value)s is not in the list of codes."), {"value": code})
            )
    if (acquired := _month(record["acquired"])) is not None:
        values["acquired_on"] = acquired
    elif record["acquired"].strip("0"):
        warnings.append(Problem(number, "购置日期", "not_a_date", N_("This is not a date.")))
    return CatalogueRow(
        number,
        record["asset_number"],
        record["unit_name"],
        values,
        warnings=tuple(warnings),
        guessed={"certainty": "SJ1"},
        widths=WIDTHS,
    )


def _month(text: str) -> date | None:
    """YYYYMM as the first of the month."""
    try:
        return date(int(text[:4]), int(text[4:6]), 1) if len(text) == 6 else None
    except ValueError:
        return None
