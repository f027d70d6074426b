"""Records of fixed width in GBK, as the ministry's tables have them: fields padded with blanks by bytes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.i18n import N_
from core.money import FEN_MAX, parse_yuan
from equipment.errors import RecordCut, WrongSchool

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


class Unfit(Exception):
    """A field that cannot be read: the row is refused."""

    def __init__(self, column: Column, code: str, reason: str) -> None:
        super().__init__(code)
        self.column, self.code, self.reason = column, code, reason


def split_records(data: bytes, widths: Sequence[int], school: str) -> list[bytes]:
    """The records of a file, all of one of the widths. Raises RecordCut and WrongSchool for the whole file."""
    records = [line.rstrip(b"\r") for line in data.rstrip(b"\x1a\r\n").split(b"\n")]
    width = len(records[0]) if len(records[0]) in widths else widths[0]
    for number, record in enumerate(records, 1):
        if len(record) != width:
            raise RecordCut(row=number, found=len(record), expected=width)
        found = record[:5].decode("ascii", "replace")
        if found != school:
            raise WrongSchool(row=number, found=found, expected=school)
    return records


def parse_record(columns: Sequence[Column], record: bytes) -> dict[str, Any]:
    """The fields of one record by name. Raises Unfit for a field that cannot be read."""
    values: dict[str, Any] = {}
    position = 0
    for column in columns:
        values[column.name] = _value(column, record[position : position + column.width])
        position += column.width
    return values


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


def _value(column: Column, raw: bytes) -> Any:
    try:
        text = raw.decode("gbk").strip(" \x00")
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
