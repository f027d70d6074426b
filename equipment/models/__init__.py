"""Tables of what can be booked, by subject."""

from equipment.models.access import BookingLimit, LimitSubject, Period, Qualification
from equipment.models.entry import (
    SHARING_VALUE_FEN,
    ApprovalMode,
    AssetSource,
    AssetState,
    Equipment,
    Lab,
    LabStaff,
    RuleSet,
    ServiceMode,
    Unit,
    UseDirection,
)
from equipment.models.found import Findable
from equipment.models.imports import ColumnMapping, ImportFile, ImportRow, ImportRun, ImportState, RowKind
from equipment.models.prices import ChargeUnit, PriceBand, Rate, Tariff, Tier
from equipment.models.story import Document, EquipmentChange, Photo
from equipment.models.terms import Terms
from equipment.models.times import CalendarDay, CalendarYear, Closure, DayKind, OpeningHours

__all__ = [
    "SHARING_VALUE_FEN",
    "ApprovalMode",
    "AssetSource",
    "AssetState",
    "BookingLimit",
    "CalendarDay",
    "CalendarYear",
    "ChargeUnit",
    "Closure",
    "ColumnMapping",
    "DayKind",
    "Document",
    "Equipment",
    "EquipmentChange",
    "Findable",
    "ImportFile",
    "ImportRow",
    "ImportRun",
    "ImportState",
    "Lab",
    "LabStaff",
    "LimitSubject",
    "OpeningHours",
    "Period",
    "Photo",
    "PriceBand",
    "Qualification",
    "Rate",
    "RowKind",
    "RuleSet",
    "ServiceMode",
    "Tariff",
    "Terms",
    "Tier",
    "Unit",
    "UseDirection",
]
