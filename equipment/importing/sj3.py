"""The Ministry of Education's table SJ3 of valuable instruments: fixed-width GBK, 349 bytes a record, CRLF. Pure.

25 fields padded with blanks by bytes; unknown text is `*`, nobody in charge is `无`, hours are never blank. Some write
the specification in 30 bytes instead of 200: 179 bytes. A file belongs to one school, whose code begins every record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from equipment.importing import fixed
from equipment.importing.fixed import MISSING, TWICE, Column, Cut, Unfit, known, parse_record, split_records
from equipment.importing.rows import CatalogueRow, Problem, ReadFile

RECORD_BYTES = 349
COLUMNS: tuple[Column, ...] = (
    Column("school", "学校代码", 5, "C"),
    Column("asset_number", "仪器编号", 8, "C"),
    Column("class_code", "分类号", 8, "C"),
    Column("name", "仪器名称", 30, "C"),
    Column("price", "单价", 12, "Y"),
    Column("model", "型号", 20, "C"),
    Column("specification", "规格", 200, "C"),
    Column("teaching_hours", "教学机时", 4),
    Column("research_hours", "科研机时", 4),
    Column("service_hours", "社会服务机时", 4),
    Column("open_hours", "其中开放机时", 4),
    Column("samples", "测样数", 6),
    Column("trained_students", "培训学生", 4),
    Column("trained_teachers", "培训教师", 4),
    Column("trained_others", "培训其他", 4),
    Column("teaching_projects", "教学实验项目", 3),
    Column("research_projects", "科研项目", 3),
    Column("service_projects", "社会服务项目", 4),
    Column("national_awards", "国家级奖", 2),
    Column("provincial_awards", "省部级奖", 2),
    Column("teacher_patents", "发明专利-教师", 2),
    Column("student_patents", "发明专利-学生", 2),
    Column("indexed_papers", "三大检索论文", 3),
    Column("core_papers", "核心刊物论文", 3),
    Column("person", "负责人姓名", 8, "C"),
)
SHORT_COLUMNS = tuple(replace(column, width=30) if column.name == "specification" else column for column in COLUMNS)
SHORT_BYTES = RECORD_BYTES - 170
assert sum(column.width for column in COLUMNS) == RECORD_BYTES
assert sum(column.width for column in SHORT_COLUMNS) == SHORT_BYTES
#: The yearly figures of a record, kept as they were reported.
FIGURES = tuple(column.name for column in COLUMNS if column.kind == "N")


def read_sj3(data: bytes, school: str) -> ReadFile:
    """Raises RecordCut and WrongSchool for the whole file; single rows are refused with column and reason."""
    records = split_records(data, (RECORD_BYTES, SHORT_BYTES), school, blank_at_end=COLUMNS[-1].width)
    columns = COLUMNS if records.width == RECORD_BYTES else SHORT_COLUMNS
    widths = _widths(columns)
    rows: list[CatalogueRow] = []
    refused: list[Problem] = []
    seen: set[str] = set()
    for number, record in records.lines:
        key = record[5:13].decode(records.encoding, "replace").strip()
        try:
            row = _row(number, parse_record(columns, record, records.encoding), widths)
        except Unfit as unfit:
            refused.append(Problem(number, unfit.column.label, unfit.code, unfit.reason, asset_number=key))
            continue
        if row.asset_number in seen:
            refused.append(Problem(number, COLUMNS[1].label, "duplicate_key", TWICE, asset_number=key))
            continue
        seen.add(row.asset_number)
        rows.append(row)
    return ReadFile("sj3", rows, refused)


def write_sj3(rows: Sequence[Mapping[str, Any]]) -> tuple[bytes, list[list[Cut]]]:
    """A file of records, and for each record what had to be cut or replaced."""
    written = [fixed.write_record(COLUMNS, row) for row in rows]
    return b"".join(record + b"\r\n" for record, _ in written), [cuts for _, cuts in written]


def _widths(columns: Sequence[Column]) -> dict[str, int]:
    """Bytes of each value by our name of it."""
    ours = {"name": "name_zh", "person": "contact_name"}
    return {ours.get(column.name, column.name): column.width for column in columns if column.kind != "Y"}


def _row(number: int, record: Mapping[str, Any], widths: Mapping[str, int]) -> CatalogueRow:
    for column in (COLUMNS[1], COLUMNS[3]):
        if not record[column.name]:
            raise Unfit(column, "missing", MISSING)
    values: dict[str, Any] = {
        "name_zh": record["name"], "original_value_fen": record["price"],
        "reported": {name: record[name] for name in FIGURES} | {"class_code": record["class_code"]},
    }  # fmt: skip
    for name in ("model", "specification"):
        if text := known(record[name]):
            values[name] = text
    if record["person"] not in ("", "无", "*"):
        values["contact_name"] = record["person"]
    return CatalogueRow(number, record["asset_number"], "", values, guessed={"certainty": "SJ3"}, widths=widths)
