"""The ministry's table SJ3 from the catalogue, with a report of every cut or replaced character. Pure."""

from collections.abc import Sequence
from typing import Any

from equipment.exporting.report import Export, Finding
from equipment.importing.sj3 import FIGURES, write_sj3
from equipment.models import Equipment

#: Instruments below are not in the table.
VALUE_LEAST_FEN = 40_000_000


def write_ministry(entries: Sequence[Equipment], *, school: str) -> Export:
    """Figures as they were last reported, 0 where none were; unknown text `*`, nobody in charge `无`."""
    rows = [
        entry
        for entry in entries
        if entry.original_value_fen is not None and entry.original_value_fen >= VALUE_LEAST_FEN
    ]
    content, cuts = write_sj3([_record(entry, school) for entry in rows])
    findings = [
        Finding(entry.asset_number, cut.column, cut.code, cut.before, cut.after)
        for entry, found in zip(rows, cuts, strict=True)
        for cut in found
    ]
    findings += [
        Finding(entry.asset_number, "分类号", "missing") for entry in rows if not entry.reported.get("class_code")
    ]
    return Export(content, len(rows), len(entries) - len(rows), findings)


def _record(entry: Equipment, school: str) -> dict[str, Any]:
    figures = {name: int(entry.reported.get(name, 0)) for name in FIGURES}
    return figures | {
        "school": school,
        "asset_number": entry.asset_number,
        "class_code": entry.reported.get("class_code", ""),
        "name": entry.name_zh,
        "price": entry.original_value_fen,
        "model": entry.model or "*",
        "specification": entry.specification or "*",
        "person": entry.contact_name or "无",
    }
