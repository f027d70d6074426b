"""A sheet of a workbook or a CSV file as headings and rows. Pure; bounded in time and memory.

Title rows above the headings are skipped, merged cells are filled down, numbers and dates become text.
"""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from equipment.errors import FileDamaged, FileEmpty, FileTooManyRows, FileTooWide, HeadingsNotFound, QuoteOpen
from equipment.importing.headings import count_known
from equipment.importing.oldbooks import scan_old_workbook
from equipment.importing.texts import decode
from equipment.importing.workbooks import AREA_MOST, COLUMNS_MOST, HEADINGS_WITHIN, ROWS_MOST, Extent, scan_workbook

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
#: What our own CSV puts before a text that a spreadsheet would run.
_GUARDED = re.compile("^'(?=[=+\\-@\t\r\n＝＋－＠])")

Rows = list[list[str]]


@dataclass(frozen=True)
class Table:
    """Rows with their number as counted in the file from 1, and what stands above them."""

    headings: list[str]
    rows: list[tuple[int, list[str]]]
    encoding: str = ""
    #: (row number, column from 0) of cells that hold a formula.
    formulas: frozenset[tuple[int, int]] = field(default_factory=frozenset)
    #: Names of further visible sheets that hold something; only the first list is taken.
    other_sheets: tuple[str, ...] = ()
    #: Between the cells of a CSV file: where it is `;`, a comma may stand before decimals.
    delimiter: str = ""


def is_workbook(data: bytes) -> bool:
    return data.startswith((ZIP, OLE))


def read_table(data: bytes) -> Table:
    """Raises FileEmpty, FileDamaged, FileNotKnown, FileUnpacksTooLarge, FileTooManyRows, FileTooWide, FileNotReadable,
    QuoteOpen, HeadingsNotFound."""
    if is_workbook(data):
        return _read_workbook(data)
    text, encoding = decode(data)
    delimiter = find_delimiter(text)
    return replace(_with_headings(_read_csv(text, delimiter)), encoding=encoding, delimiter=delimiter)


def find_delimiter(text: str) -> str:
    """What stands most often in the first lines."""
    lines = [line for line in text[:20_000].splitlines()[:HEADINGS_WITHIN] if line.strip()]
    return max(",\t;|", key=lambda sign: sum(line.count(sign) for line in lines))


def _read_csv(text: str, delimiter: str) -> Rows:
    rows: Rows = []
    csv.field_size_limit(1_000_000)
    # Strict: a quotation mark that is not closed would swallow the rows below in silence.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begun = 0
    try:
        for row in lines:
            begun = lines.line_num
            if len(row) > COLUMNS_MOST and any(row[COLUMNS_MOST:]):
                raise FileTooWide(columns=COLUMNS_MOST, cells=AREA_MOST)
            rows.append([_GUARDED.sub("", cell.strip()) if "'" in cell else cell.strip() for cell in row])
            if len(rows) > ROWS_MOST + HEADINGS_WITHIN:
                raise FileTooManyRows(rows=ROWS_MOST)
    except csv.Error as error:
        raise QuoteOpen(row=begun + 1) from error
    return rows


def _read_workbook(data: bytes) -> Table:
    extents = scan_workbook(data) if data.startswith(ZIP) else scan_old_workbook(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        if len(book.sheets_metadata) != len(extents):
            raise FileDamaged
        return _first_table(book, extents)
    except (CalamineError, PasswordError, zipfile.BadZipFile, UnicodeError, ValueError, OSError) as error:
        raise FileDamaged from error


def _first_table(book: CalamineWorkbook, extents: Sequence[Extent]) -> Table:
    """The first visible sheet that holds a list, and the names of the others that hold something."""
    visible = [
        (sheet.name, extent)
        for sheet, extent in zip(book.sheets_metadata, extents, strict=True)
        if sheet.visible is SheetVisibleEnum.Visible and extent.rows
    ]
    refused: HeadingsNotFound | FileEmpty = FileEmpty()
    for name, extent in visible:
        extent.require_small()
        rows = _sheet_rows(book, name)
        try:
            table = _with_headings(rows)
        except (HeadingsNotFound, FileEmpty) as found:
            refused = found if rows else refused
        else:
            others = tuple(other for other, _ in visible if other != name)
            return replace(table, encoding="xlsx", formulas=frozenset(extent.formulas), other_sheets=others)
    raise refused


def _sheet_rows(book: CalamineWorkbook, name: str) -> Rows:
    sheet = book.get_sheet_by_name(name)
    rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    left = AREA_MOST
    for (top, first), (bottom, last) in sheet.merged_cell_ranges or []:
        left -= min(bottom, len(rows)) - top + 1
        if left < 0:
            raise FileDamaged
        _fill(rows, top, first, bottom, last)
    return rows


def _fill(rows: Rows, top: int, left: int, bottom: int, right: int) -> None:
    """A merged cell's text stands in each of its rows, in its first column; a heading's group in each column."""
    if top >= len(rows) or left >= len(rows[top]):
        return
    text = rows[top][left]
    for row in rows[top : bottom + 1]:
        for column in range(left, min(right + 1, len(row)) if top < HEADINGS_WITHIN and top == bottom else left + 1):
            row[column] = row[column] or text


def _with_headings(rows: Rows) -> Table:
    """The row of headings is the one of the first that holds most names we know."""
    filled = [(number, row) for number, row in enumerate(rows, 1) if any(row)]
    if not filled:
        raise FileEmpty
    at = _find_headings([row for _, row in filled[:HEADINGS_WITHIN]])
    if at is None:
        raise HeadingsNotFound(rows=HEADINGS_WITHIN)
    headings, at = _with_second_row([row for _, row in filled], at)
    body = filled[at + 1 :]
    if len(body) > ROWS_MOST:
        raise FileTooManyRows(rows=ROWS_MOST)
    if not body:
        raise FileEmpty
    return Table(headings, body)


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


def _with_second_row(rows: Sequence[list[str]], at: int) -> tuple[list[str], int]:
    """Headings, and the last of their rows. Two rows: the upper one groups and the lower one names; or one of them
    names the columns once more, as the national platform's sheet has keys and meanings: then its keys count."""
    if at and _names_again(rows[at - 1]):
        return (list(rows[at - 1]) if _has_keys(rows[at - 1]) else list(rows[at])), at
    headings = list(rows[at])
    below = rows[at + 1] if at + 1 < len(rows) else []
    if _names_again(below):
        return (list(below) if _has_keys(below) else headings), at + 1
    if below and _is_second_row(headings, below):
        return [(below[place] if place < len(below) else "") or text for place, text in enumerate(headings)], at + 1
    return headings, at


def _names_again(row: Sequence[str]) -> bool:
    """Whether a quarter of the cells are headings that we know: no instrument is described so. The national
    platform has many columns that nothing here is made of."""
    return count_known(row) >= max(3, len([cell for cell in row if cell]) // 4)


def _has_keys(row: Sequence[str]) -> bool:
    return "innerid" in {cell.strip().lower() for cell in row}


def _is_second_row(headings: Sequence[str], below: Sequence[str]) -> bool:
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
