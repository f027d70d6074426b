"""Tables as files: CSV with a byte-order mark for spreadsheets, and XLSX. No text ever becomes a formula. Pure."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import xlsxwriter
from starlette.responses import Response

Cell = str | int | Decimal
#: A cell that begins so would be read as a formula or a command by a spreadsheet (OWASP ASVS 1.2.10).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\x00")


@dataclass(frozen=True)
class Sheet:
    """A table with its heads. Money is a Decimal in yuan; the last row may be totals."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    made_at: datetime


TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def file_answer(sheet: Sheet, kind: str, *, name: str, zone: ZoneInfo) -> Response:
    """A table as a file to keep, its day in its name; `kind` is one of `TYPES`."""
    body = write_csv(sheet) if kind == "csv" else write_xlsx(sheet)
    disposition = f'attachment; filename="{name}-{sheet.made_at.astimezone(zone):%Y%m%d}.{kind}"'
    return Response(body, media_type=TYPES[kind], headers={"Content-Disposition": disposition})


def yuan(amount_fen: int) -> Decimal:
    return Decimal(amount_fen) / 100


def write_csv(sheet: Sheet) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_safe(head) for head in sheet.heads)
    for row in sheet.rows:
        writer.writerow(_safe(cell) if isinstance(cell, str) else _number(cell) for cell in row)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def write_xlsx(sheet: Sheet) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": sheet.made_at.replace(tzinfo=None)})
        page = book.add_worksheet(sheet.name[:31])
        bold = book.add_format({"bold": True, "bottom": 1})
        money = book.add_format({"num_format": "#,##0.00"})
        page.freeze_panes(1, 0)
        page.set_column(0, 0, 34)
        page.set_column(1, len(sheet.heads), 18)
        for column, head in enumerate(sheet.heads):
            page.write_string(0, column, head, bold)
        for number, row in enumerate(sheet.rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    page.write_string(number, column, cell)
                else:
                    page.write_number(number, column, float(cell), money if isinstance(cell, Decimal) else None)
    return out.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _number(cell: int | Decimal) -> str:
    return f"{cell:.2f}" if isinstance(cell, Decimal) else str(cell)
