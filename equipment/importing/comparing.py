"""What a row of a file would change in an entry, and how values of columns stand in JSON. Pure."""

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from equipment import search
from equipment.importing.fixed import as_written
from equipment.importing.rows import CatalogueRow
from equipment.models import AssetSource, AssetState, Equipment, ServiceMode, UseDirection
from members import service as members

#: Columns that a file may decide; everything else is the lab's.
FIELDS = (
    "name_zh", "name_en", "maker", "model", "specification", "specs", "capability_zh", "capability_en",
    "service_content", "user_notice", "safety", "accessories", "contact_name", "contact_phone", "contact_email",
    "country", "acquired_on", "started_on", "asset_state", "asset_source", "use_direction", "reported", "category",
    "class_code", "notes", "certainty", "assignment", "original_value_fen", "service_modes",
)  # fmt: skip
#: Their values are a person's: history and audit name the field only.
PERSONAL = frozenset({"contact_name", "contact_phone", "contact_email"})
_DATES = frozenset({"acquired_on", "started_on"})
_ENUMS: dict[str, type[StrEnum]] = {
    "asset_state": AssetState, "asset_source": AssetSource, "use_direction": UseDirection,
}  # fmt: skip


def find_changes(entry: Equipment, row: CatalogueRow) -> tuple[dict[str, Any], dict[str, Any]]:
    """New and old values of what differs. Back in the list means back in the catalogue: `retired_at` goes."""
    said = dict(row.values)
    if "reported" in said:
        # Figures of another year's or another table's report stay beside the new ones; 0 of what was never reported
        # says nothing.
        said["reported"] = entry.reported | {
            name: value
            for name, value in said["reported"].items()
            if (value or name in entry.reported) and not _is_same(row, name, entry.reported.get(name), value)
        }
    new = {name: value for name, value in said.items() if not _is_same(row, name, getattr(entry, name), value)}
    old = {name: getattr(entry, name) for name in new}
    if entry.retired_at is not None:
        new["retired_at"], old["retired_at"] = None, entry.retired_at
    return new, old


def _is_same(row: CatalogueRow, name: str, old: Any, new: Any) -> bool:
    """Whether a value is what we know: also as the format's width has cut it, or with other blanks."""
    if old == new or (name in row.widths and as_written(old, row.widths[name]) == new):
        return True
    return isinstance(old, str) and isinstance(new, str) and _flat(old) == _flat(new)


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def index_columns(values: Mapping[str, Any]) -> dict[str, str]:
    """What search and sorting go by, from the values of an entry."""
    return search.index_columns(values) | {"sort_key": members.sort_key(str(values.get("name_zh") or ""))[:400]}


def index(entry: Equipment) -> None:
    """Write what search and sorting go by into an entry."""
    for name, value in index_columns({name: getattr(entry, name) for name in search.SEARCHED}).items():
        setattr(entry, name, value)


def reindexed(entry: Equipment, new: Mapping[str, Any]) -> dict[str, str]:
    """The index of an entry after a change; empty where nothing that is searched changes."""
    if not any(name in new for name in search.SEARCHED):
        return {}
    return index_columns({name: new.get(name, getattr(entry, name)) for name in search.SEARCHED})


def to_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dates as ISO text, members of enums as their text."""
    return {name: _plain(value) for name, value in values.items()}


def from_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Back to what columns take."""
    return {name: _typed(name, value) for name, value in values.items()}


def without_personal(values: Mapping[str, Any]) -> dict[str, Any]:
    """For the trail, which holds no personal values."""
    return {name: None if name in PERSONAL else value for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [str(part) for part in value]
    return str(value) if isinstance(value, StrEnum) else value


def _typed(name: str, value: Any) -> Any:
    if value is None or value == "":
        return value
    if name in _DATES:
        return date.fromisoformat(value)
    if name in _ENUMS:
        return _ENUMS[name](value)
    return tuple(ServiceMode(part) for part in value) if name == "service_modes" else value
