"""What every format is read into: rows of a catalogue, and rows that were refused. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One instrument as a file describes it. Empty text: the file does not say."""

    number: int
    asset_number: str
    name_zh: str
    lab: str
    name_en: str = ""
    maker: str = ""
    model: str = ""
    specification: str = ""
    category: str = ""
    class_code: str = ""
    notes: str = ""
    certainty: str = ""
    assignment: str = ""
    original_value_fen: int | None = None
    institution: str = ""
    charge_unit: str = ""
    price_fen: int | None = None
    price_is_invented: bool = False


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was left out: where, a stable code, and why as a message id with fields."""

    row: int
    column: str
    code: str
    reason: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file holds."""

    format: str
    rows: list[CatalogueRow]
    refused: list[RefusedRow]

    @property
    def read(self) -> int:
        return len(self.rows) + len(self.refused)
