"""The Ministry of Education's table SJ3 of valuable instruments: fixed-width GBK, 349 bytes a record, CRLF. Pure.

Layout as the yearly laboratory statistics have it: 25 fields, padded with blanks by bytes; unknown text is `*`,
nobody in charge is `无`, hours are never blank. A file belongs to one school, whose code begins every record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.i18n import N_
from core.money import FEN_MAX, parse_yuan
from equipment.categories import category_of
from equipment.errors import RecordCut, WrongSchool
from equipment.importing.rows import CatalogueRow, ReadFile, RefusedRow

RECORD_BYTES = 349
#: The lab under which a table's entries stand until the institution says where they are.
LAB = "实验室与设备管理处（目录）"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    label: str
    width: int
    #: C text, N whole number, Y yuan with two decimals.
    kind: str = "N"


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
assert sum(column.width for column in COLUMNS) == RECORD_BYTES


class _Unfit(Exception):
    def __init__(self, column: Column, code: str, reason: str) -> None:
        self.refused = (column, code, reason)


def looks_like_sj3(data: bytes) -> bool:
    """A first record of the right length, or one that begins with a school code and an asset number."""
    first = data.split(b"\n", 1)[0].rstrip(b"\r")
    return len(first) == RECORD_BYTES or (first[:5].isdigit() and len(first) > 100 and b"," not in first)


def read_sj3(data: bytes, school: str) -> ReadFile:
    """Raises RecordCut and WrongSchool for the whole file; single rows are refused with column and reason."""
    records = [line.rstrip(b"\r") for line in data.rstrip(b"\x1a\r\n").split(b"\n")]
    for number, record in enumerate(records, 1):
        if len(record) != RECORD_BYTES:
            raise RecordCut(row=number, found=len(record))
        found = record[:5].decode("ascii", "replace")
        if found != school:
            raise WrongSchool(row=number, found=found, expected=school)
    rows: list[CatalogueRow] = []
    refused: list[RefusedRow] = []
    seen: set[str] = set()
    for number, record in enumerate(records, 1):
        try:
            row = _row(number, parse_record(record))
        except _Unfit as unfit:
            column, code, reason = unfit.refused
            refused.append(RefusedRow(number, column.label, code, reason))
            continue
        if row.asset_number in seen:
            reason = N_("This number stands in the file twice; the first row counts.")
            refused.append(RefusedRow(number, COLUMNS[1].label, "duplicate_key", reason))
            continue
        seen.add(row.asset_number)
        rows.append(row)
    return ReadFile("sj3", rows, refused)


def parse_record(record: bytes) -> dict[str, Any]:
    """The fields of one record by name. Raises _Unfit for a field that cannot be read."""
    values: dict[str, Any] = {}
    position = 0
    for column in COLUMNS:
        raw = record[position : position + column.width]
        position += column.width
        values[column.name] = _value(column, raw)
    return values


def write_record(values: Mapping[str, Any]) -> bytes:
    """One record from fields by name; text that is too long is cut between characters, never inside one.

    Raises UnicodeEncodeError for a character that GBK does not have.
    """
    return b"".join(_written(column, values[column.name]) for column in COLUMNS)


def write_sj3(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(write_record(row) + b"\r\n" for row in rows)


def _value(column: Column, raw: bytes) -> Any:
    try:
        text = raw.decode("gbk").strip()
    except UnicodeDecodeError as error:
        raise _Unfit(column, "not_gbk", N_("The text is not GBK, or a character is cut.")) from error
    if column.kind == "C":
        return text
    if column.kind == "Y":
        try:
            return parse_yuan(text)
        except ValueError as error:
            raise _Unfit(column, "not_a_price", N_("The price is not a number with at most two decimals.")) from error
    if not (text.isascii() and text.isdigit()):
        raise _Unfit(column, "not_a_number", N_("A whole number is missing; none is written as 0."))
    return int(text)


def _written(column: Column, value: Any) -> bytes:
    if column.kind == "Y":
        assert 0 <= value <= FEN_MAX
        text = f"{value // 100}.{value % 100:02d}"
    else:
        text = str(value)
    raw = text.encode("gbk")
    if column.kind != "C":
        assert len(raw) <= column.width, f"{column.name} does not fit"
    while len(raw) > column.width:
        text = text[:-1]
        raw = text.encode("gbk")
    return raw.ljust(column.width)


def _row(number: int, values: Mapping[str, Any]) -> CatalogueRow:
    for column in (COLUMNS[1], COLUMNS[3]):
        if not values[column.name]:
            raise _Unfit(column, "missing", N_("This is required."))
    known = {name: "" if values[name] == "*" else values[name] for name in ("model", "specification")}
    return CatalogueRow(
        number=number,
        asset_number=values["asset_number"],
        name_zh=values["name"],
        lab=LAB,
        model=known["model"],
        specification=known["specification"],
        category=category_of(""),
        class_code=values["class_code"][:6],
        original_value_fen=values["price"],
        assignment="",
        certainty="SJ3",
    )
