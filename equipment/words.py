"""What the codes of the catalogue are called: message ids."""

from core.i18n import N_
from equipment.importing.headings import FIELDS
from equipment.models import (
    AssetSource,
    AssetState,
    ChargeUnit,
    ImportState,
    RowKind,
    ServiceMode,
    Tier,
    UseDirection,
)
from equipment.rules import RULES

MODE_NAMES: dict[ServiceMode, str] = {
    ServiceMode.SELF: N_("You run it yourself"),
    ServiceMode.OPERATED: N_("Operated for you"),
    ServiceMode.SAMPLE: N_("Send samples"),
}
UNIT_NAMES: dict[ChargeUnit, str] = {
    ChargeUnit.HOUR: N_("hour"),
    ChargeUnit.DAY: N_("day"),
    ChargeUnit.SAMPLE: N_("sample"),
    ChargeUnit.RUN: N_("run"),
    ChargeUnit.GRAM: N_("gram"),
    ChargeUnit.MILLILITRE: N_("millilitre"),
    ChargeUnit.CHANNEL_DAY: N_("channel-day"),
    ChargeUnit.CARD_HOUR: N_("card-hour"),
}
TIER_NAMES: dict[Tier, str] = {
    Tier.INTERNAL: N_("Own institution"),
    Tier.STARTUP: N_("Startups of the zone"),
    Tier.OTHER: N_("Everybody else"),
}
ASSET_STATE_NAMES: dict[AssetState, str] = {
    AssetState.IN_USE: N_("In service"),
    AssetState.SURPLUS: N_("Surplus"),
    AssetState.AWAITING_REPAIR: N_("Awaiting repair"),
    AssetState.AWAITING_DISPOSAL: N_("Awaiting disposal"),
    AssetState.LOST: N_("Lost"),
    AssetState.SCRAPPED: N_("Scrapped"),
    AssetState.TRANSFERRED: N_("Transferred"),
    AssetState.DOWNGRADED: N_("Downgraded"),
    AssetState.OTHER: N_("Other state"),
}
ASSET_SOURCE_NAMES: dict[AssetSource, str] = {
    AssetSource.PURCHASE: N_("Purchased"),
    AssetSource.DONATION: N_("Donated"),
    AssetSource.SELF_MADE: N_("Self-made"),
    AssetSource.TRANSFER: N_("Transferred in"),
}
USE_DIRECTION_NAMES: dict[UseDirection, str] = {
    UseDirection.TEACHING: N_("Mostly teaching"),
    UseDirection.RESEARCH: N_("Mostly research"),
}
CHANGE_NAMES: dict[str, str] = {
    "described": N_("Facts changed"),
    "rules": N_("Rules changed"),
    "hours": N_("Hours changed"),
    "prices": N_("New prices"),
    "files": N_("Pictures or documents changed"),
    "units": N_("Units changed"),
    "imported": N_("Imported"),
    "retired": N_("Retired"),
    "returned": N_("Brought back"),
    "closed": N_("Closure entered"),
    "opened": N_("Closure removed"),
}
#: Names of fields in the history; those of imports and rules come from there.
FIELD_NAMES: dict[str, str] = {
    **FIELDS,
    **{rule.name: rule.label for rule in RULES.values()},
    "specs": N_("Key data"),
    "capability_en": N_("What it can do (English)"),
    "service_modes": N_("How it is used"),
    "voucher_eligible": N_("Vouchers pay a share"),
    "is_bookable": N_("Can be booked"),
    "retired_at": N_("Retired"),
    "reported": N_("Reported figures"),
    "added": N_("Added"),
    "tariff": N_("Prices"),
    "units": N_("Units"),
    "photo": N_("Picture"),
    "document": N_("Document"),
    "closure": N_("Closure"),
    "hours": N_("Hours"),
}
IMPORT_STATE_NAMES: dict[ImportState, str] = {
    ImportState.WAITING: N_("being read"),
    ImportState.MAPPING: N_("columns to be named"),
    ImportState.PREVIEW: N_("to be looked at"),
    ImportState.APPLIED: N_("applied"),
    ImportState.REFUSED: N_("not usable"),
    ImportState.DROPPED: N_("put aside"),
}
IMPORT_STATE_BADGES: dict[ImportState, str] = {
    ImportState.WAITING: "mine",
    ImportState.MAPPING: "wait",
    ImportState.PREVIEW: "wait",
    ImportState.APPLIED: "ok",
    ImportState.REFUSED: "stop",
    ImportState.DROPPED: "plain",
}
ROW_KIND_NAMES: dict[RowKind, str] = {
    RowKind.NEW: N_("New"),
    RowKind.CHANGED: N_("Changed"),
    RowKind.GONE: N_("Gone"),
    RowKind.REFUSED: N_("Refused"),
    RowKind.SAME: N_("Unchanged"),
}
