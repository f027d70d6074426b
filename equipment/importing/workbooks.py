"""What a workbook holds, from its bytes as a stream: extent and formulas of each sheet, before anything is built. Pure.

A library that builds a sheet as a rectangle needs gigabytes for two cells in opposite corners; so the cells are counted
first.
"""

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import IO

from equipment.errors import FileDamaged, FileNotKnown, FileTooManyRows, FileTooWide, FileUnpacksTooLarge

UNPACKED_MEGABYTES = 40
ROWS_MOST = 10_000
COLUMNS_MOST = 200
#: Rows times columns of the rectangle around a sheet's cells.
AREA_MOST = 1_000_000
HEADINGS_WITHIN = 20
BLOCK = 1 << 18
#: A tag that is longer is none.
TAG_LONGEST = 1 << 20
_INSIDE = rb"""((?:\s(?:[^>"']|"[^"]*"|'[^']*')*+)?)"""
_TAG = re.compile(rb"<(?:\w+:)?(?:(row)|c)" + _INSIDE + rb">(?:(?=\s*<(?:(/)|(?:\w+:)?(f)[\s/>]))|)")
_BEGIN = re.compile(rb"<(?:\w+:)?(?:row|c)[\s/>]")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,10})["']""")
_SHEET = re.compile(rb"<(?:\w+:)?sheet" + _INSIDE + rb">")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship" + _INSIDE + rb">")
_OTHER_KINDS = frozenset({"content.xml", "xl/workbook.bin"})


@dataclass
class Extent:
    """How far the cells of a sheet reach, counted from 1, and (row from 1, column from 0) of those with a formula."""

    rows: int = 0
    columns: int = 0
    formulas: set[tuple[int, int]] = field(default_factory=set)

    def require_small(self) -> None:
        """Raises FileTooManyRows, FileTooWide."""
        if self.rows > ROWS_MOST + HEADINGS_WITHIN:
            raise FileTooManyRows(rows=ROWS_MOST)
        if self.columns > COLUMNS_MOST or self.rows * self.columns > AREA_MOST:
            raise FileTooWide(columns=COLUMNS_MOST, cells=AREA_MOST)


def scan_workbook(data: bytes) -> list[Extent]:
    """The extent of each sheet in the order in which the workbook names them. Counts what is unpacked: what a
    directory says of sizes proves nothing.

    Raises FileUnpacksTooLarge, FileDamaged, and FileNotKnown for another kind of archive.
    """
    left = UNPACKED_MEGABYTES * 1_000_000
    extents: dict[str, Extent] = {}
    parts: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {name.lower() for name in archive.namelist()}
            if "xl/workbook.xml" not in names or names & _OTHER_KINDS:
                raise FileNotKnown
            for member in archive.infolist():
                name = member.filename.lower()
                with archive.open(member) as stream:
                    counted = _Counted(stream, left)
                    if name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
                        parts[name] = counted.read_all()
                    else:
                        extents[name] = _scan_cells(counted)
                    left = counted.left
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise FileDamaged from error
    paths = _sheet_paths(parts["xl/workbook.xml"], parts.get("xl/_rels/workbook.xml.rels", b""))
    return [extents.get(path, Extent()) for path in paths]


class _Counted:
    """A member of the archive, block by block; ends with FileUnpacksTooLarge when all are too large together."""

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream, self.left = stream, left

    def read(self) -> bytes:
        block = self._stream.read(BLOCK)
        self.left -= len(block)
        if self.left < 0:
            raise FileUnpacksTooLarge(megabytes=UNPACKED_MEGABYTES)
        return block

    def read_all(self) -> bytes:
        return b"".join(iter(self.read, b""))


def _scan_cells(stream: _Counted) -> Extent:
    """Tags of rows and cells, one block after another; a tag across two blocks is looked at again with the second."""
    extent, cursor = Extent(), _Cursor()
    rest = b""
    while block := stream.read():
        text = rest + block
        at = 0
        for tag in _TAG.finditer(text):
            if tag.end() > len(text) - 64:
                break
            at = tag.end(2) + 1
            cursor.take(tag, extent)
        begun = _BEGIN.search(text, at)
        rest = text[begun.start() :] if begun else text[max(at, len(text) - 64) :]
        if len(rest) > TAG_LONGEST:
            raise FileDamaged
    for tag in _TAG.finditer(rest):
        cursor.take(tag, extent)
    return extent


class _Cursor:
    """Where the next row or cell stands that does not say so itself."""

    def __init__(self) -> None:
        self.row = 0
        self.column = 0
        self._columns: dict[bytes, int] = {}

    def take(self, tag: re.Match[bytes], extent: Extent) -> None:
        place = _PLACE.search(tag[2])
        if tag[1]:
            self.row, self.column = int(place[2]) if place else self.row + 1, 0
            return
        if place:
            self.row, self.column = int(place[2]), self._number(place[1])
        else:
            self.column += 1
        if tag[2].endswith(b"/") or tag[3]:
            return
        extent.rows, extent.columns = max(extent.rows, self.row), max(extent.columns, self.column)
        if tag[4] and self.row <= ROWS_MOST + HEADINGS_WITHIN:
            extent.formulas.add((self.row, self.column - 1))

    def _number(self, letters: bytes) -> int:
        """`A` is 1."""
        number = self._columns.get(letters)
        if number is None:
            number = 0
            for letter in letters.upper():
                number = number * 26 + letter - 64
            self._columns[letters] = number
        return number


def _sheet_paths(workbook: bytes, relations: bytes) -> list[str]:
    """The part of each sheet, by the workbook's relations: the number in a part's name means nothing."""
    targets = {
        _attribute(found[1], rb"Id"): _attribute(found[1], rb"Target") for found in _RELATION.finditer(relations)
    }
    paths = []
    for found in _SHEET.finditer(workbook):
        target = targets.get(_attribute(found[1], rb"\w+:id"), "").lower()
        paths.append(target.lstrip("/") if target.startswith(("/", "xl/")) else f"xl/{target}")
    return paths


def _attribute(tag: bytes, name: bytes) -> str:
    found = re.search(rb"\s" + name + rb"""\s*=\s*["']([^"']*)["']""", tag)
    return found[1].decode("utf-8", "replace") if found else ""
