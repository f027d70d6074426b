"""Tell what a file is, and read it. Pure."""

import hashlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence

from equipment.errors import ColumnsNotKnown
from equipment.importing.headings import fold_heading, is_enough, is_own_list, propose_mapping
from equipment.importing.lists import read_rows
from equipment.importing.rows import ReadFile
from equipment.importing.sj1 import LONG_WIDTH, WIDTH, read_sj1
from equipment.importing.sj3 import RECORD_BYTES, SHORT_BYTES, read_sj3
from equipment.importing.tables import Table, is_workbook, read_table

DELIMITERS = (b",", b";", b"\t", b"|")


def read_file(
    data: bytes,
    name: str,
    *,
    code: str,
    institution: str | None,
    mapping: Mapping[int, str] | None = None,
    table: Table | None = None,
) -> ReadFile:
    """Rows of any file that we know. `mapping`: column from 0 to field; None: as the headings propose. `table`: what
    `find_table` has read of it, so that it is read once.

    Raises the refusals of the formats; ColumnsNotKnown with `headings` and `proposal` when number or name is not among
    the columns.
    """
    if table is None and (width := fixed_width(data, name)):
        return (read_sj1 if width in (WIDTH, LONG_WIDTH) else read_sj3)(data, code)
    table = table or read_table(data)
    chosen = dict(mapping) if mapping is not None else propose_mapping(table.headings)
    chosen = {column: field for column, field in chosen.items() if column < len(table.headings)}
    if not is_enough(chosen) and not (is_own_list(table.headings) and "name_zh" in chosen.values()):
        proposal = {str(column): field for column, field in chosen.items()}
        raise ColumnsNotKnown(details={"headings": table.headings, "proposal": proposal})
    return read_rows(table, chosen, institution=institution)


def find_table(data: bytes, name: str) -> Table | None:
    """The table of a file; None for records of fixed width."""
    return None if fixed_width(data, name) else read_table(data)


def headings_key(headings: Sequence[str]) -> str:
    """The same for the same headings, however they are written."""
    return hashlib.sha256("|".join(fold_heading(heading) for heading in headings).encode()).hexdigest()


def fixed_width(data: bytes, name: str) -> int:
    """The width of the ministry's records, 0 for anything else: by what the file holds, and only where that says
    nothing by its name."""
    if is_workbook(data) or data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return 0
    first = next((line for line in data.removeprefix(BOM_UTF8).split(b"\n") if line.strip()), b"").rstrip(b"\r")
    widths = (WIDTH, LONG_WIDTH, RECORD_BYTES, SHORT_BYTES)
    begins = first[:5].isdigit() and first[5:6] not in DELIMITERS
    named = RECORD_BYTES if name.upper().startswith("SJ3") else WIDTH if name.upper().startswith("SJ1") else 0
    if begins and (found := _counted(first, widths, named)):
        return found
    if named and (begins or not any(sign in first for sign in DELIMITERS)):
        return named
    if not begins or len(first) <= 100 or b"," in first:
        return 0
    return RECORD_BYTES if len(first) > LONG_WIDTH else WIDTH


def _counted(first: bytes, widths: Sequence[int], named: int) -> int:
    """The width that a line has: as it is, as bytes of GBK, or as bytes of UTF-8; else of several records in one."""
    lengths = [len(first)]
    for encoding, other in (("utf-8", "gbk"), ("gbk", "utf-8")):
        try:
            lengths.append(len(first.decode(encoding).encode(other)))
        except UnicodeError:
            continue
    if found := next((length for length in lengths if length in widths), 0):
        return found
    many = [width for width in widths if len(first) > width and len(first) % width == 0]
    many = [width for width in many if len({first[at : at + 5] for at in range(0, len(first), width)}) == 1]
    return named if named in many else next(iter(many), 0)
