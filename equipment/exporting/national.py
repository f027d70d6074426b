"""The national platform's fields of large instruments, as a sheet of keys and values. Pure.

The fields, their order, lengths and which are required stand in `data/national_fields.csv`. What does not fit is cut
at a character and reported; what is required and not held stays blank and is reported: nothing is made up.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from equipment.exporting.report import Export, Finding, without_gone
from equipment.exporting.tables import write_sheet
from equipment.models import AssetSource, Equipment
from equipment.price_words import rates_text
from equipment.tariffs import tariff_on
from equipment.words import country_name

SOURCES = {AssetSource.PURCHASE: "1", AssetSource.SELF_MADE: "2", AssetSource.DONATION: "3", AssetSource.TRANSFER: "4"}
#: What the interface wants of everything that is sent to it: not reviewed yet.
NOT_REVIEWED = "-1"


@dataclass(frozen=True, slots=True)
class Field:
    """One column: the platform's key, its meaning, its longest length, and whether it is required."""

    key: str
    meaning: str
    longest: int
    is_required: bool


@cache
def national_fields() -> tuple[Field, ...]:
    path = Path(__file__).parents[1] / "data" / "national_fields.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Field(row["key"], row["meaning"], int(row["longest"]), bool(row["required"]))
            for row in csv.DictReader(file)
        )


def write_national(entries: Sequence[Equipment], *, unit_code: str, base_url: str, today: date) -> Export:
    """Instruments of 500,000 yuan and more that are still there; the others are counted only. In Chinese, as the
    platform is."""
    fill = _fillers(unit_code, base_url, today)
    large, findings = without_gone([entry for entry in entries if entry.is_due_for_sharing], "现状")
    rows = []
    for entry in large:
        cells = []
        for field in national_fields():
            text = " ".join(fill[field.key](entry).split()) if field.key in fill else ""
            kept = text[: field.longest]
            if kept != text:
                findings.append(Finding(entry.asset_number, field.meaning, "cut", text, kept))
            if field.is_required and not kept:
                findings.append(Finding(entry.asset_number, field.meaning, "missing"))
            cells.append(kept)
        rows.append(cells)
    headings = [field.meaning for field in national_fields()]
    content = write_sheet(headings, rows, above=[[field.key for field in national_fields()]])
    return Export(content, len(rows), len(entries) - len(rows), findings)


def _fillers(unit_code: str, base_url: str, today: date) -> dict[str, Callable[[Equipment], str]]:
    """What the catalogue holds, by key; keys that are not here stay blank."""
    return {
        "insCode": lambda _: unit_code,
        "innerId": lambda entry: entry.asset_number,
        "cname": lambda entry: entry.name_zh,
        "ename": lambda entry: entry.name_en,
        "instrCategory": lambda entry: entry.class_code.ljust(6, "0") if entry.class_code else "",
        "street": lambda entry: entry.lab.address,
        "worth": lambda entry: _wan(entry.original_value_fen),
        "instrSource": lambda entry: SOURCES[entry.asset_source] if entry.asset_source else "",
        "nation": lambda entry: country_name(entry.country, "zh-CN"),
        "instrVersion": lambda entry: entry.model,
        "manufacturer": lambda entry: entry.maker,
        "beginDate": lambda entry: str(entry.started_on or entry.acquired_on or ""),
        "technical": _technical,
        "function": lambda entry: entry.capability_zh,
        "serviceContent": lambda entry: entry.service_content,
        "requirement": lambda entry: entry.user_notice,
        "fee": lambda entry: _fee(entry, today),
        "serviceUrl": lambda entry: f"{base_url}/equipment/{entry.public_id}",
        "runMachine": _hours_run,
        "serviceMachine": lambda entry: str(entry.reported.get("service_hours", "")),
        "insideDepart": lambda entry: entry.lab.name_zh,
        "contact": lambda entry: entry.contact_name or entry.lab.contact_name,
        "phone": lambda entry: entry.contact_phone or entry.lab.contact_phone,
        "email": lambda entry: entry.contact_email or entry.lab.contact_email,
        "auditStatus": lambda _: NOT_REVIEWED,
    }


def _technical(entry: Equipment) -> str:
    return "; ".join([*(f"{name}: {value}" for name, value in entry.specs), entry.specification]).strip("; ")


def _wan(fen: int | None) -> str:
    """Ten thousand yuan with two decimals, rounded half up."""
    if fen is None:
        return ""
    hundredths = (fen + 5_000) // 10_000
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _fee(entry: Equipment, today: date) -> str:
    """What is in force today, tier by tier: `本单位 ¥100.00/小时；园区初创企业 ¥300.00/小时`."""
    tariff = tariff_on(entry.tariffs, today)
    return rates_text(tariff, "zh-CN") if tariff else ""


def _hours_run(entry: Equipment) -> str:
    names = ("teaching_hours", "research_hours", "service_hours")
    if not any(name in entry.reported for name in names):
        return ""
    return str(sum(int(entry.reported.get(name, 0)) for name in names))
