"""Rows of a table through what its columns mean. Pure."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from core.i18n import N_
from core.money import FEN_MAX
from equipment.categories import category_named, category_of
from equipment.importing import codes
from equipment.importing.fixed import MISSING, NOT_A_PRICE, TWICE
from equipment.importing.headings import EXTRA, fold_heading, is_own_list, value_factor
from equipment.importing.rows import CatalogueRow, Problem, ReadFile
from equipment.importing.tables import Table
from equipment.models import Equipment, Lab

LAB = "实验中心"
TOTALS = frozenset({"合计", "总计", "小计", "total", "sum"})
_LAB_COLUMNS = {"lab": "name_zh", "lab_address": "address"}
_PLAIN = frozenset(
    (
        "name_zh", "name_en", "maker", "model", "specification", "capability_zh", "service_content", "user_notice",
        "safety", "accessories", "country", "contact_name", "contact_phone", "contact_email", "notes", "certainty",
        "assignment",
    )
)  # fmt: skip
Codes = dict[str, tuple[dict[str, Any], dict[str, Any]]]
_CODES: Codes = {
    "asset_state": (codes.STATE_WORDS, codes.SJ_STATES),
    "asset_source": (codes.SOURCE_WORDS, codes.SJ_SOURCES),
    "use_direction": (codes.DIRECTION_WORDS, codes.SJ_DIRECTIONS),
}
#: The national platform counts sources differently.
_NATIONAL: Codes = {
    "asset_source": (codes.SOURCE_WORDS, codes.NATIONAL_SOURCES),
    "asset_state": (codes.STATE_WORDS, codes.NATIONAL_STATES),
}
#: Day 0 of a spreadsheet, as from March 1900 on it counts; what lies before 1954 is no day of purchase.
SERIAL_ZERO, SERIAL_LEAST = date(1899, 12, 30), 20_000
#: A number that a spreadsheet has rounded to fifteen digits.
_ROUNDED = re.compile(r"\d+(\.\d+)?[eE]\+?\d+|\d{16,}\.0")
_DATE = re.compile(r"(\d{4})\D?(\d{1,2})?\D?(\d{1,2})?\D?.*")


class _Reader:
    """One table's rows, one after another."""

    def __init__(self, table: Table, mapping: Mapping[int, str], institution: str | None) -> None:
        self.columns = {field: column for column, field in mapping.items()}
        self.headings = table.headings
        self.formulas = table.formulas
        self.institution = institution
        self.extra = {name: table.headings.index(name) for name in EXTRA if name in table.headings}
        self.is_own = is_own_list(table.headings)
        national = "innerid" in {heading.strip().lower() for heading in table.headings}
        self.codes: Codes = _CODES | (_NATIONAL if national else {})
        source = self.columns.get("asset_source")
        if source is not None and fold_heading(table.headings[source]) == "取得方式":
            self.codes |= {"asset_source": (codes.SOURCE_WORDS, codes.ASSET_SOURCES)}
        self.comma = "," if table.delimiter == ";" else "."
        column = self.columns.get("original_value_fen")
        self.factor = value_factor(table.headings[column]) if column is not None else 100
        self.twins: Counter[str] = Counter()
        self.seen: set[str] = set()

    def read(self, number: int, cells: list[str]) -> CatalogueRow | Problem | None:
        """A row, why it is refused, or None for one that says nothing."""
        said = {
            field: unicodedata.normalize("NFC", cells[column])
            for field, column in self.columns.items()
            if column < len(cells) and cells[column]
        }
        if not said or next(iter(cells[:3]), "").strip().lower() in TOTALS or not any(cells):
            return None
        key = said.get("asset_number", "")[:60]
        if problem := self._find_problem(number, said, key):
            return problem
        if not key:
            key = _make_number(said, self.twins)
        if key in self.seen:
            return self._problem(number, "asset_number", "duplicate_key", TWICE, key)
        try:
            values, warnings = self._values(number, said)
        except ValueError:
            return self._problem(number, "original_value_fen", "not_a_price", NOT_A_PRICE, key)
        self.seen.add(key)
        return CatalogueRow(
            number, key, said.get("lab", "") or (LAB if self.is_own else ""), values,
            lab_address=said.get("lab_address", ""), institution=said.get("institution", ""), warnings=warnings,
            guessed={"category": category_of(values.get("class_code", ""))},
            extra={name: cells[column] for name, column in self.extra.items() if column < len(cells)},
        )  # fmt: skip

    def _find_problem(self, number: int, said: Mapping[str, str], key: str) -> Problem | None:
        for field in ("asset_number", "name_zh"):
            if field not in said and not (self.is_own and field == "asset_number"):
                return self._problem(number, field, "missing", MISSING, key)
        if _ROUNDED.fullmatch(key):
            reason = N_("The spreadsheet has rounded this number: format the column as text and enter it again.")
            return self._problem(number, "asset_number", "digits_lost", reason, "")
        for field, column in self.columns.items():
            if (number, column) in self.formulas:
                reason = N_("A formula stands here, not a value. Save the sheet with values only.")
                return self._problem(number, field, "formula_cell", reason, key)
            text = said.get(field, "")
            if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
                reason = N_("The text holds characters that cannot be stored.")
                return self._problem(number, field, "malformed_text", reason, key)
            longest = _longest(field)
            if longest and len(text) > longest:
                reason = N_("At most %(longest)s characters.")
                return self._problem(number, field, "too_long", reason, key, longest=longest)
        named = said.get("institution", "")
        if self.institution is not None and named and named != self.institution:
            reason = N_("This row belongs to %(institution)s.")
            return self._problem(number, "institution", "other_institution", reason, key, institution=named)
        return None

    def _values(self, number: int, said: Mapping[str, str]) -> tuple[dict[str, Any], tuple[Problem, ...]]:
        """Values by column of `equipment`. Raises ValueError for a price that is none."""
        values: dict[str, Any] = {field: said[field] for field in _PLAIN if field in said}
        warnings: list[Problem] = []
        if "original_value_fen" in said:
            values["original_value_fen"] = read_price(said["original_value_fen"], self.factor, decimal=self.comma)
        for field in ("acquired_on", "started_on"):
            if field in said:
                if (on := read_day(said[field])) is None:
                    warnings.append(self._problem(number, field, "not_a_date", N_("This is not a date."), ""))
                else:
                    values[field] = on
        for field, (words, digits) in self.codes.items():
            if field in said:
                if (code := codes.read_code(said[field], words, digits)) is None:
                    reason = N_("%(value)s is not in the list of codes.")
                    warnings.append(self._problem(number, field, "code_not_known", reason, "", value=said[field][:40]))
                else:
                    values[field] = code
        class_code = said.get("class_code", "")
        if class_code:
            values["class_code"] = class_code[:6]
        if (category := category_named(said.get("category", ""))) is not None:
            values["category"] = category
        return values, tuple(warnings)

    def _problem(self, number: int, field: str, code: str, reason: str, key: str, **fields: Any) -> Problem:
        column = self.columns.get(field)
        return Problem(number, self.headings[column] if column is not None else field, code, reason, fields, key)


def read_rows(table: Table, mapping: Mapping[int, str], *, institution: str | None) -> ReadFile:
    """`institution`: rows of another one are refused; None takes all (each row names its own)."""
    reader = _Reader(table, mapping, institution)
    found = [reader.read(number, cells) for number, cells in table.rows]
    rows = [row for row in found if isinstance(row, CatalogueRow)]
    refused = [
        Problem(0, name, "sheet_left_out", N_("This sheet was not read: only the first one with a list is taken."))
        for name in table.other_sheets
    ] + [row for row in found if isinstance(row, Problem)]
    return ReadFile("csv" if reader.is_own else "table", rows, refused)


def read_price(text: str, factor: int, *, decimal: str = ".") -> int:
    """Fen, rounded half up; the text counts in units of `factor` fen. `decimal`: what stands before decimals. Raises
    ValueError for what is no number, is negative, or groups its digits so that it could mean another number."""
    flat = unicodedata.normalize("NFKC", text).replace(" ", "").strip("¥￥元CNYcny")
    unit = 1_000_000 if flat.endswith("万") else factor
    flat = flat.removesuffix("万")
    group = "," if decimal == "." else "."
    if decimal == "," and re.fullmatch(r"\d{1,3}[.,]\d{3}", flat):
        raise ValueError(text)
    if group in flat and not re.fullmatch(rf"\d{{1,3}}(\{group}\d{{3}})+(\{decimal}\d*)?", flat):
        # A point is a point in most files that have commas between their cells' decimals, too.
        if decimal == "." or "," in flat or flat.count(".") > 1:
            raise ValueError(text)
        group = ""
    try:
        amount = Decimal(flat.replace(group, "").replace(decimal, ".")) * unit
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not amount.is_finite() or not 0 <= amount <= FEN_MAX:
        raise ValueError(text)
    return int(amount.to_integral_value(ROUND_HALF_UP))


def read_day(text: str) -> date | None:
    """`2018-05-01`, `2018/5`, `201805`, `20180501`, `2018年5月`; a missing month or day is the first. Five digits are
    days as a spreadsheet counts them, where a cell has lost its format."""
    flat = unicodedata.normalize("NFKC", text).strip()
    if flat.isdecimal() and len(flat) == 5:
        return SERIAL_ZERO + timedelta(days=int(flat)) if int(flat) >= SERIAL_LEAST else None
    if flat.isdigit() and len(flat) in (6, 8):
        parts = [flat[:4], flat[4:6], flat[6:] or "1"]
    elif found := _DATE.fullmatch(flat):
        parts = [found[1], found[2] or "1", found[3] or "1"]
    else:
        return None
    try:
        on = date(*(int(part) for part in parts))
    except ValueError:
        return None
    return on if 1900 <= on.year <= 2100 else None


def _longest(field: str) -> int | None:
    """What the column takes; None: any length up to ten thousand characters."""
    if field == "asset_number":
        return 60
    table, name = (Lab.__table__, _LAB_COLUMNS[field]) if field in _LAB_COLUMNS else (Equipment.__table__, field)
    if field in _PLAIN or field in _LAB_COLUMNS:
        return getattr(table.c[name].type, "length", None) or 10_000
    return 200


def _make_number(said: Mapping[str, str], twins: Counter[str]) -> str:
    """A stable number for a row without one: from what it says, counted up for twins."""
    words = "|".join(said.get(name, "") for name in ("institution", "lab", "name_zh", "maker", "model"))
    digest = hashlib.sha256(words.encode()).hexdigest()[:8].upper()
    twins[digest] += 1
    return f"YX-{digest}" + (f"-{twins[digest]}" if twins[digest] > 1 else "")
