"""Records of fixed width in GBK, as the ministry's tables have them: fields padded with blanks by bytes. Pure."""

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.i18n import N_
from core.money import FEN_MAX, parse_yuan
from equipment.errors import FileTooManyRows, RecordCut, WrongSchool
from equipment.importing.workbooks import ROWS_MOST

Numbered = list[tuple[int, bytes]]
NOT_A_PRICE = N_("The price is not a number with at most two decimals.")
MISSING = N_("This is required.")
TWICE = N_("This number stands in the file twice; the first row counts.")


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    label: str
    width: int
    #: C text, N whole number, Y yuan with two decimals.
    kind: str = "N"


@dataclass(frozen=True, slots=True)
class Cut:
    """A text that did not go into its field as it is: `cut` to fit, or `replaced` where GBK has no such character."""

    column: str
    code: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Records:
    """Lines with their number from 1, all of one width, and the encoding of their texts."""

    lines: Numbered
    width: int
    encoding: str


class Unfit(Exception):
    """A field that cannot be read: the row is refused."""

    def __init__(self, column: Column, code: str, reason: str) -> None:
        super().__init__(code)
        self.column, self.code, self.reason = column, code, reason


def split_records(data: bytes, widths: Sequence[int], school: str, *, blank_at_end: int) -> Records:
    """The records of a file, all of one of the widths. Raises RecordCut, WrongSchool, FileTooManyRows for the file.

    Taken as they come from editors and exporters: with a mark, blank lines, no line ends, in UTF-8, padded by bytes of
    UTF-8, and without the blanks at the ends of all lines (at most `blank_at_end`).
    """
    lines = data.removeprefix(BOM_UTF8).rstrip(b"\x1a\r\n").split(b"\n")
    records = [(number, line.rstrip(b"\r")) for number, line in enumerate(lines, 1) if line.strip()]
    if len(records) > ROWS_MOST:
        raise FileTooManyRows(rows=ROWS_MOST)
    records, encoding = _in_one_encoding(_without_line_ends(records, widths, school), widths)
    width = _find_width([record for _, record in records], widths, blank_at_end)
    least = width - blank_at_end if _is_stripped(records) else width
    for number, record in records:
        if not least <= len(record) <= width:
            raise RecordCut(row=number, found=len(record), expected=width)
        found = record[:5].decode("ascii", "replace")
        if found != school:
            raise WrongSchool(row=number, found=found, expected=school)
    if not records:
        raise RecordCut(row=1, found=0, expected=width)
    return Records([(number, record.ljust(width)) for number, record in records], width, encoding)


def _without_line_ends(records: Numbered, widths: Sequence[int], school: str) -> Numbered:
    """One line of many records becomes as many lines."""
    if len(records) != 1:
        return records
    line = records[0][1]
    for width in widths:
        if len(line) > width and len(line) % width == 0:
            parts = [line[at : at + width] for at in range(0, len(line), width)]
            if len(parts) <= ROWS_MOST and all(part.startswith(school.encode()) for part in parts):
                return list(enumerate(parts, 1))
    return records


def _in_one_encoding(records: Numbered, widths: Sequence[int]) -> tuple[Numbered, str]:
    """Records so that their bytes count as the widths do, and the encoding of their texts."""
    try:
        texts = [record.decode("utf-8") for _, record in records]
        if any(letter >= "㐀" for text in texts for letter in text):
            if all(len(record) in widths for _, record in records):
                return records, "utf-8"
            recoded = [text.encode("gbk", "replace") for text in texts]
            return [(number, record) for (number, _), record in zip(records, recoded, strict=True)], "gbk"
    except UnicodeDecodeError:
        pass
    try:
        wider = [(number, record.decode("gbk").encode()) for number, record in records]
    except UnicodeDecodeError:
        return records, "gbk"
    is_wider = any(len(record) not in widths for _, record in records)
    if is_wider and len({len(record) for _, record in wider}) == 1 and len(wider[0][1]) in widths:
        return wider, "utf-8"
    return records, "gbk"


def _find_width(records: Sequence[bytes], widths: Sequence[int], blank_at_end: int) -> int:
    if records and len(records[0]) in widths:
        return len(records[0])
    longest = max(map(len, records), default=0)
    return next((width for width in widths if width - blank_at_end <= longest <= width), widths[0])


def _is_stripped(records: Numbered) -> bool:
    """Whether no line ends with a blank, as an editor leaves them; a file that was cut has blanks before."""
    return not any(record.endswith(b" ") for _, record in records)


def parse_record(columns: Sequence[Column], record: bytes, encoding: str = "gbk") -> dict[str, Any]:
    """The fields of one record by name. Raises Unfit for a field that cannot be read."""
    values: dict[str, Any] = {}
    position = 0
    for column in columns:
        values[column.name] = _value(column, record[position : position + column.width], encoding)
        position += column.width
    return values


def as_written(value: Any, width: int) -> Any:
    """A text or a number as it comes back from a field of so many bytes."""
    if isinstance(value, str):
        return _written_text(Column("", "", width, "C"), value)[0].decode("gbk").strip()
    return min(value, 10**width - 1) if isinstance(value, int) else value


def write_record(columns: Sequence[Column], values: Mapping[str, Any]) -> tuple[bytes, list[Cut]]:
    """One record from fields by name, and what had to be cut or replaced; never inside a character."""
    parts, cuts = [], []
    for column in columns:
        raw, found = _written(column, values[column.name])
        parts.append(raw)
        cuts += found
    return b"".join(parts), cuts


def known(text: str) -> str:
    """A text of a record; the ministry writes `*` for what is not known."""
    return "" if text == "*" else text


def _value(column: Column, raw: bytes, encoding: str) -> Any:
    try:
        text = raw.decode(encoding).strip(" \x00")
    except UnicodeDecodeError as error:
        raise Unfit(column, "not_gbk", N_("The text is not GBK, or a character is cut.")) from error
    if "\x00" in text:
        raise Unfit(column, "malformed_text", N_("The text holds characters that cannot be stored."))
    if column.kind == "C":
        return text
    if column.kind == "Y":
        try:
            price = parse_yuan(text)
        except ValueError as error:
            raise Unfit(column, "not_a_price", NOT_A_PRICE) from error
        if price < 0:
            raise Unfit(column, "not_a_price", NOT_A_PRICE)
        return price
    if not (text.isascii() and text.isdigit()):
        raise Unfit(column, "not_a_number", N_("A whole number is missing; none is written as 0."))
    return int(text)


def _written(column: Column, value: Any) -> tuple[bytes, list[Cut]]:
    if column.kind == "C":
        return _written_text(column, str(value))
    if column.kind == "Y":
        assert 0 <= value <= FEN_MAX
        text = f"{value // 100}.{value % 100:02d}"
    else:
        text = str(value)
    if len(text) <= column.width:
        return text.encode().ljust(column.width), []
    largest = "9" * column.width if column.kind == "N" else "9" * (column.width - 3) + ".99"
    return largest.encode(), [Cut(column.label, "cut", text, largest)]


def _written_text(column: Column, text: str) -> tuple[bytes, list[Cut]]:
    cuts = []
    flat = " ".join(text.split())
    shown = flat.encode("gbk", "replace").decode("gbk")
    if shown != flat:
        cuts.append(Cut(column.label, "replaced", flat, shown))
    kept = shown
    while len(kept.encode("gbk")) > column.width:
        kept = kept[:-1]
    if kept != shown:
        cuts.append(Cut(column.label, "cut", shown, kept))
    return kept.encode("gbk").ljust(column.width), cuts
