"""What every format is read into: rows of a catalogue, and rows that were refused. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row, or what was done to it: where, a stable code, and why as a message id with fields."""

    row: int
    column: str
    code: str
    reason: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    #: The asset number, where it could be read: such an instrument is not missing from the file.
    asset_number: str = ""


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One instrument as a file describes it.

    `values` holds only what the file says, by the names of `Equipment`'s columns and as their types (text, fen, date,
    members of the enums); an empty cell says nothing. `name_zh` is always among them.
    """

    number: int
    asset_number: str
    #: Name of the lab or department; "": the file does not say.
    lab: str
    values: Mapping[str, Any]
    lab_address: str = ""
    #: Name of the institution where a list covers several.
    institution: str = ""
    #: What a new entry gets where the file does not say (its category, told by its class); never changes a known one.
    guessed: Mapping[str, Any] = field(default_factory=dict)
    #: Bytes of GBK that the format holds of a value, by its name: what is longer was cut when it was written.
    widths: Mapping[str, int] = field(default_factory=dict)
    #: Codes that were not known, text that was cut: taken in, and said.
    warnings: tuple[Problem, ...] = ()
    #: Cells that only the demonstration reads (`charge_unit`, prices), by heading.
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file holds. `format`: csv, sj1, sj3 or table."""

    format: str
    rows: list[CatalogueRow]
    refused: list[Problem]

    @property
    def read(self) -> int:
        return len(self.rows) + len(self.refused)
