"""The extent of each sheet of a workbook of Excel 97 to 2003, before the library builds it. Pure.

The file is a small file system of sectors (MS-CFB); its stream `Workbook` is a chain of records (MS-XLS), each with a
kind and a length. The library builds all sheets when it opens a file, so that all are checked.
"""

import struct
from collections.abc import Iterator

from equipment.errors import FileDamaged
from equipment.importing.workbooks import Extent

_END = 0xFFFFFFFA
_BEGIN, _SHEET, _DIMENSIONS, _FORMULA, _MANY = 0x0809, 0x0085, 0x0200, 0x0006, 0x00BD
#: NUMBER, RK, LABELSST, LABEL, RSTRING, BOOLERR; blank cells are not among them.
_CELLS = frozenset({0x0203, 0x027E, 0x00FD, 0x0204, 0x00D6, 0x0205, _FORMULA, _MANY})


def scan_old_workbook(data: bytes) -> list[Extent]:
    """The extent of each sheet in the order in which the workbook names them.

    Raises FileDamaged, FileTooManyRows, FileTooWide.
    """
    try:
        extents = _scan(_read_stream(data))
    except (struct.error, IndexError, ValueError) as error:
        raise FileDamaged from error
    for extent in extents:
        extent.require_small()
    return extents


def _scan(stream: bytes) -> list[Extent]:
    sheets: dict[int, Extent] = {}
    current = Extent()
    for at, kind, body in _records(stream):
        if kind == _SHEET:
            sheets[struct.unpack_from("<I", body)[0]] = Extent()
        elif kind == _BEGIN and at in sheets:
            current = sheets[at]
        elif kind == _DIMENSIONS and len(body) >= 12:
            _, rows, _, columns = struct.unpack_from("<IIHH", body)
            if rows > 65_536 or columns > 256:
                raise FileDamaged
        elif kind in _CELLS:
            row, column = struct.unpack_from("<HH", body)
            last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == _MANY else column
            current.rows, current.columns = max(current.rows, row + 1), max(current.columns, last + 1)
            if kind == _FORMULA:
                current.formulas.add((row + 1, column))
    return list(sheets.values())


def _records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield at, kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _read_stream(data: bytes) -> bytes:
    """The stream of the workbook. Raises FileDamaged, ValueError, IndexError, struct.error for what is none."""
    size = 1 << struct.unpack_from("<H", data, 30)[0]
    if size not in (512, 4096):
        raise FileDamaged
    first_directory = struct.unpack_from("<I", data, 48)[0]
    table = _sector_table(data, size)
    directory = _chain(data, table, first_directory, size)
    for at in range(0, len(directory), 128):
        entry = directory[at : at + 128]
        name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le", "replace")
        if name.lower() in ("workbook", "book"):
            start, length = struct.unpack_from("<II", entry, 116)
            return _chain(data, table, start, size)[:length]
    raise FileDamaged


def _sector_table(data: bytes, size: int) -> list[int]:
    """The next sector of each sector."""
    places = list(struct.unpack_from("<109I", data, 76))
    more = struct.unpack_from("<I", data, 68)[0]
    for _ in range(len(data) // size):
        if more >= _END:
            break
        numbers = struct.unpack_from(f"<{size // 4}I", data, (more + 1) * size)
        places += numbers[:-1]
        more = numbers[-1]
    table: list[int] = []
    for place in places:
        if place < _END:
            table += struct.unpack_from(f"<{size // 4}I", data, (place + 1) * size)
    return table


def _chain(data: bytes, table: list[int], sector: int, size: int) -> bytes:
    """Sectors one after another; a chain that runs in a circle ends after as many as there are."""
    parts: list[bytes] = []
    while sector < _END and len(parts) <= len(data) // size:
        parts.append(data[(sector + 1) * size : (sector + 2) * size])
        sector = table[sector]
    return b"".join(parts)
