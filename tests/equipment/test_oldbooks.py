"""Workbooks of Excel 97 to 2003: how far their cells reach is known before the library builds them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from equipment.errors import FileDamaged, FileTooManyRows, FileTooWide
from equipment.importing.oldbooks import scan_old_workbook

NUMBER, FORMULA, MANY, BLANK = 0x0203, 0x0006, 0x00BD, 0x0201


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def cell(row: int, column: int, kind: int = NUMBER) -> bytes:
    return record(kind, struct.pack("<HHH", row, column, 0) + bytes(8))


def book(*sheets: bytes) -> bytes:
    """A file whose one stream is a workbook of these sheets."""
    begin, end = record(0x0809, bytes(16)), record(0x000A, b"")
    bodies = [begin + sheet + end for sheet in sheets]
    at = len(begin) + len(end) + len(sheets) * (4 + 8)
    names = b""
    for body in bodies:
        names += record(0x0085, struct.pack("<IHBB", at, 0, 1, 0))
        at += len(body)
    stream = begin + names + end + b"".join(bodies)
    sectors = max(-(-len(stream) // 512), 8)
    header = bytearray(512)
    struct.pack_into("<8sHI", header, 0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, 0)
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<I", header, 48, 1)
    struct.pack_into("<II", header, 68, 0xFFFFFFFE, 0)
    struct.pack_into("<109I", header, 76, 0, *([0xFFFFFFFF] * 108))
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + sectors), 0xFFFFFFFE]
    table = struct.pack("<128I", *chain, *([0xFFFFFFFF] * (128 - len(chain))))
    entry = bytearray(512)
    name = "Workbook".encode("utf-16-le")
    entry[: len(name)] = name
    struct.pack_into("<H", entry, 64, len(name) + 2)
    struct.pack_into("<II", entry, 116, 2, len(stream))
    return bytes(header) + table + bytes(entry) + stream.ljust(sectors * 512, b"\0")


def test_each_sheet_says_how_far_it_reaches_and_where_its_formulas_are() -> None:
    many = record(MANY, struct.pack("<HH", 4, 1) + bytes(12) + struct.pack("<H", 6))

    first, second = scan_old_workbook(book(cell(0, 0) + cell(2, 3, FORMULA) + cell(9_999, 9, BLANK), many))

    assert (first.rows, first.columns, first.formulas) == (3, 4, {(3, 3)})
    assert (second.rows, second.columns) == (5, 7)


@pytest.mark.parametrize(
    ("row", "column", "refusal"), [(60_000, 0, FileTooManyRows), (9_000, 250, FileTooWide), (9_000, 150, FileTooWide)]
)
def test_a_cell_far_away_on_any_sheet_is_refused(row: int, column: int, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        scan_old_workbook(book(cell(0, 0), cell(row, column)))


def test_a_sheet_that_claims_to_be_larger_than_any_is_refused() -> None:
    with pytest.raises(FileDamaged):
        scan_old_workbook(book(record(0x0200, struct.pack("<IIHHH", 0, 2**32 - 1, 0, 65_535, 0))))


@given(st.binary(max_size=2_000), st.integers(0, 1_500))
def test_any_bytes_are_scanned_or_refused(data: bytes, at: int) -> None:
    good = book(cell(0, 0))
    try:
        scan_old_workbook(good[:at] + data + good[at + len(data) :])
    except Refusal as refusal:
        assert refusal.code
