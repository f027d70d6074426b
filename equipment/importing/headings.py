"""What a column means, by its heading: asset systems, the provincial sheet, the national platform. Pure."""

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.i18n import N_

#: Field -> label, and the headings under which it is found, the surest first.
#: Fields that a column may hold, and what they are called.
FIELDS: dict[str, str] = {
    "asset_number": N_("Asset number"),
    "name_zh": N_("Name of the instrument"),
    "name_en": N_("English name"),
    "maker": N_("Maker"),
    "model": N_("Model"),
    "specification": N_("Specification"),
    "capability_zh": N_("What it can do"),
    "service_content": N_("Service"),
    "user_notice": N_("What users must know"),
    "safety": N_("Safety"),
    "accessories": N_("Accessories"),
    "country": N_("Country"),
    "original_value_fen": N_("Original value"),
    "acquired_on": N_("Acquired"),
    "started_on": N_("In service from"),
    "asset_state": N_("State"),
    "asset_source": N_("Came by"),
    "use_direction": N_("Use"),
    "class_code": N_("Class code"),
    "category": N_("Category"),
    "lab": N_("Lab"),
    "lab_address": N_("Place"),
    "contact_name": N_("Contact"),
    "contact_phone": N_("Telephone"),
    "contact_email": N_("E-mail"),
    "notes": N_("Notes"),
    "institution": N_("Institution"),
    "certainty": N_("Certainty"),
    "assignment": N_("Assignment"),
}
#: Cells that only the demonstration reads.
EXTRA = ("charge_unit", "hourly_price_cny", "demo_price_cny_invented")
_UNIT = re.compile(r"[(\[（【]([^)\]）】]*)[)\]）】]")


def _read_synonyms() -> dict[str, tuple[str, int]]:
    """Heading -> field, and how sure: the first headings of a field are the surest."""
    with (Path(__file__).parent.parent / "data" / "headings.csv").open(encoding="utf-8", newline="") as file:
        return {row["heading"]: (row["field"], number) for number, row in enumerate(csv.DictReader(file))}


_SYNONYMS = _read_synonyms()


def fold_heading(text: str) -> str:
    """Full width to half, lower case, one blank; what stands in brackets, marks of required fields and ends go."""
    flat = unicodedata.normalize("NFKC", text).lower()
    flat = _UNIT.sub("", flat).replace("*", "").strip(" :：\n\t")
    flat = re.sub(r"\s+", " ", flat)
    return re.sub(r"(?<=[㐀-鿿]) (?=[㐀-鿿])", "", flat)


def count_known(row: Sequence[str]) -> int:
    """How many cells of a row are headings that we know."""
    return len({_SYNONYMS[name][0] for cell in row if (name := fold_heading(cell)) in _SYNONYMS})


def propose_mapping(headings: Sequence[str]) -> dict[int, str]:
    """Column to field, each field once: of several columns that fit the one whose heading is surest."""
    best: dict[str, tuple[int, int]] = {}
    for column, heading in enumerate(headings):
        if (found := _SYNONYMS.get(fold_heading(heading))) is None:
            continue
        field, rank = found
        if field not in best or rank < best[field][0]:
            best[field] = (rank, column)
    return {column: field for field, (_, column) in sorted(best.items(), key=lambda item: item[1][1])}


def value_factor(heading: str) -> int:
    """Fen per unit of a price column: of 10,000 yuan where the heading says so."""
    flat = unicodedata.normalize("NFKC", heading).lower()
    return 1_000_000 if "万元" in flat or fold_heading(flat) == "worth" else 100


def is_enough(mapping: Mapping[int, str]) -> bool:
    """Whether rows can be told apart and named."""
    return {"asset_number", "name_zh"} <= set(mapping.values())


def is_own_list(headings: Sequence[str]) -> bool:
    """Our own CSV, whose rows may lack an asset number: they get a stable one."""
    return {"name_zh", "category", "institution"} <= {heading.strip() for heading in headings}
