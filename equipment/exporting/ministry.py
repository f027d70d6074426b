"""The ministry's table SJ3 from the catalogue, with a report of every cut or replaced character. Pure."""

from collections.abc import Sequence
from typing import Any

from equipment.exporting.report import Export, Finding, without_gone
from equipment.importing.sj3 import FIGURES, write_sj3
from equipment.models import Equipment

#: Instruments below are not in the table.
VALUE_LEAST_FEN = 40_000_000
#: The table holds this class alone; an instrument whose class is not known goes in and is reported.
CLASS = "03"
UNKNOWN = ("", "*")
_KEY = slice(5, 13)


def write_ministry(entries: Sequence[Equipment], *, school: str) -> Export:
    """Figures as they were last reported, 0 where none were; unknown text `*`, nobody in charge `无`.

    Left out and reported: what is lost, scrapped or transferred, what is of another class, and what would have the key
    of another record once its number is cut to eight bytes.
    """
    dear = [entry for entry in entries if (entry.original_value_fen or 0) >= VALUE_LEAST_FEN]
    present, findings = without_gone(dear, "现状")
    rows = []
    for entry in present:
        if _class(entry) in UNKNOWN or _class(entry).startswith(CLASS):
            rows.append(entry)
        else:
            findings.append(Finding(entry.asset_number, "分类号", "class", _class(entry)))
    content, cuts = write_sj3([_record(entry, school) for entry in rows])
    kept: list[bytes] = []
    keys: dict[bytes, str] = {}
    for entry, found, record in zip(rows, cuts, content.splitlines(keepends=True), strict=True):
        key = record[_KEY]
        if other := keys.get(key):
            findings.append(Finding(entry.asset_number, "仪器编号", "clash", key.decode("gbk").strip(), other))
            continue
        keys[key] = entry.asset_number
        kept.append(record)
        findings += [Finding(entry.asset_number, cut.column, cut.code, cut.before, cut.after) for cut in found]
        if _class(entry) in UNKNOWN:
            findings.append(Finding(entry.asset_number, "分类号", "missing"))
    return Export(b"".join(kept), len(kept), len(entries) - len(kept), findings)


def _class(entry: Equipment) -> str:
    return str(entry.reported.get("class_code") or "")


def _record(entry: Equipment, school: str) -> dict[str, Any]:
    figures = {name: int(entry.reported.get(name, 0)) for name in FIGURES}
    return figures | {
        "school": school,
        "asset_number": entry.asset_number,
        "class_code": _class(entry),
        "name": entry.name_zh,
        "price": entry.original_value_fen,
        "model": entry.model or "*",
        "specification": entry.specification or "*",
        "person": entry.contact_name or "无",
    }
