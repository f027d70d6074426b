"""The history of an entry in the reader's words. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.formats import format_date, format_instant, format_slot
from core.i18n import Lang, gettext
from core.slot import Slot
from equipment.hour_words import opening_rows
from equipment.models import EquipmentChange, Tariff
from equipment.price_words import version_text
from equipment.rules import RULES
from equipment.timetables import read_hours_text
from equipment.words import CHANGE_NAMES, FIELD_NAMES, value_text

#: What is there or is not: without a before nothing is said of it.
_THINGS = ("added", "tariff", "closure", "document", "photo", "retired_at")
_DAYS = ("acquired_on", "started_on")


def change_rows(
    changes: Sequence[EquipmentChange], names: Mapping[int, str], tariffs: Sequence[Tariff], lang: Lang, zone: ZoneInfo
) -> list[dict[str, Any]]:
    """When, who, what, and each field with its value before and after. `tariffs`: the versions of the entry itself."""
    versions = {str(tariff.public_id): tariff for tariff in tariffs}

    def text(value: Any, name: str) -> str:
        if name == "tariff" and isinstance(value, str):
            tariff = versions.get(value.split(" ")[0])
            return version_text(tariff, lang) if tariff else value.split(" ")[-1]
        return field_text(value, name, lang, zone)

    return [
        {
            "at": change.at,
            "who": names.get(change.person_id or 0, gettext(lang, "automatically")),
            "kind": gettext(lang, CHANGE_NAMES.get(change.kind, change.kind)),
            "fields": [
                {
                    "name": gettext(lang, FIELD_NAMES.get(name, name)),
                    "personal": pair is None,
                    "before": "" if pair is None or (name in _THINGS and not pair[0]) else text(pair[0], name),
                    "after": text(pair[1], name) if pair else "",
                }
                for name, pair in change.fields.items()
            ],
        }
        for change in changes
    ]


def field_text(value: Any, name: str, lang: Lang, zone: ZoneInfo) -> str:
    """A value as the history keeps it, in words."""
    if (name in RULES and value is None) or (name == "hours" and not value):
        return gettext(lang, "not set here")
    if name == "hours":
        return _hours(value, lang)
    if name == "units" and value:
        return "; ".join(_unit(number, part[0], part[1], lang) for number, part in enumerate(value, 1))
    if name == "closure" and value:
        starts_at, ends_at = (datetime.fromisoformat(part) for part in str(value).split("/"))
        return format_slot(Slot(starts_at, ends_at), lang, zone, year=True)
    if name == "retired_at" and value:
        return format_instant(datetime.fromisoformat(value), lang, zone, year=True)
    if name in _DAYS and value:
        return format_date(date.fromisoformat(value), lang, year=True)
    return value_text(value, name, lang)


def _hours(texts: Sequence[str], lang: Lang) -> str:
    parts = [part for text in texts if (part := read_hours_text(text))]
    rows = [f"{row['label']} {row['value']}" for row in opening_rows(parts, lang)]
    if any(not part.closed_on_holidays for part in parts):
        rows.append(gettext(lang, "Also open on holidays"))
    return ("；" if lang == "zh-CN" else "; ").join(rows)


def _unit(number: int, label: str, state: str, lang: Lang) -> str:
    shown = label or f"#{number}"
    return f"{shown} ({gettext(lang, 'retired')})" if state else shown
