"""Tell what a file is, and read it. Pure."""

import hashlib
from collections.abc import Mapping, Sequence

from equipment.errors import ColumnsNotKnown
from equipment.importing.headings import fold_heading, is_enough, is_own_list, propose_mapping
from equipment.importing.lists import read_rows
from equipment.importing.rows import ReadFile
from equipment.importing.sj1 import LONG_WIDTH, WIDTH, read_sj1
from equipment.importing.sj3 import RECORD_BYTES, SHORT_BYTES, read_sj3
from equipment.importing.tables import read_table


def read_file(
    data: bytes, name: str, *, code: str, institution: str | None, mapping: Mapping[int, str] | None = None
) -> ReadFile:
    """Rows of any file that we know. `mapping`: column from 0 to field; None: as the headings propose.

    Raises the refusals of the formats; ColumnsNotKnown with `headings` and `proposal` when number or name is not among
    the columns.
    """
    if width := fixed_width(data, name):
        return (read_sj1 if width in (WIDTH, LONG_WIDTH) else read_sj3)(data, code)
    table = read_table(data)
    chosen = dict(mapping) if mapping is not None else propose_mapping(table.headings)
    chosen = {column: field for column, field in chosen.items() if column < len(table.headings)}
    if not is_enough(chosen) and not (is_own_list(table.headings) and "name_zh" in chosen.values()):
        proposal = {str(column): field for column, field in chosen.items()}
        raise ColumnsNotKnown(details={"headings": table.headings, "proposal": proposal})
    return read_rows(table, chosen, institution=institution)


def read_headings(data: bytes, name: str) -> list[str] | None:
    """The headings of a table; None for records of fixed width."""
    return None if fixed_width(data, name) else read_table(data).headings


def headings_key(headings: Sequence[str]) -> str:
    """The same for the same headings, however they are written."""
    return hashlib.sha256("|".join(fold_heading(heading) for heading in headings).encode()).hexdigest()


def fixed_width(data: bytes, name: str) -> int:
    """The width of the ministry's records: by the first one's length, else by its name or its beginning (a file
    that was cut); 0 for anything else."""
    first = data.split(b"\n", 1)[0].rstrip(b"\r")
    widths = (WIDTH, LONG_WIDTH, RECORD_BYTES, SHORT_BYTES)
    begins = first[:5].isdigit() and b"," not in first and b"\t" not in first
    if len(first) in widths and begins:
        return len(first)
    if name.upper().startswith("SJ1"):
        return WIDTH
    if name.upper().startswith("SJ3") or (begins and len(first) > 100):
        return RECORD_BYTES
    return 0
