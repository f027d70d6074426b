"""A list of instruments as CSV, in UTF-8 (with or without mark) or GB18030. Pure."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Mapping

from core.i18n import N_
from core.money import parse_yuan
from equipment.categories import category_of
from equipment.errors import FileNotKnown, FileNotReadable
from equipment.importing.rows import CatalogueRow, ReadFile, RefusedRow

REQUIRED = ("name_zh", "category")
LONGEST = {"name_zh": 200, "name_en": 200, "maker": 180, "model": 120, "lab": 200, "class4": 6}


def decode(data: bytes) -> str:
    """Raises FileNotReadable with the first byte that is neither."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as first:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise FileNotReadable(position=first.start) from error


def read_list(data: bytes, *, institution: str | None) -> ReadFile:
    """`institution`: rows of another one are refused; None takes all (each row names its own).

    Raises FileNotKnown when the columns are not ours.
    """
    reader = csv.DictReader(io.StringIO(decode(data), newline=""))
    if not set(REQUIRED) <= set(reader.fieldnames or ()):
        raise FileNotKnown
    rows: list[CatalogueRow] = []
    refused: list[RefusedRow] = []
    twins: Counter[str] = Counter()
    for number, cells in enumerate(reader, 2):
        values = {
            name: (cell or "").strip()
            for name, cell in cells.items()
            if isinstance(name, str) and not isinstance(cell, list)
        }
        problem = _find_problem(number, values, institution)
        if problem:
            refused.append(problem)
            continue
        try:
            rows.append(_row(number, values, twins))
        except ValueError:
            reason = N_("The price is not a number with at most two decimals.")
            refused.append(RefusedRow(number, "price", "not_a_price", reason))
    return ReadFile("csv", rows, refused)


def _find_problem(number: int, values: Mapping[str, str], institution: str | None) -> RefusedRow | None:
    for name in REQUIRED:
        if not values.get(name):
            return RefusedRow(number, name, "missing", N_("This is required."))
    for name, longest in LONGEST.items():
        if len(values.get(name, "")) > longest:
            reason = N_("At most %(longest)s characters.")
            return RefusedRow(number, name, "too_long", reason, {"longest": longest})
    if any("\x00" in value for value in values.values()):
        return RefusedRow(number, "", "malformed_text", N_("The text holds characters that cannot be stored."))
    named = values.get("institution", "")
    if institution is not None and named and named != institution:
        reason = N_("This row belongs to %(institution)s.")
        return RefusedRow(number, "institution", "other_institution", reason, {"institution": named})
    return None


def _row(number: int, values: Mapping[str, str], twins: Counter[str]) -> CatalogueRow:
    """Raises ValueError for a price that is none."""
    known, invented = values.get("hourly_price_cny", ""), values.get("demo_price_cny_invented", "")
    price = known or invented
    return CatalogueRow(
        number=number,
        asset_number=values.get("asset_number") or _make_number(values, twins),
        name_zh=values["name_zh"],
        lab=values.get("lab") or "实验中心",
        name_en=values.get("name_en", ""),
        maker=values.get("maker", ""),
        model=values.get("model", ""),
        specification=values.get("specification", ""),
        category=category_of(values["category"], values.get("class4", "")),
        class_code=values.get("class4", ""),
        notes=values.get("notes", ""),
        certainty=values.get("certainty", ""),
        assignment=values.get("assignment", ""),
        institution=values.get("institution", ""),
        charge_unit=values.get("charge_unit", ""),
        price_fen=parse_yuan(price) if price else None,
        price_is_invented=not known and bool(invented),
    )


def _make_number(values: Mapping[str, str], twins: Counter[str]) -> str:
    """A stable number for a row without one: from what it says, counted up for twins."""
    said = "|".join(values.get(name, "") for name in ("institution", "lab", "name_zh", "maker", "model"))
    digest = hashlib.sha256(said.encode()).hexdigest()[:8].upper()
    twins[digest] += 1
    return f"YX-{digest}" + (f"-{twins[digest]}" if twins[digest] > 1 else "")
