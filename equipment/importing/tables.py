"""A sheet of a workbook or a CSV file as headings and rows. Pure; bounded in time and memory.

Title rows above the headings are skipped, merged cells are filled down, numbers and dates become text.
"""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from equipment.errors import FileDamaged, FileEmpty, FileTooManyRows, FileUnpacksTooLarge, HeadingsNotFound
from equipment.importing.headings import count_known
from equipment.importing.texts import decode

UNPACKED_MEGABYTES = 40
ROWS_MOST = 20_000
COLUMNS_MOST = 200
HEADINGS_WITHIN = 20
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<f[ >/]')

Rows = list[list[str]]


@dataclass(frozen=True)
class Table:
    """Rows with their number as counted in the file from 1, and what stands above them."""

    headings: list[str]
    rows: list[tuple[int, list[str]]]
    encoding: str = ""
    #: (row number, column from 0) of cells that hold a formula.
    formulas: frozenset[tuple[int, int]] = field(default_factory=frozenset)


def read_table(data: bytes) -> Table:
    """Raises FileEmpty, FileDamaged, FileUnpacksTooLarge, FileTooManyRows, FileNotReadable, HeadingsNotFound."""
    if data.startswith((_ZIP, _OLE)):
        return _read_workbook(data)
    text, encoding = decode(data)
    rows = _read_csv(text)
    return _with_headings(rows, encoding, frozenset())


def _read_csv(text: str) -> Rows:
    lines = [line for line in text[:20_000].splitlines()[:HEADINGS_WITHIN] if line.strip()]
    delimiter = max(",\t;|", key=lambda sign: sum(line.count(sign) for line in lines))
    rows: Rows = []
    csv.field_size_limit(1_000_000)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append([cell.strip() for cell in row[:COLUMNS_MOST]])
            if len(rows) > ROWS_MOST + HEADINGS_WITHIN:
                raise FileTooManyRows(rows=ROWS_MOST)
    except csv.Error as error:
        raise FileDamaged from error
    return rows


def _read_workbook(data: bytes) -> Table:
    if data.startswith(_ZIP):
        _require_small(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        visible = [
            (place, sheet.name)
            for place, sheet in enumerate(book.sheets_metadata)
            if sheet.visible is SheetVisibleEnum.Visible
        ]
        refused: HeadingsNotFound | FileEmpty = FileEmpty()
        for place, name in visible:
            rows = _sheet_rows(book, name)
            try:
                return _with_headings(rows, "xlsx", _find_formulas(data, place))
            except (HeadingsNotFound, FileEmpty) as found:
                refused = found if rows else refused
    except (CalamineError, PasswordError, zipfile.BadZipFile, UnicodeError, ValueError, OSError) as error:
        raise FileDamaged from error
    raise refused


def _require_small(data: bytes) -> None:
    """Inflate every member and count: what a directory says of sizes proves nothing."""
    left = UNPACKED_MEGABYTES * 1_000_000
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                with archive.open(member) as stream:
                    while chunk := stream.read(1 << 18):
                        left -= len(chunk)
                        if left < 0:
                            raise FileUnpacksTooLarge(megabytes=UNPACKED_MEGABYTES)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise FileDamaged from error


def _sheet_rows(book: CalamineWorkbook, name: str) -> Rows:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height > ROWS_MOST + HEADINGS_WITHIN:
        raise FileTooManyRows(rows=ROWS_MOST)
    rows = [
        [_text(cell) for cell in row[:COLUMNS_MOST]] for row in sheet.to_python(skip_empty_area=False)
    ]  # fmt: skip
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or []:
        _fill(rows, top, left, bottom, right)
    return rows


def _fill(rows: Rows, top: int, left: int, bottom: int, right: int) -> None:
    """A merged cell's text stands in each of its rows, in its first column; a heading's group in each column."""
    if top >= len(rows) or left >= len(rows[top]):
        return
    text = rows[top][left]
    for row in rows[top : bottom + 1]:
        for column in range(left, min(right + 1, len(row)) if top < HEADINGS_WITHIN and top == bottom else left + 1):
            row[column] = row[column] or text


def _find_formulas(data: bytes, place: int) -> frozenset[tuple[int, int]]:
    """Cells of a sheet (by its place in the workbook) that hold a formula, read as a stream."""
    if not data.startswith(_ZIP):
        return frozenset()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = sorted(
            (name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)),
            key=lambda name: int(re.sub(r"\D", "", name)),
        )
        if place >= len(names):
            return frozenset()
        found = set()
        rest = b""
        with archive.open(names[place]) as stream:
            while chunk := stream.read(1 << 18):
                text = rest + chunk
                found |= {(int(row), _column(letters)) for letters, row in _CELL.findall(text)}
                rest = text[-300:]
        return frozenset(found)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _with_headings(rows: Rows, encoding: str, formulas: frozenset[tuple[int, int]]) -> Table:
    """The row of headings is the one of the first that holds most names we know."""
    filled = [(number, row) for number, row in enumerate(rows, 1) if any(row)]
    if not filled:
        raise FileEmpty
    at = _find_headings([row for _, row in filled[:HEADINGS_WITHIN]])
    if at is None:
        raise HeadingsNotFound(rows=HEADINGS_WITHIN)
    headings = list(filled[at][1])
    if at + 1 < len(filled) and _is_second_row(headings, filled[at + 1][1]):
        at += 1
        below = filled[at][1]
        headings = [
            (below[place] if place < len(below) else "") or text for place, text in enumerate(headings)
        ]  # fmt: skip
    body = filled[at + 1 :]
    if len(body) > ROWS_MOST:
        raise FileTooManyRows(rows=ROWS_MOST)
    if not body:
        raise FileEmpty
    return Table(headings, body, encoding, formulas)


def _find_headings(rows: Sequence[list[str]]) -> int | None:
    known = [count_known(row) for row in rows]
    best = max(range(len(rows)), key=lambda place: known[place])
    if known[best] >= 2:
        return best
    for place, row in enumerate(rows):
        cells = [cell for cell in row if cell]
        if len(cells) >= 2 and len(set(cells)) == len(cells) and all(len(cell) <= 60 for cell in cells):
            return place
    return None


def _is_second_row(headings: list[str], below: list[str]) -> bool:
    """Headings of two rows: the upper one groups (its text stands over several columns), the lower one names."""
    repeated = len([text for text in headings if text]) > len({text for text in headings if text})
    return repeated and count_known(below) >= 1 and all(len(cell) <= 30 for cell in below)


def _text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        case datetime():
            return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
        case date() | time() | timedelta():
            return str(cell)
        case _:
            return str(cell).strip()
